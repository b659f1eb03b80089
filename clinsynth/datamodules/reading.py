"""A data module above a reader of ``clinsynth.corpora``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clinsynth.corpora.base import Corpus, Split
from clinsynth.datamodules.base import DocumentDataModule
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema


class CorpusDataModule(DocumentDataModule):
    """Cuts and batches what a reader reads. A subclass builds the reader from its options.

    Args:
        schema: The task; documents keep the entities that it knows.
        corpus: The reader.
        settings: Options of ``DocumentDataModule``.
    """

    def __init__(self, schema: Schema, corpus: Corpus, **settings: Any) -> None:
        super().__init__(schema, **settings)
        self.corpus = corpus

    def documents(self, split: Split) -> Iterable[Document]:
        return self.corpus.documents(split)

    def prepare(self, splits: Iterable[Split]) -> None:
        self.corpus.prepare(splits)

    def lacks(self, split: Split) -> bool:
        return self.corpus.lacks(split)

    def predict_documents(self) -> Iterable[Document]:
        return self.corpus.predict_documents()

    def read_from(self, split: Split) -> str:
        return self.corpus.read_from(split)

    def ignores_other_labels(self, split: Split) -> bool:
        return self.corpus.selectable or super().ignores_other_labels(split)

"""Text that a language model wrote."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from clinsynth.corpora.base import Split
from clinsynth.corpora.splits import hold_out
from clinsynth.datamodules.base import DocumentDataModule
from clinsynth.datamodules.written import CorpusFiles, WrittenText
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

log = logging.getLogger("clinsynth")


class Synthetic(DocumentDataModule):
    """Trains on written text, and tests on real text where there is some.

    Args:
        schema: The task.
        corpus: The text: a corpus file or several, as ``clinsynth generate`` writes them, ``.gz`` too; or a
            class that has it: RecordedReplies, or GeneratedText, which asks a language model before training.
        real: A real corpus to test on; RecordedReplies and GeneratedText leave out what overlaps those of its
            validation and test splits that are at hand.
        validation: Text that the best checkpoint is chosen on: a held-back tenth of the synthetic text, drawn
            by ``seed``, or the validation split of ``real``.
        settings: Options of ``DocumentDataModule``.
    """

    def __init__(
        self,
        schema: Schema,
        corpus: str | list[str] | WrittenText,
        real: Callable[[Schema], DocumentDataModule] | None = None,
        validation: Literal["synthetic", "real"] = "synthetic",
        **settings: Any,
    ) -> None:
        super().__init__(schema, **settings)
        if validation == "real" and real is None:
            raise ValueError("validation on real text needs a corpus under 'real'")
        if isinstance(corpus, str | list):
            corpus = CorpusFiles([corpus] if isinstance(corpus, str) else corpus)
        self.text = corpus
        self.real = real(schema) if real else None
        self.validation = validation
        self.prepare_data_per_node = self.text.per_machine
        self._written: list[Document] | None = None

    def lacks(self, split: Split) -> bool:
        return self.real is None and self._is_real(split)

    def prepare(self, splits: Iterable[Split]) -> None:
        wanted = tuple(splits)
        if self.real is not None:
            self.real.prepare([split for split in wanted if self._is_real(split)])
        if any(not self._is_real(split) for split in wanted):
            self.text.prepare(self.schema, self.real, renew="train" in wanted)
            self._keep_record()

    def documents(self, split: Split) -> Sequence[Document]:
        if self._is_real(split):
            if self.real is None:
                raise ValueError("there is nothing to test on. Remedy: name a corpus with --data.real")
            return list(self.real.documents(split))
        if self._written is None:
            # before a tenth is held back, which else might have none of those that can be used
            written = list(self.text.documents(self.schema, self.real))
            self._written = self.with_relations_known(written)
            self._keep_record()
        if self.validation == "real":
            return self._written
        train, val = hold_out(self._written, 0.1, self.seed)
        if not val:
            raise ValueError(
                f"{len(train)} documents are too few to hold a part of them back. Remedy: write more text"
            )
        return train if split == "train" else val

    def predict_documents(self) -> Iterable[Document]:
        return self.real.predict_documents() if self.real else self.documents("test")

    def read_from(self, split: Split) -> str:
        if self._is_real(split) and self.real is not None:
            return self.real.read_from(split)
        return self.text.origin(self.schema)

    def ignores_other_labels(self, split: Split) -> bool:
        if self._is_real(split) and self.real is not None:
            return self.real.ignores_other_labels(split)
        return super().ignores_other_labels(split)

    def _is_real(self, split: Split) -> bool:
        return split == "test" or (split == "val" and self.validation == "real")

    def _keep_record(self) -> None:
        if self.text.record:
            self.record["synthetic"] = self.text.record

"""Relation corpora in ten folds, as the authors of BioBERT prepared them (Lee et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from clinsynth.datamodules.base import Split
from clinsynth.datamodules.cuts import hold_out
from clinsynth.datamodules.published import PublishedCorpus, Source
from clinsynth.formats import relation_tsv
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

URL = "http://nlp.dmis.korea.edu/projects/biobert-2020-checkpoints/datasets.tar.gz"


class FoldedCorpus(PublishedCorpus):
    """A corpus of ten folds, each with a training and a test file.

    Args:
        schema: The task; with Gene, Disease and Association.
        root: See ``PublishedCorpus``.
        fold: From 1 to 10.
        val_fraction: Share of the training file that is held out for validation, drawn by ``seed``
            with as many related pairs as the rest.
        batch_tokens: See ``DocumentDataModule``.
        eval_batch_tokens: See ``DocumentDataModule``.
        fraction: See ``DocumentDataModule``.
        few_shot: See ``DocumentDataModule``.
        seed: See ``DocumentDataModule``.
    """

    homepage = "https://github.com/dmis-lab/biobert"
    archived_as: str

    def __init__(
        self,
        schema: Schema,
        root: str | None = None,
        fold: int = 1,
        val_fraction: float = 0.1,
        batch_tokens: int = 1280,
        eval_batch_tokens: int = 2048,
        fraction: float = 1.0,
        few_shot: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(schema, root, batch_tokens, eval_batch_tokens, fraction, few_shot, seed)
        if not 1 <= fold <= 10:
            raise ValueError(f"'fold' must be from 1 to 10, not {fold}")
        if not 0 < val_fraction < 1:
            raise ValueError(f"'val_fraction' must be above 0 and below 1, not {val_fraction}")
        self.fold = fold
        self.val_fraction = val_fraction

    def sources(self, split: Split) -> Mapping[str, Source]:
        file = f"{self.fold}/{'test' if split == 'test' else 'train'}.tsv"
        return {file: Source(URL, f"datasets/RE/{self.archived_as}/{file}")}

    def documents(self, split: Split) -> Iterator[Document]:
        documents = [d for path in self.located(split) for d in relation_tsv.read(path)]
        if split != "test":
            train, val = hold_out(documents, self.val_fraction, self.seed)
            documents = train if split == "train" else val
        yield from documents

"""Relation corpora in ten folds as training data."""

from __future__ import annotations

from typing import Any

from clinsynth.corpora.folds import FoldedCorpus
from clinsynth.datamodules.reading import CorpusDataModule
from clinsynth_onnx.schema import Schema


class FoldedDataModule(CorpusDataModule):
    """A corpus of ten folds, each with a training and a test file.

    Args:
        schema: The task; with Gene, Disease and Association.
        root: Folder of all corpora, with this one in a folder of its own name. Default: the
            environment variable CLINSYNTH_DATA, else "data". What is missing is downloaded there.
        fold: Number of the fold, from 1 to 10.
        val_fraction: Share of the training file that is held out for validation, drawn by ``seed``
            with as many related pairs as the rest.
        seed: Random seed of the documents held out for validation, and of the training documents that
            ``fraction`` or ``few_shot`` draws.
        settings: Options of ``DocumentDataModule``.
    """

    reader: type[FoldedCorpus]

    def __init__(
        self,
        schema: Schema,
        root: str | None = None,
        fold: int = 1,
        val_fraction: float = 0.1,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        super().__init__(schema, self.reader(root, fold, val_fraction, seed), seed=seed, **settings)

"""The corpus made from the Genetic Association Database as training data."""

from __future__ import annotations

from clinsynth import corpora
from clinsynth.datamodules.folds import FoldedDataModule


class GAD(FoldedDataModule):
    """Whether a sentence associates a gene with a disease; labels come from a database, not from reading."""

    reader = corpora.GAD

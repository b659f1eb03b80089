"""The EU-ADR corpus as training data."""

from __future__ import annotations

from clinsynth import corpora
from clinsynth.datamodules.folds import FoldedDataModule


class EUADR(FoldedDataModule):
    """Whether a sentence relates a gene or protein to a disease, as three annotators judged it."""

    reader = corpora.EUADR

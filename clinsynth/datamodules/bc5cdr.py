"""The BioCreative V corpus of chemical-disease relations as training data."""

from __future__ import annotations

from clinsynth import corpora
from clinsynth.datamodules.abstracts import AbstractsDataModule


class BC5CDR(AbstractsDataModule):
    """Chemicals, diseases and the diseases that chemicals induce (CID), in 1,500 PubMed abstracts."""

    reader = corpora.BC5CDR

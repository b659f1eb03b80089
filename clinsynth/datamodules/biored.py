"""The biomedical relation extraction dataset BioRED as training data."""

from __future__ import annotations

from clinsynth import corpora
from clinsynth.datamodules.abstracts import AbstractsDataModule


class BioRED(AbstractsDataModule):
    """Genes, diseases, chemicals, variants, species and cell lines, and eight relations, in 600 abstracts."""

    reader = corpora.BioRED

"""The biomedical relation extraction dataset BioRED (Luo et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from clinsynth.corpora.abstracts import AbstractsCorpus, FileFormat
from clinsynth.corpora.base import Split
from clinsynth.corpora.published import Published

NAMES: dict[Split, str] = {"train": "Train", "val": "Dev", "test": "Test"}


class BioRED(AbstractsCorpus):
    """Genes, diseases, chemicals, variants, species and cell lines, and eight relations, in 600 abstracts.

    Relations are stated between concepts, wherever in the abstract these are mentioned.
    """

    folder = "biored"
    homepage = "https://ftp.ncbi.nlm.nih.gov/pub/lu/BioRED/"
    published: ClassVar[Published] = {
        "train": {"documents": 400},
        "val": {"documents": 100},
        "test": {"documents": 100},
    }
    # Luo et al. 2022, of all splits together, as a data card on GitHub quotes them: the paper was not at hand
    published_whole: ClassVar[Mapping[str, int]] = {
        "documents": 600,
        "GeneOrGeneProduct": 6697,
        "DiseaseOrPhenotypicFeature": 5545,
        "ChemicalEntity": 4429,
        "SequenceVariant": 1381,
        "OrganismTaxon": 2192,
        "CellLine": 175,
        "relations": 6503,
    }
    url = f"{homepage}BIORED.zip"

    def file(self, split: Split, format: FileFormat) -> tuple[str, str]:
        name = f"{NAMES[split]}.{'PubTator' if format == 'pubtator' else 'BioC.XML'}"
        return name, f"BioRED/{name}"

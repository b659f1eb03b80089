"""The biomedical relation extraction dataset BioRED (Luo et al. 2022)."""

from __future__ import annotations

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
    # the authors (Luo et al. 2022) count all splits together; by split as public data cards of the same files
    # do, whose sums are the authors' counts
    published: ClassVar[Published] = {
        "train": {
            "documents": 400,
            "GeneOrGeneProduct": 4430,
            "DiseaseOrPhenotypicFeature": 3646,
            "ChemicalEntity": 2853,
            "OrganismTaxon": 1429,
            "SequenceVariant": 890,
            "CellLine": 103,
            "Association": 2192,
            "Positive_Correlation": 1089,
            "Negative_Correlation": 763,
            "Bind": 61,
            "Cotreatment": 31,
            "Comparison": 28,
            "Drug_Interaction": 11,
            "Conversion": 3,
        },
        "val": {
            "documents": 100,
            "GeneOrGeneProduct": 1087,
            "DiseaseOrPhenotypicFeature": 982,
            "ChemicalEntity": 822,
            "OrganismTaxon": 370,
            "SequenceVariant": 250,
            "CellLine": 22,
            "Association": 560,
            "Positive_Correlation": 352,
            "Negative_Correlation": 216,
            "Bind": 19,
            "Cotreatment": 10,
            "Comparison": 5,
            "Drug_Interaction": 0,
            "Conversion": 0,
        },
        "test": {
            "documents": 100,
            "GeneOrGeneProduct": 1180,
            "DiseaseOrPhenotypicFeature": 917,
            "ChemicalEntity": 754,
            "OrganismTaxon": 393,
            "SequenceVariant": 241,
            "CellLine": 50,
            "Association": 635,
            "Positive_Correlation": 325,
            "Negative_Correlation": 171,
            "Bind": 9,
            "Cotreatment": 14,
            "Comparison": 6,
            "Drug_Interaction": 2,
            "Conversion": 1,
        },
    }
    url = f"{homepage}BIORED.zip"

    def file(self, split: Split, format: FileFormat) -> tuple[str, str]:
        name = f"{NAMES[split]}.{'PubTator' if format == 'pubtator' else 'BioC.XML'}"
        return name, f"BioRED/{name}"

"""The biomedical relation extraction dataset BioRED (Luo et al. 2022)."""

from __future__ import annotations

from typing import ClassVar

from clinsynth.corpora.abstracts import AbstractsCorpus, FileFormat
from clinsynth.corpora.base import Split
from clinsynth.corpora.published import Published

NAMES: dict[Split, str] = {"train": "Train", "val": "Dev", "test": "Test"}
LABELS = (
    "GeneOrGeneProduct",
    "DiseaseOrPhenotypicFeature",
    "ChemicalEntity",
    "SequenceVariant",
    "OrganismTaxon",
    "CellLine",
)


def counts(documents: int, mentions: tuple[int, ...], relations: int) -> dict[str, int]:
    """What the authors count in a split: mentions of each of ``LABELS``, relations of all types."""
    return {"documents": documents, **dict(zip(LABELS, mentions, strict=True)), "relations": relations}


class BioRED(AbstractsCorpus):
    """Genes, diseases, chemicals, variants, species and cell lines, and eight relations, in 600 abstracts.

    Relations are stated between concepts, wherever in the abstract these are mentioned.
    """

    folder = "biored"
    homepage = "https://ftp.ncbi.nlm.nih.gov/pub/lu/BioRED/"
    published: ClassVar[Published] = {
        "train": counts(400, (4430, 3646, 2853, 890, 1429, 103), 4178),
        "val": counts(100, (1087, 982, 822, 250, 370, 22), 1162),
        "test": counts(100, (1180, 917, 754, 241, 393, 50), 1163),
    }
    url = f"{homepage}BIORED.zip"

    def file(self, split: Split, format: FileFormat) -> tuple[str, str]:
        name = f"{NAMES[split]}.{'PubTator' if format == 'pubtator' else 'BioC.XML'}"
        return name, f"BioRED/{name}"

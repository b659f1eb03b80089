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
    # the authors' counts by split were not at hand: what is counted here is not what they published
    published: ClassVar[Published] = {
        "train": {"documents": 400},
        "val": {"documents": 100},
        "test": {"documents": 100},
    }
    url = f"{homepage}BIORED.zip"

    def file(self, split: Split, format: FileFormat) -> tuple[str, str]:
        name = f"{NAMES[split]}.{'PubTator' if format == 'pubtator' else 'BioC.XML'}"
        return name, f"BioRED/{name}"

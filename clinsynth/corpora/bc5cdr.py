"""The BioCreative V corpus of chemical-disease relations (Li et al. 2016)."""

from __future__ import annotations

from typing import ClassVar

from clinsynth.corpora.abstracts import AbstractsCorpus, FileFormat
from clinsynth.corpora.base import Split
from clinsynth.corpora.published import Published

NAMES: dict[Split, str] = {"train": "Training", "val": "Development", "test": "Test"}


class BC5CDR(AbstractsCorpus):
    """Chemicals, diseases and the diseases that chemicals induce (CID), in 1,500 PubMed abstracts."""

    folder = "bc5cdr"
    homepage = "https://biocreative.bioinformatics.udel.edu/tasks/biocreative-v/track-3-cdr/"
    published: ClassVar[Published] = {
        "train": {"documents": 500, "Chemical": 5203, "Disease": 4182, "CID": 1038},
        "val": {"documents": 500, "Chemical": 5347, "Disease": 4244, "CID": 1012},
        "test": {"documents": 500, "Chemical": 5385, "Disease": 4424, "CID": 1066},
    }
    url = "https://biocreative.bioinformatics.udel.edu/media/store/files/2016/CDR_Data.zip"

    def file(self, split: Split, format: FileFormat) -> tuple[str, str]:
        name = f"CDR_{NAMES[split]}Set.{'PubTator.txt' if format == 'pubtator' else 'BioC.xml'}"
        return name, f"CDR_Data/CDR.Corpus.v010516/{name}"

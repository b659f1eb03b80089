"""The BioCreative V corpus of chemical-disease relations (Li et al. 2016)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from clinsynth.corpora.base import Split
from clinsynth.corpora.published import Published, PublishedCorpus, Source
from clinsynth.corpora.splits import hold_out
from clinsynth.formats import registry
from clinsynth_onnx.document import Document

PARTS: dict[Split, str] = {"train": "Training", "val": "Development", "test": "Test"}

FileFormat = Literal["pubtator", "bioc"]
TestPart = Literal["test", "development"]


class BC5CDR(PublishedCorpus):
    """Chemicals, diseases and the diseases that chemicals induce (CID), in 1,500 PubMed abstracts.

    Args:
        root: Folder of all corpora, with this one in ``bc5cdr``. Default: the environment variable
            CLINSYNTH_DATA, else "data". What is missing is downloaded there.
        format: Files of the corpus to read, those in PubTator's format or those in BioC XML.
        test_on: Part to test on. With ``development`` a tenth of the training part, drawn by ``seed``, is
            for validation; for machines without the test file.
        seed: Random seed of that draw.
    """

    folder = "bc5cdr"
    homepage = "https://biocreative.bioinformatics.udel.edu/tasks/biocreative-v/track-3-cdr/"
    published: ClassVar[Published] = {
        "train": {"documents": 500, "Chemical": 5203, "Disease": 4182, "CID": 1038},
        "val": {"documents": 500, "Chemical": 5347, "Disease": 4244, "CID": 1012},
        "test": {"documents": 500, "Chemical": 5385, "Disease": 4424, "CID": 1066},
    }
    url = "https://biocreative.bioinformatics.udel.edu/media/store/files/2016/CDR_Data.zip"

    def __init__(
        self,
        root: str | None = None,
        format: FileFormat = "pubtator",
        test_on: TestPart = "test",
        seed: int = 0,
    ) -> None:
        super().__init__(root)
        self.format = format
        self.test_on = test_on
        self.seed = seed

    def sources(self, split: Split) -> Mapping[str, Source]:
        part = PARTS[split]
        if self.test_on == "development":
            part = PARTS["val"] if split == "test" else PARTS["train"]
        file = f"CDR_{part}Set.{'PubTator.txt' if self.format == 'pubtator' else 'BioC.xml'}"
        return {file: Source(self.url, f"CDR_Data/CDR.Corpus.v010516/{file}")}

    def documents(self, split: Split) -> Iterator[Document]:
        format = "pubtator" if self.format == "pubtator" else "bioc-xml"
        documents = [document for path in self.located(split) for document in registry.read(path, format)]
        if self.test_on == "development" and split != "test":
            train, val = hold_out(documents, 0.1, self.seed)
            documents = train if split == "train" else val
        yield from documents

"""Corpora of PubMed abstracts in three files, each in PubTator's format and in BioC."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Literal

from clinsynth.corpora.base import Split
from clinsynth.corpora.published import PublishedCorpus, Source
from clinsynth.corpora.splits import cut_training_split
from clinsynth.formats import registry
from clinsynth_onnx.document import Document

FileFormat = Literal["pubtator", "bioc"]
TestPart = Literal["test", "development"]


class AbstractsCorpus(PublishedCorpus):
    """A corpus with a training, a development and a test file.

    Args:
        root: Folder of all corpora, with this one in a folder of its own name. Default: the
            environment variable CLINSYNTH_DATA, else "data". What is missing is downloaded there.
        format: Files of the corpus to read, those in PubTator's format or those in BioC XML.
        test_on: Split to test on. With ``development`` a tenth of the training split, drawn by ``seed``, is
            for validation; for machines without the test file.
        seed: Random seed of the training documents that are held out for validation.
    """

    url: str

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

    @abstractmethod
    def file(self, split: Split, format: FileFormat) -> tuple[str, str]:
        """Name of the file of a split, and its path in the archive at ``url``."""

    def sources(self, split: Split) -> Mapping[str, Source]:
        read = split
        if self.test_on == "development":
            read = "val" if split == "test" else "train"
        name, member = self.file(read, self.format)
        return {name: Source(self.url, member)}

    def documents(self, split: Split) -> Iterator[Document]:
        format = "pubtator" if self.format == "pubtator" else "bioc-xml"
        documents = [document for path in self.located(split) for document in registry.read(path, format)]
        if self.test_on == "development" and split != "test":
            documents = cut_training_split(documents, split, 0.1, self.seed)
        yield from documents

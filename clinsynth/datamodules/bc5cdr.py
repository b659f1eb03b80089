"""The BioCreative V corpus of chemical-disease relations (Li et al. 2016)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from clinsynth.datamodules.base import Split
from clinsynth.datamodules.cuts import hold_out
from clinsynth.datamodules.published import Published, PublishedCorpus, Source
from clinsynth.formats import bioc_files, pubtator
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

PARTS: dict[Split, str] = {"train": "Training", "val": "Development", "test": "Test"}


class BC5CDR(PublishedCorpus):
    """Chemicals, diseases and the diseases that chemicals induce (CID), in 1,500 PubMed abstracts.

    Args:
        schema: The task; with Chemical, Disease or both.
        root: See ``PublishedCorpus``.
        format: Which of the corpus's files to read.
        test_on: ``development`` tests on the development part; validation is then a tenth of the
            training part, drawn by ``seed``. For machines without the test file.
        batch_tokens: See ``DocumentDataModule``.
        eval_batch_tokens: See ``DocumentDataModule``.
        fraction: See ``DocumentDataModule``.
        few_shot: See ``DocumentDataModule``.
        seed: See ``DocumentDataModule``.
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
        schema: Schema,
        root: str | None = None,
        format: Literal["pubtator", "bioc"] = "pubtator",
        test_on: Literal["test", "development"] = "test",
        batch_tokens: int = 1280,
        eval_batch_tokens: int = 2048,
        fraction: float = 1.0,
        few_shot: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(schema, root, batch_tokens, eval_batch_tokens, fraction, few_shot, seed)
        self.format = format
        self.test_on = test_on

    def sources(self, split: Split) -> Mapping[str, Source]:
        part = PARTS[split]
        if self.test_on == "development":
            part = PARTS["val"] if split == "test" else PARTS["train"]
        file = f"CDR_{part}Set.{'PubTator.txt' if self.format == 'pubtator' else 'BioC.xml'}"
        return {file: Source(self.url, f"CDR_Data/CDR.Corpus.v010516/{file}")}

    def documents(self, split: Split) -> Iterator[Document]:
        read = pubtator.read if self.format == "pubtator" else bioc_files.read_xml
        documents = [document for path in self.located(split) for document in read(path)]
        if self.test_on == "development" and split != "test":
            train, val = hold_out(documents, 0.1, self.seed)
            documents = train if split == "train" else val
        yield from documents

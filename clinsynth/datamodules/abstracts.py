"""Corpora of PubMed abstracts as training data."""

from __future__ import annotations

from typing import Any

from clinsynth.corpora.abstracts import AbstractsCorpus, FileFormat, TestPart
from clinsynth.datamodules.reading import CorpusDataModule
from clinsynth_onnx.schema import Schema


class AbstractsDataModule(CorpusDataModule):
    """A corpus with a training, a development and a test file.

    Args:
        schema: The task; with some of the corpus's labels.
        root: Folder of all corpora, with this one in a folder of its own name. Default: the
            environment variable CLINSYNTH_DATA, else "data". What is missing is downloaded there.
        format: Files of the corpus to read, those in PubTator's format or those in BioC XML.
        test_on: Split to test on. With ``development`` a tenth of the training split, drawn by ``seed``, is
            for validation; for machines without the test file.
        seed: Random seed of the tenth held out for validation, and of the training documents that
            ``fraction`` or ``few_shot`` draws.
        settings: Options of ``DocumentDataModule``.
    """

    reader: type[AbstractsCorpus]

    def __init__(
        self,
        schema: Schema,
        root: str | None = None,
        format: FileFormat = "pubtator",
        test_on: TestPart = "test",
        seed: int = 0,
        **settings: Any,
    ) -> None:
        super().__init__(schema, self.reader(root, format, test_on, seed), seed=seed, **settings)

"""The NCBI Disease corpus as training data."""

from __future__ import annotations

from typing import Any

from clinsynth import corpora
from clinsynth.datamodules.reading import CorpusDataModule
from clinsynth_onnx.schema import Schema


class NCBIDisease(CorpusDataModule):
    """Diseases in 793 PubMed abstracts; the corpus's four kinds of mention are one label, Disease.

    Args:
        schema: The task; with Disease.
        root: Folder of all corpora, with this one in ``ncbi_disease``. Default: the environment variable
            CLINSYNTH_DATA, else "data". What is missing is downloaded there.
        settings: Options of ``DocumentDataModule``.
    """

    def __init__(self, schema: Schema, root: str | None = None, **settings: Any) -> None:
        super().__init__(schema, corpora.NCBIDisease(root), **settings)

"""Relation corpora in ten folds, as the authors of BioBERT prepared them (Lee et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from clinsynth.corpora.base import Split
from clinsynth.corpora.published import PublishedCorpus, Source
from clinsynth.corpora.splits import cut_training_split
from clinsynth.formats import relation_tsv
from clinsynth_onnx.document import Document

URL = "http://nlp.dmis.korea.edu/projects/biobert-2020-checkpoints/datasets.tar.gz"


class FoldedCorpus(PublishedCorpus):
    """A corpus of ten folds, each with a training and a test file.

    Args:
        root: Folder of all corpora, with this one in a folder of its own name. Default: the
            environment variable CLINSYNTH_DATA, else "data". What is missing is downloaded there.
        fold: Number of the fold, from 1 to 10.
        val_fraction: Share of the training file that is held out for validation, drawn by ``seed``
            with as many related pairs as the rest.
        seed: Random seed of the training documents that are held out for validation.
    """

    homepage = "https://github.com/dmis-lab/biobert"
    archived_as: str

    def __init__(
        self, root: str | None = None, fold: int = 1, val_fraction: float = 0.1, seed: int = 0
    ) -> None:
        super().__init__(root)
        if not 1 <= fold <= 10:
            raise ValueError(f"'fold' must be from 1 to 10, not {fold}")
        if not 0 < val_fraction < 1:
            raise ValueError(f"'val_fraction' must be above 0 and below 1, not {val_fraction}")
        self.fold = fold
        self.val_fraction = val_fraction
        self.seed = seed

    def sources(self, split: Split) -> Mapping[str, Source]:
        file = f"{self.fold}/{'test' if split == 'test' else 'train'}.tsv"
        return {file: Source(URL, f"datasets/RE/{self.archived_as}/{file}")}

    def documents(self, split: Split) -> Iterator[Document]:
        documents = [document for path in self.located(split) for document in relation_tsv.read(path)]
        if split != "test":
            documents = cut_training_split(documents, split, self.val_fraction, self.seed)
        yield from documents

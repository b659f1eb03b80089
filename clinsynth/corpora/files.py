"""Any corpus in a format that clinsynth knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from clinsynth.corpora.base import Corpus, Split
from clinsynth.corpora.splits import cut_training_split
from clinsynth.formats import registry
from clinsynth.formats.options import NO_OPTIONS, ReadingOptions
from clinsynth.formats.registry import FormatName
from clinsynth_onnx.document import Document


class Files(Corpus):
    """Files or folders of your own.

    Args:
        train: Training documents, a file or a folder; needed by ``fit``.
        val: Validation documents. Without it a tenth of ``train`` is held out, drawn by ``seed``.
        test: Test documents; needed by ``test``.
        predict: Documents that ``predict`` reads, e.g. a folder of ``.txt`` files; ``test`` if not given.
        format: Format of the files; told from each file if not given.
        labels: What the task calls each entity label of the files; as in the files if not given.
        seed: Random seed of the tenth that is held out.
        reading: What the files do not say of themselves, e.g. the label of tags that are B, I and O alone.
    """

    def __init__(
        self,
        train: str | None = None,
        val: str | None = None,
        test: str | None = None,
        predict: str | None = None,
        format: FormatName | None = None,
        labels: dict[str, str] | None = None,
        seed: int = 0,
        reading: ReadingOptions | None = None,
    ) -> None:
        self.paths = {"train": train, "val": val, "test": test, "predict": predict}
        if format is not None:
            registry.get_format(format)
        self.format = format
        self.labels = labels
        self.seed = seed
        self.reading = reading or NO_OPTIONS

    def documents(self, split: Split) -> Iterator[Document]:
        if split == "test" or self.paths["val"]:
            yield from self._read(split)
            return
        yield from cut_training_split(list(self._read("train")), split, 0.1, self.seed)

    def predict_documents(self) -> Iterator[Document]:
        return self._read("predict" if self.paths["predict"] else "test")

    def read_from(self, split: Split) -> str:
        path = self._path("train" if split == "val" and not self.paths["val"] else split)
        return f"{path} as {self.format or registry.detect(path)}"

    def _path(self, split: str) -> Path:
        path = self.paths[split]
        if path is None:
            raise ValueError(f"there are no files to {split} with. Remedy: name them with --data.{split}")
        return Path(path)

    def _read(self, split: str) -> Iterator[Document]:
        for document in registry.read(self._path(split), self.format, self.reading):
            yield document.relabelled(self.labels) if self.labels else document

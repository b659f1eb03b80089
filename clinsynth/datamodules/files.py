"""Any corpus in a format that clinsynth knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from clinsynth.datamodules.base import DocumentDataModule, Split
from clinsynth.datamodules.cuts import hold_out
from clinsynth.formats import registry
from clinsynth.formats.options import NO_OPTIONS, ReadingOptions
from clinsynth.formats.pubtator import relabel
from clinsynth.formats.registry import FormatName
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema


class Files(DocumentDataModule):
    """Files or folders of your own.

    Args:
        schema: The task; documents keep the entities that it knows.
        train: Training documents; needed by ``fit``.
        val: Validation documents. Without it a tenth of ``train`` is held out, drawn by ``seed``.
        test: Test documents; needed by ``test``.
        predict: What ``predict`` reads, e.g. a folder of ``.txt`` files; ``test`` if not given.
        format: Format of the files. Told from them if not given.
        labels: What the task calls each entity label of the files; as in the files if not given.
        batch_tokens: See ``DocumentDataModule``.
        eval_batch_tokens: See ``DocumentDataModule``.
        fraction: See ``DocumentDataModule``.
        few_shot: See ``DocumentDataModule``.
        seed: See ``DocumentDataModule``.
        reading: What the files do not say of themselves, e.g. the label of tags that are B, I and O alone.
    """

    def __init__(
        self,
        schema: Schema,
        train: str | None = None,
        val: str | None = None,
        test: str | None = None,
        predict: str | None = None,
        format: FormatName | None = None,
        labels: dict[str, str] | None = None,
        batch_tokens: int = 1280,
        eval_batch_tokens: int = 2048,
        fraction: float = 1.0,
        few_shot: int | None = None,
        seed: int = 0,
        reading: ReadingOptions | None = None,
    ) -> None:
        super().__init__(schema, batch_tokens, eval_batch_tokens, fraction, few_shot, seed)
        self.paths = {"train": train, "val": val, "test": test, "predict": predict}
        if format is not None:
            registry.named(format)
        self.format = format
        self.labels = labels
        self.reading = reading or NO_OPTIONS

    def documents(self, split: Split) -> Iterator[Document]:
        if split == "test" or self.paths["val"]:
            yield from self._read(split)
            return
        train, val = hold_out(list(self._read("train")), 0.1, self.seed)
        yield from train if split == "train" else val

    def predict_documents(self) -> Iterator[Document]:
        return self._read("predict" if self.paths["predict"] else "test")

    def _read(self, part: str) -> Iterator[Document]:
        path = self.paths[part]
        if path is None:
            raise ValueError(f"there are no files to {part} with. Remedy: name them with --data.{part}")
        for document in registry.read(Path(path), self.format, self.reading):
            yield relabel(document, self.labels) if self.labels else document

"""Files of any known format as training data."""

from __future__ import annotations

from typing import Any

from clinsynth import corpora
from clinsynth.datamodules.reading import CorpusDataModule
from clinsynth.formats.options import ReadingOptions
from clinsynth.formats.registry import FormatName
from clinsynth_onnx.schema import Schema


class Files(CorpusDataModule):
    """Files or folders of your own.

    Args:
        schema: The task.
        train: Training documents, a file or a folder; needed by ``fit``.
        val: Validation documents. Without it a tenth of ``train`` is held out, drawn by ``seed``.
        test: Test documents; needed by ``test``.
        predict: Documents that ``predict`` reads, e.g. a folder of ``.txt`` files; ``test`` if not given.
        format: Format of the files; told from each file if not given.
        labels: What the task calls each entity label of the files; as in the files if not given.
        seed: Random seed of the tenth that is held out, and of the training documents that ``fraction`` or
            ``few_shot`` draws.
        reading: What the files do not say of themselves, e.g. the label of tags that are B, I and O alone.
        settings: Options of ``DocumentDataModule``.
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
        seed: int = 0,
        reading: ReadingOptions | None = None,
        **settings: Any,
    ) -> None:
        corpus = corpora.Files(train, val, test, predict, format, labels, seed, reading)
        super().__init__(schema, corpus, seed=seed, **settings)

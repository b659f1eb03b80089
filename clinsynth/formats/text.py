"""Plain text to be read by a model: one document a ``.txt`` file, or every such file in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from clinsynth.formats.errors import CorpusError
from clinsynth.formats.lines import read_text
from clinsynth_onnx.document import Document


def read(path: Path) -> Iterator[Document]:
    """Documents named after their files, in the order of the names."""
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    if not files:
        raise CorpusError(path, None, "there is no .txt file in the folder", "check the path")
    for file in files:
        yield Document(read_text(file).removeprefix("\ufeff"), id=file.stem)

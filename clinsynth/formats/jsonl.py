"""Our own format: one ``Document`` a line, as ``Document.to_json`` makes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from clinsynth.formats.errors import CorpusError
from clinsynth.formats.lines import read_lines
from clinsynth_onnx.document import Document
from clinsynth_onnx.files import json_line


def read(path: Path) -> Iterator[Document]:
    """Documents line by line; empty lines are passed over. Raises ``CorpusError``."""
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise CorpusError(
                path, number, f"the line is not JSON ({error.msg})", "is the file cut off? get it again"
            ) from error
        if not isinstance(value, dict):
            raise CorpusError(path, number, "the line is not a JSON object", "write one document a line")
        if "passages" in value and "text" not in value:
            raise CorpusError(path, number, "the line is a BioC document", "name the format bioc-json")
        try:
            yield Document.from_json(value)
        except ValueError as error:
            raise CorpusError(
                path, number, str(error), "correct the line; docs/formats.md shows one"
            ) from error


def dumps(document: Document) -> str:
    """A line; numbers, labels and text are kept to the last bit."""
    return json_line(document.to_json())


def write(path: Path, documents: Iterable[Document]) -> None:
    """One document a line; see ``dumps``."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(dumps(document) for document in documents)

"""From annotated documents to the format that was asked for, one document at a time."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, cast, get_args

from clinsynth.annotating import page, table_sink
from clinsynth.annotating.rows import Columns
from clinsynth.formats import registry
from clinsynth.formats.errors import UnwritableError
from clinsynth.formats.writing import Folder, Stream, Whole
from clinsynth_onnx.document import Document

JSONL = "jsonl"
HTML = "html"
OutputName = Literal["html", table_sink.TableName, registry.WritableName]
TABLES = get_args(table_sink.TableName)
ENDINGS = {
    **{ending: name for name in registry.FORMATS for ending in registry.get_format(name).suffixes},
    **{f".{name}": name for name in TABLES},
    ".html": HTML,
    ".htm": HTML,
}

# what writers raise on a document that they have no place for, e.g. with meta that is not what they expect
UNWRITABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)

Refuse = Callable[[Document, str], None]


def format_of(output: str, name: OutputName | None) -> OutputName:
    """The name of the output format. Raises ``ValueError`` that lists them."""
    found = name or ENDINGS.get(Path(output).suffix.lower())
    if found is None:
        known = ", ".join(get_args(OutputName))
        raise ValueError(
            f"the ending of {output} tells no format. Remedy: name one with --output_format: {known}"
        )
    table_sink.check_installed(found)
    if found in registry.FORMATS and found != JSONL:
        # that its library is not installed is to be told now, not at the end
        with tempfile.TemporaryDirectory() as scratch:
            registry.write(Path(scratch) / "tried", [Document("x", id="1")], found)
    return found


def read_back(path: Path) -> Iterator[Document]:
    """The annotated documents of a journal."""
    with path.open(encoding="utf-8", newline="\n") as stream:
        for text in stream:
            yield Document.from_json(json.loads(text))


def write(source: Path, folder: Path, name: OutputName, columns: Columns, refuse: Refuse) -> Path:
    """Brings the documents of ``source`` into a format; returns where in ``folder`` the result is.

    ``columns`` says what a table calls text and id. ``refuse`` is told of each document that the format
    cannot hold, and why.
    """
    if name == "jsonl":
        return source
    result = folder / "result"
    if result.is_dir():  # of a run that was stopped here
        shutil.rmtree(result)
    result.unlink(missing_ok=True)
    if name == "html":
        page.write(result, lambda: read_back(source))
    elif name in TABLES:
        table = cast(table_sink.TableName, name)
        table_sink.write(table, result, lambda: read_back(source), columns, refuse)
    else:
        _corpus(source, name, result, refuse)
    return result


def _corpus(source: Path, name: str, result: Path, refuse: Refuse) -> None:
    """Writes what can be read back; a document that cannot is refused."""
    writing = registry.get_format(name).writing
    with tempfile.TemporaryDirectory(dir=result.parent) as scratch:
        single = Path(scratch) / "single"
        if isinstance(writing, Stream):
            _stream(read_back(source), name, writing, result, single, refuse)
        elif isinstance(writing, Folder):
            _folder(read_back(source), name, writing, result, single, refuse)
        elif writing is not None:
            writing.write(result, _sound(read_back(source), name, writing, single, refuse))


def _stream(
    documents: Iterator[Document], name: str, stream: Stream, result: Path, single: Path, refuse: Refuse
) -> None:
    separator = b""
    with result.open("wb") as file:
        file.write(stream.head.encode("utf-8"))
        for document in documents:
            try:
                piece = stream.encoded(document)
                single.write_bytes(stream.around(piece))
                registry.compare([document], single, name)
            except UNWRITABLE as error:
                refuse(document, _problem(error))
                continue
            file.write(separator + piece)
            separator = stream.separator.encode("utf-8")
        file.write(stream.tail.encode("utf-8"))


def _folder(
    documents: Iterator[Document], name: str, folder: Folder, result: Path, single: Path, refuse: Refuse
) -> None:
    folder.write(result, ())
    for document in _sound(documents, name, folder, single, refuse):
        try:
            folder.add(result, document)
        except UNWRITABLE as error:
            refuse(document, _problem(error))


def _sound(
    documents: Iterator[Document], name: str, writing: Folder | Whole, single: Path, refuse: Refuse
) -> Iterator[Document]:
    """Those that are the same when written alone and read back."""
    for document in documents:
        try:
            writing.write(single, [document])
            registry.compare([document], single, name)
        except UNWRITABLE as error:
            refuse(document, _problem(error))
        else:
            yield document
        finally:
            if single.is_dir():
                shutil.rmtree(single)
            single.unlink(missing_ok=True)


def _problem(error: Exception) -> str:
    """Without words of other libraries, which may quote the text."""
    if isinstance(error, UnwritableError):
        return error.problem
    return f"it cannot be written ({type(error).__name__})"

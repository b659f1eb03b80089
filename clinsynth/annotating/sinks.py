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
from clinsynth_onnx.document import Document
from clinsynth_onnx.files import json_line

OutputName = Literal[
    "jsonl",
    "html",
    "csv",
    "tsv",
    "parquet",
    "pubtator",
    "brat",
    "bioc-xml",
    "bioc-json",
    "iob1",
    "iob2",
    "iobes",
]
TABLES = get_args(table_sink.TableName)
ENDINGS: dict[str, OutputName] = {
    ".jsonl": "jsonl",
    ".html": "html",
    ".htm": "html",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pubtator": "pubtator",
    ".conll": "iob2",
    ".iob2": "iob2",
    ".xml": "bioc-xml",
    ".json": "bioc-json",
}
XML_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<collection><source/><date/><key/>\n'

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
    if name == "html":
        page.write(result, lambda: read_back(source))
    elif name in TABLES:
        table = cast(table_sink.TableName, name)
        table_sink.write(table, result, lambda: read_back(source), columns, refuse)
    elif name == "brat":
        _brat(read_back(source), result, refuse)
    else:
        with result.open("wb") as stream, tempfile.TemporaryDirectory(dir=folder) as drafts:
            for piece in _pieces(source, name, Path(drafts) / "single", refuse):
                stream.write(piece)
    return result


def _pieces(source: Path, name: str, single: Path, refuse: Refuse) -> Iterator[bytes]:
    if name == "bioc-xml":
        yield XML_HEAD.encode("ascii")
    elif name == "bioc-json":
        yield b'{"source": "", "date": "", "key": "", "infons": {}, "documents": [\n'
    first = True
    for document in read_back(source):
        try:
            _checked(single, document, name)
            if name == "bioc-xml":
                piece = _xml_document(single) + b"\n"
            elif name == "bioc-json":
                value = json.loads(single.read_text(encoding="utf-8"))["documents"][0]
                piece = (b"" if first else b",\n") + json_line(value).rstrip("\n").encode("utf-8")
            else:
                piece = single.read_bytes()
        except UNWRITABLE as error:
            refuse(document, _problem(error))
            continue
        yield piece
        first = False
    if name == "bioc-xml":
        yield b"</collection>\n"
    elif name == "bioc-json":
        yield b"\n]}\n"


def _problem(error: Exception) -> str:
    """Without words of other libraries, which may quote the text."""
    if isinstance(error, UnwritableError):
        return error.problem
    return f"it cannot be written ({type(error).__name__})"


def _checked(path: Path, document: Document, name: str) -> None:
    """Writes one document and reads it back; raises ``UnwritableError`` if it is not the same."""
    path.unlink(missing_ok=True)
    registry.write(path, [document], name)


def _xml_document(path: Path) -> bytes:
    from lxml import etree

    node = etree.parse(path).find("document")
    node.tail = None
    return bytes(etree.tostring(node, encoding="utf-8"))


def _brat(documents: Iterator[Document], draft: Path, refuse: Refuse) -> None:
    draft.mkdir()
    single = draft.with_name("single")
    shutil.rmtree(single, ignore_errors=True)
    for document in documents:
        try:
            registry.write(single, [document], "brat")
        except UNWRITABLE as error:
            refuse(document, _problem(error))
            continue
        files = list(single.iterdir())
        if any((draft / file.name).exists() for file in files):
            refuse(document, "another document has the same id, and brat names files after ids")
        else:
            for file in files:
                file.rename(draft / file.name)
        shutil.rmtree(single)

"""The corpus formats by name; reading in the one that a file is in; writing that checks itself."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

from clinsynth.formats import (
    brat,
    brat_writer,
    conll,
    conll_writer,
    doccano,
    jsonl,
    label_studio,
    pubtator,
    relation_tsv,
    text,
)
from clinsynth.formats.detection import detected
from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth.formats.extras import from_extra
from clinsynth.formats.format import Format
from clinsynth.formats.options import NO_OPTIONS, ReadingOptions
from clinsynth.formats.writing import Folder, Stream, Whole
from clinsynth_onnx.document import Document

log = logging.getLogger("clinsynth")

WritableName = Literal[
    "jsonl",
    "pubtator",
    "bioc-xml",
    "bioc-json",
    "brat",
    "xmi",
    "iob1",
    "iob2",
    "iobes",
    "relation-tsv",
    "label-studio",
    "doccano",
    "spacy",
]
FormatName = Literal[WritableName, "text"]

BIOC_XML_HEAD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
    "<collection>\n<source></source>\n<date></date>\n<key></key>\n"
)
BIOC_JSON_HEAD = '{"source": "", "date": "", "key": "", "infons": {}, "documents": [\n'
COLUMNS = ("label", "token_column", "tag_column")

FORMATS: dict[str, Format] = {
    "jsonl": Format(jsonl.read, Stream(jsonl.dumps), (".jsonl",)),
    "pubtator": Format(pubtator.read, Stream(pubtator.dumps), (".pubtator",)),
    "bioc-xml": Format(
        from_extra("bioc", "bioc_files", "read_xml"),
        Stream(from_extra("bioc", "bioc_files", "dumps_xml"), BIOC_XML_HEAD, "", "</collection>\n"),
        (".xml",),
    ),
    "bioc-json": Format(
        from_extra("bioc", "bioc_files", "read_json"),
        Stream(from_extra("bioc", "bioc_files", "dumps_json"), BIOC_JSON_HEAD, ",\n", "\n]}\n"),
        (".json",),
    ),
    "brat": Format(brat.read, Folder(brat_writer.files)),
    "xmi": Format(
        from_extra("xmi", "xmi_reader", "read"),
        Folder(from_extra("xmi", "xmi_writer", "files"), from_extra("xmi", "xmi_writer", "shared")),
        (".xmi",),
        ("layer", "feature"),
    ),
    "iob1": Format(conll.read, Stream(conll_writer.dumps_iob), options=COLUMNS),
    "iob2": Format(
        conll.read, Stream(conll_writer.dumps), (".conll", ".iob", ".iob2", ".bio"), options=COLUMNS
    ),
    "iobes": Format(conll.read, Stream(conll_writer.dumps_iobes), (".iobes",), options=COLUMNS),
    "relation-tsv": Format(
        relation_tsv.read, Stream(relation_tsv.dumps, head=relation_tsv.HEAD_LINE), (".tsv",)
    ),
    "label-studio": Format(label_studio.read, Stream(label_studio.dumps, "[\n", ",\n", "\n]\n")),
    "doccano": Format(doccano.read, Whole(doccano.write)),
    "spacy": Format(
        from_extra("spacy", "spacy_files", "read"),
        Whole(from_extra("spacy", "spacy_files", "write")),
        (".spacy",),
        ("layer",),
    ),
    "text": Format(text.read, None),
}
assert tuple(FORMATS) == get_args(FormatName)


def get_format(name: str) -> Format:
    """The format called so. Raises ``ValueError`` that lists them."""
    if name not in FORMATS:
        raise ValueError(f"there is no corpus format {name!r}. Remedy: use one of {', '.join(FORMATS)}")
    return FORMATS[name]


def seems(path: Path) -> str | None:
    """As ``detect``, but ``None`` if neither ending nor first lines tell.

    Raises ``CorpusError`` if the first lines cannot be read.
    """
    return detected(path, {suffix: name for name, known in FORMATS.items() for suffix in known.suffixes})


def detect(path: Path) -> str:
    """The name of the format that a file or folder is in, by its ending and its first lines.

    The ending before ``.gz`` counts.

    Raises ``CorpusError`` if that does not tell.
    """
    name = seems(path)
    if name is None:
        raise CorpusError(
            path, None, "its ending does not tell its format", f"name the format, one of {', '.join(FORMATS)}"
        )
    return name


def read(path: Path, name: str | None = None, options: ReadingOptions = NO_OPTIONS) -> Iterator[Document]:
    """Documents of a file or folder in the named format, or the one it seems to be in.

    Raises ``ValueError`` on an option that the format does not have.
    """
    found = name or detect(path)
    form = get_format(found)
    given = options.given()
    for option in given.keys() - set(form.options):
        users = ", ".join(name for name, known in FORMATS.items() if option in known.options)
        raise ValueError(
            f"{path} is read as {found}, where the option {option} means nothing. "
            f"Remedy: leave it out, or name the format of the file; it is for {users}"
        )
    return form.read(path, **given)


def write(path: Path, documents: Iterable[Document], name: str) -> list[str]:
    """Writes documents so that reading gives them back, or leaves nothing behind.

    What was written is read again and compared: text, entities, relations and id have to be the
    same. Returns the ids of documents whose ``meta`` the format does not keep whole. Raises
    ``UnwritableError`` on a difference, ``FileExistsError`` if ``path`` is there already.
    """
    writing = get_format(name).writing
    if writing is None:
        raise ValueError(f"the format {name!r} is only read. Remedy: write another one")
    if path.exists():
        raise FileExistsError(f"{path} exists already. Remedy: remove it, or write elsewhere")
    documents = list(documents)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        draft = Path(folder) / path.name
        writing.write(draft, documents)
        changed = compare(documents, draft, name)
        shutil.move(draft, path)
    return changed


def compare(documents: Sequence[Document], path: Path, name: str) -> list[str]:
    """Reads what was written and compares; returns the ids of documents whose ``meta`` is not whole.

    Raises ``UnwritableError`` if text, entities, relations or id of a document are not the same.
    """
    with _told_nothing():  # what a reader tells of a file has no news for its writer
        back = list(get_format(name).read(path)) if documents else []
    if len(back) != len(documents):
        problem = f"{len(documents)} documents were written, {len(back)} were read back"
        raise UnwritableError(documents[0].id if documents else "", problem)
    if isinstance(get_format(name).writing, Folder):  # its files have the order of their names
        documents = sorted(documents, key=lambda document: document.id)
        back.sort(key=lambda document: document.id)
    changed = []
    for before, after in zip(documents, back, strict=True):
        for field in ("id", "text", "entities", "relations"):
            if getattr(before, field) != getattr(after, field):
                raise UnwritableError(before.id, f"the format cannot hold its {field} unchanged")
        if any(after.meta.get(key) != value for key, value in before.meta.items()):
            changed.append(before.id)
    return changed


@contextmanager
def _told_nothing() -> Iterator[None]:
    def drop(_: logging.LogRecord) -> bool:
        return False

    log.addFilter(drop)
    try:
        yield
    finally:
        log.removeFilter(drop)

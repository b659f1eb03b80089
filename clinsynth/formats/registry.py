"""The corpus formats by name; which one a file is in; writing that checks itself."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinsynth.formats import brat, conll, jsonl, pubtator, relation_tsv, text
from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth.formats.lines import read_text
from clinsynth_onnx.document import Document

Reader = Callable[[Path], Iterator[Document]]
Writer = Callable[[Path, Iterable[Document]], None]


@dataclass(frozen=True, slots=True)
class Format:
    """A corpus format.

    Attributes:
        read: Documents of a file, or of a folder where the format is one.
        write: The inverse, or ``None`` where there is no use for it.
        suffixes: File endings by which it is known.
    """

    read: Reader
    write: Writer | None
    suffixes: tuple[str, ...] = ()


def _bioc(name: str) -> Callable[..., Any]:
    """A function of ``bioc_files``, whose libraries are an extra."""

    def call(*arguments: Any) -> Any:
        try:
            from clinsynth.formats import bioc_files
        except ModuleNotFoundError as error:
            raise ValueError(
                f"BioC needs {error.name}, which is not installed. Remedy: pip install 'clinsynth[bioc]'"
            ) from error
        return getattr(bioc_files, name)(*arguments)

    return call


FORMATS = {
    "jsonl": Format(jsonl.read, jsonl.write, (".jsonl",)),
    "pubtator": Format(pubtator.read, pubtator.write, (".pubtator",)),
    "bioc-xml": Format(_bioc("read_xml"), _bioc("write_xml"), (".xml",)),
    "bioc-json": Format(_bioc("read_json"), _bioc("write_json"), (".json",)),
    "brat": Format(brat.read, brat.write),
    "iob1": Format(conll.read, conll.write_iob),
    "iob2": Format(conll.read, conll.write, (".conll", ".iob", ".iob2", ".bio")),
    "iobes": Format(conll.read, conll.write_iobes, (".iobes",)),
    "relation-tsv": Format(relation_tsv.read, relation_tsv.write, (".tsv",)),
    "text": Format(text.read, None),
}


def named(name: str) -> Format:
    """The format called so. Raises ``ValueError`` that lists them."""
    if name not in FORMATS:
        raise ValueError(f"there is no corpus format {name!r}. Remedy: use one of {', '.join(FORMATS)}")
    return FORMATS[name]


def detect(path: Path) -> str:
    """The name of the format that a file or folder is in, by its ending and, for ``.txt``, its first line.

    The ending before ``.gz`` counts.

    Raises ``CorpusError`` if that does not tell.
    """
    if path.is_dir():
        return "brat" if any(path.glob("*.ann")) else "text"
    ending = (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()
    for name, one in FORMATS.items():
        if ending in one.suffixes:
            return name
    if ending == ".txt":
        first = next((line for line in read_text(path).split("\n") if line.strip()), "")
        return "pubtator" if first.split("|")[1:2] == ["t"] else "text"
    raise CorpusError(
        path, None, "its ending does not tell its format", f"name the format, one of {', '.join(FORMATS)}"
    )


def read(path: Path, name: str | None = None) -> Iterator[Document]:
    """Documents of a file or folder in the named format, or the one it seems to be in."""
    return named(name or detect(path)).read(path)


def write(path: Path, documents: Iterable[Document], name: str) -> list[str]:
    """Writes documents so that reading gives them back, or leaves nothing behind.

    What was written is read again and compared: text, entities, relations and id have to be the
    same. Returns the ids of documents whose ``meta`` the format does not keep whole. Raises
    ``UnwritableError`` on a difference, ``FileExistsError`` if ``path`` is there already.
    """
    put = named(name).write
    if put is None:
        raise ValueError(f"the format {name!r} is only read. Remedy: write another one")
    if path.exists():
        raise FileExistsError(f"{path} exists already. Remedy: remove it, or write elsewhere")
    documents = list(documents)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        draft = Path(folder) / path.name
        put(draft, documents)
        changed = _differences(documents, list(named(name).read(draft)) if documents else [])
        shutil.move(draft, path)
    return changed


def _differences(documents: list[Document], back: list[Document]) -> list[str]:
    if len(back) != len(documents):
        problem = f"{len(documents)} documents were written, {len(back)} were read back"
        raise UnwritableError(documents[0].id if documents else "", problem)
    changed = []
    for before, after in zip(documents, back, strict=True):
        for field in ("id", "text", "entities", "relations"):
            if getattr(before, field) != getattr(after, field):
                raise UnwritableError(before.id, f"the format cannot hold its {field} unchanged")
        if any(after.meta.get(key) != value for key, value in before.meta.items()):
            changed.append(before.id)
    return changed

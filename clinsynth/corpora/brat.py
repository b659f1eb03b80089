"""Brat standoff: a folder with a text and an annotation file for each document.

The format is described at https://brat.nlplab.org/standoff.html (Stenetorp et al. 2012).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from clinsynth.corpora.errors import CorpusError, UnwritableError
from clinsynth.corpora.lines import read_lines, read_text
from clinsynth_onnx.document import Document, Entity, Relation

MENTION = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)", re.DOTALL)
RELATION = re.compile(r"(R\S+)\t(\S+) Arg1:(\S+) Arg2:(\S+)\s*")
CONCEPT = re.compile(r"N\S+\tReference (T\S+) (\S+)(?:\t.*)?")
OTHER = re.compile(r"[EAMN#*][^\t]*\t.*")


def read(path: Path) -> Iterator[Document]:
    """Documents by file name, which is their id, without its ending.

    A discontinuous mention covers the text from its first to its last fragment. ``meta`` keeps
    ``fragments`` (by entity index), ``concepts`` (an id or ``None`` for each entity) and ``brat``: the
    lines that say anything else (events, attributes, notes). Raises ``CorpusError``.
    """
    texts = {file.stem: file for file in path.glob("*.txt")}
    notes = {file.stem: file for file in path.glob("*.ann")}
    for name in sorted(texts.keys() ^ notes.keys()):
        lone, missing = (texts[name], ".ann") if name in texts else (notes[name], ".txt")
        raise CorpusError(
            lone, None, f"there is no {name}{missing} beside it", "add the file, or remove this"
        )
    if not texts:
        raise CorpusError(path, None, "the folder has no .txt and .ann files", "check the path")
    for name in sorted(texts):
        yield _document(name, read_text(texts[name]), notes[name])


def _document(name: str, text: str, notes: Path) -> Document:
    lines = read_lines(notes) if notes.stat().st_size else []
    entities: list[Entity] = []
    place: dict[str, int] = {}
    fragments: dict[str, list[list[int]]] = {}
    others: list[str] = []
    pending: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if match := MENTION.fullmatch(line):
            parts = [[int(n) for n in part.split(" ")] for part in match[3].split(";")]
            _check(notes, number, text, parts, match[4])
            place[match[1]] = len(entities)
            if len(parts) > 1:
                fragments[str(len(entities))] = parts
            entities.append(Entity(parts[0][0], parts[-1][1], match[2]))
        elif line[:1] in ("R", "N"):
            pending.append((number, line))
        elif OTHER.fullmatch(line):
            others.append(line)
        elif line.strip():
            raise CorpusError(
                notes,
                number,
                "the line is not brat standoff, e.g. T1<TAB>Label 0 5<TAB>text",
                "is the file cut off here? get it again, or correct the line",
            )
    relations: list[Relation] = []
    concepts: list[str | None] = [None] * len(entities)
    for number, line in pending:  # they may stand before the mentions that they name
        relation, concept = RELATION.fullmatch(line), CONCEPT.fullmatch(line)
        if relation:
            head, tail = (_known(notes, number, place, relation[i]) for i in (3, 4))
            relations.append(Relation(head, tail, relation[2]))
        elif concept and concept[1] in place and concepts[place[concept[1]]] is None:
            concepts[place[concept[1]]] = concept[2]
        elif OTHER.fullmatch(line):
            others.append(line)
        else:
            raise CorpusError(
                notes,
                number,
                "the line is not a relation such as R1<TAB>Label Arg1:T1 Arg2:T2",
                "is the file cut off here? get it again, or correct the line",
            )
    meta: dict[str, Any] = {}
    if fragments:
        meta["fragments"] = fragments
    if any(concepts):
        meta["concepts"] = concepts
    if others:
        meta["brat"] = others
    return Document(text, tuple(entities), tuple(relations), name, meta)


def _check(notes: Path, number: int, text: str, parts: Sequence[Sequence[int]], mention: str) -> None:
    flat = [n for part in parts for n in part]
    if flat != sorted(flat) or any(start == end for start, end in parts) or flat[-1] > len(text):
        raise CorpusError(
            notes,
            number,
            f"the span {flat} is not inside the text, which has {len(text)} characters",
            "correct the offsets; they count characters from 0, the end is exclusive",
        )
    there = _shown(text, parts)
    if there != mention:
        raise CorpusError(
            notes,
            number,
            f"the text at {flat} is {there!r}, the mention says {mention!r}",
            "correct the offsets; they count characters (not bytes), line breaks as they are in the .txt",
        )


def _shown(text: str, parts: Iterable[Sequence[int]]) -> str:
    """A mention as brat shows it: line breaks as spaces, fragments joined by a space."""
    return re.sub(r"[\n\r]", " ", " ".join(text[start:end] for start, end in parts))


def _known(notes: Path, number: int, place: dict[str, int], name: str) -> int:
    if name not in place:
        raise CorpusError(
            notes,
            number,
            f"the relation names {name}, which is not a mention",
            "add the mention, or correct it",
        )
    return place[name]


def write(path: Path, documents: Iterable[Document]) -> None:
    """A folder with two files for each document. Raises ``UnwritableError`` on an unusable id."""
    path.mkdir()
    for document in documents:
        name = document.id
        if not name or name != Path(name).name or name.startswith(".") or "\0" in name:
            raise UnwritableError(name, "brat needs an id that can be a file name")
        if (path / f"{name}.txt").exists():
            raise UnwritableError(name, "brat needs an id of its own for each document")
        lines = list(_lines(document))
        (path / f"{name}.txt").write_bytes(document.text.encode("utf-8"))
        (path / f"{name}.ann").write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8"))


def _lines(document: Document) -> Iterator[str]:
    fragments = document.meta.get("fragments") or {}
    concepts = document.meta.get("concepts") or []
    labels = {e.label for e in document.entities} | {r.label for r in document.relations}
    if any(re.search(r"\s", label) for label in labels):
        raise UnwritableError(document.id, "brat cannot hold white space in a label")
    for i, entity in enumerate(document.entities):
        parts = fragments.get(str(i), [[entity.start, entity.end]])
        where = ";".join(f"{start} {end}" for start, end in parts)
        yield f"T{i + 1}\t{entity.label} {where}\t{_shown(document.text, parts)}"
    for i, relation in enumerate(document.relations, 1):
        yield f"R{i}\t{relation.label} Arg1:T{relation.head + 1} Arg2:T{relation.tail + 1}"
    for i, concept in enumerate(concepts):
        if concept and not re.search(r"\s", concept):
            shown = _shown(document.text, [[document.entities[i].start, document.entities[i].end]])
            yield f"N{i + 1}\tReference T{i + 1} {concept}\t{shown}"
    yield from document.meta.get("brat", [])

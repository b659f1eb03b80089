"""Brat standoff: a folder with a text and an annotation file for each document.

The format is described at https://brat.nlplab.org/standoff.html (Stenetorp et al. 2012).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth.formats.lines import read_lines, read_text
from clinsynth_onnx.document import Document, Entity, Relation

MENTION = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)", re.DOTALL)
RELATION = re.compile(r"(R\S+)\t(\S+) Arg1:(\S+) Arg2:(\S+)\s*")
CONCEPT = re.compile(r"N\S+\tReference (T\S+) (\S+)(?:\t.*)?")
OTHER = re.compile(r"[EAMN#*][^\t]*\t.*")
LONGEST_NAME = 251  # bytes: file systems allow 255, the ending included


def read(path: Path) -> Iterator[Document]:
    """Documents by file name, which is their id, without its ending.

    A discontinuous mention covers the text from its first to its last fragment. ``meta`` keeps
    ``fragments`` (by entity index), ``concepts`` (an id or ``None`` for each entity) and ``brat``: the
    lines that say anything else (events, attributes, notes, names of concepts). As those lines name
    mentions and relations by their ids, ``brat_ids`` keeps ids other than T1, T2, ... and R1, R2, ....
    Raises ``CorpusError``.
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
    lines = read_lines(notes) if read_text(notes).strip() else []
    entities: list[Entity] = []
    place: dict[str, int] = {}
    fragments: dict[str, list[list[int]]] = {}
    others: list[str] = []
    pending: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if match := MENTION.fullmatch(line):
            parts = [[int(n) for n in part.split(" ")] for part in match[3].split(";")]
            _check(notes, number, text, parts, match[4])
            _check_new(notes, number, match[1], place)
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
    relations: dict[str, Relation] = {}
    concepts: list[str | None] = [None] * len(entities)
    for number, line in pending:  # they may stand before the mentions that they name
        relation, concept = RELATION.fullmatch(line), CONCEPT.fullmatch(line)
        if relation:
            head, tail = (_known(notes, number, place, relation[i]) for i in (3, 4))
            _check_new(notes, number, relation[1], relations)
            if head == tail:
                raise CorpusError(
                    notes,
                    number,
                    f"{relation[1]} relates {relation[3]} to itself",
                    "name two different mentions",
                )
            relations[relation[1]] = Relation(head, tail, relation[2])
        elif concept and concept[1] in place and concepts[place[concept[1]]] is None:
            i = place[concept[1]]
            concepts[i] = concept[2]
            if line != _concept_line(text, i, entities[i], concept[1], concept[2]):
                others.append(line)  # it has a name of its own for the concept
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
        ids = {"T": list(place), "R": list(relations)}
        if ids != _plain_ids(len(place), len(relations)):
            meta["brat_ids"] = ids
    return Document(text, tuple(entities), tuple(relations.values()), name, meta)


def _plain_ids(entities: int, relations: int) -> dict[str, list[str]]:
    counts = {"T": entities, "R": relations}
    return {letter: [f"{letter}{i + 1}" for i in range(count)] for letter, count in counts.items()}


def _check_new(notes: Path, number: int, name: str, known: Container[str]) -> None:
    if name in known:
        raise CorpusError(notes, number, f"there is a {name} already", "give each line an id of its own")


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


def _concept_line(text: str, i: int, entity: Entity, name: str, concept: str) -> str:
    return f"N{i + 1}\tReference {name} {concept}\t{_shown(text, [[entity.start, entity.end]])}"


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
        _encoded(document, name)
        if not name or name != Path(name).name or name.startswith(".") or "\0" in name:
            raise UnwritableError(name, "brat needs an id that can be a file name")
        if len(name.encode("utf-8")) > LONGEST_NAME:
            raise UnwritableError(name, f"brat needs an id of at most {LONGEST_NAME} bytes, as a file name")
        if (path / f"{name}.txt").exists():
            raise UnwritableError(name, "brat needs an id of its own for each document")
        text = _encoded(document, document.text)
        notes = _encoded(document, "".join(f"{line}\n" for line in _lines(document)))
        (path / f"{name}.txt").write_bytes(text)
        (path / f"{name}.ann").write_bytes(notes)


def _encoded(document: Document, written: str) -> bytes:
    try:
        return written.encode("utf-8")
    except UnicodeEncodeError as error:
        half = written[error.start]
        raise UnwritableError(document.id, f"UTF-8 cannot hold the lone surrogate {half!r}") from error


def _lines(document: Document) -> Iterator[str]:
    fragments = document.meta.get("fragments") or {}
    concepts = document.meta.get("concepts") or []
    labels = {e.label for e in document.entities} | {r.label for r in document.relations}
    if any(re.search(r"\s", label) for label in labels):
        raise UnwritableError(document.id, "brat cannot hold white space in a label")
    others = document.meta.get("brat") or []
    plain = _plain_ids(len(document.entities), len(document.relations))
    ids = document.meta.get("brat_ids") or plain
    for letter, what in (("T", "entities"), ("R", "relations")):
        if len(ids[letter]) != len(plain[letter]):
            raise UnwritableError(
                document.id, f"its meta['brat_ids'] names {len(ids[letter])} {what} of {len(plain[letter])}"
            )
    if concepts and len(concepts) != len(document.entities):
        raise UnwritableError(
            document.id, f"its meta has {len(concepts)} concepts for {len(document.entities)} entities"
        )
    for i, entity in enumerate(document.entities):
        parts = fragments.get(str(i), [[entity.start, entity.end]])
        where = ";".join(f"{start} {end}" for start, end in parts)
        yield f"{ids['T'][i]}\t{entity.label} {where}\t{_shown(document.text, parts)}"
    for name, relation in zip(ids["R"], document.relations, strict=True):
        head, tail = ids["T"][relation.head], ids["T"][relation.tail]
        yield f"{name}\t{relation.label} Arg1:{head} Arg2:{tail}"
    said = {(match[1], match[2]) for match in map(CONCEPT.fullmatch, others) if match}
    for i, concept in enumerate(concepts):
        # a concept with white space in it is left out; formats.write tells the caller that meta changed
        if concept and not re.search(r"\s", concept) and (ids["T"][i], concept) not in said:
            yield _concept_line(document.text, i, document.entities[i], ids["T"][i], concept)
    yield from others

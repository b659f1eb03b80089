"""PubTator: a title line, an abstract line, tab-separated mentions and relations, an empty line.

The format is that of Wei et al. 2013, "PubTator: a web-based text mining tool". Offsets count
characters of the title, one separator and the abstract. A relation has a type and two concepts, and in
BioRED (Luo et al. 2022) a fifth column that says whether it is novel.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth.formats.lines import read_lines
from clinsynth_onnx.concept_fields import Triple, about_relations, stated
from clinsynth_onnx.concepts import relations_between
from clinsynth_onnx.document import Document, Entity

log = logging.getLogger("clinsynth")

TITLE, ABSTRACT = "title", "abstract"
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def read(path: Path) -> Iterator[Document]:
    """Documents in file order; labels as the file has them.

    ``meta`` keeps ``passages`` ([start, end, type] of title and abstract), ``parts`` (the single mentions
    of a composite one, by entity index), and ``concepts``, ``concept_relations`` and ``novelty``, see
    ``clinsynth_onnx.concept_fields``. Raises ``CorpusError``.
    """
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*read_lines(path), ""], 1):
        if line.strip():
            block.append((number, line))
        elif block:
            yield _Block(path, block).document()
            block = []


class _Block:
    """The lines of one document."""

    def __init__(self, path: Path, lines: Sequence[tuple[int, str]]) -> None:
        self._path = path
        self._lines = lines
        self._identifier = lines[0][1].split("|", 1)[0]

    def document(self) -> Document:
        title, abstract = self._passage(0, "t"), self._passage(1, "a")
        text = f"{title} {abstract}" if abstract else title
        entities: list[Entity] = []
        concepts: list[str | None] = []
        parts: dict[str, str] = {}
        relations: list[tuple[Triple, str | None]] = []
        for number, line in self._lines[2:]:
            fields = line.split("\t")
            if fields[0] != self._identifier:
                raise self._error(
                    number,
                    f"the line begins with {fields[0]!r} inside document {self._identifier!r}",
                    "put an empty line between documents",
                )
            if len(fields) in (4, 5) and not NUMBER.fullmatch(fields[1]):
                relations.append(self._relation(number, fields))
                continue
            if len(fields) not in (5, 6, 7):
                raise self._error(
                    number,
                    f"the line has {len(fields)} tab-separated columns; a mention has 5 to 7 "
                    "(id, start, end, text, label, concept, parts) and a relation 4 or 5 "
                    "(id, label, concept, concept, novelty)",
                    "is the file cut off here? get it again, or correct the line",
                )
            entities.append(self._entity(number, fields, text))
            concepts.append(fields[5] if len(fields) > 5 else None)
            if len(fields) == 7:
                parts[str(len(entities) - 1)] = fields[6]
        meta: dict[str, Any] = {
            "passages": [[0, len(title), TITLE], [len(text) - len(abstract), len(text), ABSTRACT]]
        }
        if any(concept is not None for concept in concepts):
            meta["concepts"] = concepts
        if parts:
            meta["parts"] = parts
        meta |= about_relations(relations)
        between = relations_between(entities, concepts, [triple for triple, _ in relations])
        return Document(text, tuple(entities), between, self._identifier, meta)

    def _passage(self, place: int, kind: str) -> str:
        number, line = self._lines[min(place, len(self._lines) - 1)]
        fields = line.split("|", 2)
        if place >= len(self._lines) or len(fields) != 3 or fields[:2] != [self._identifier, kind]:
            raise self._error(
                number,
                f"{self._identifier}|{kind}|... is missing: a document begins with a title line "
                "ID|t|TITLE and an abstract line ID|a|ABSTRACT",
                "is the file cut off here, or not PubTator? get it again, or add the line",
            )
        return fields[2]

    def _entity(self, number: int, fields: Sequence[str], text: str) -> Entity:
        if not (fields[1].isdecimal() and fields[2].isdecimal()):
            raise self._error(
                number,
                f"the offsets {fields[1]!r} and {fields[2]!r} are not whole numbers",
                "correct the line",
            )
        start, end, mention, label = int(fields[1]), int(fields[2]), fields[3], fields[4]
        if not start < end <= len(text):
            raise self._error(
                number,
                f"the span [{start}, {end}) is not inside the text, which has {len(text)} characters",
                "correct the offsets; they count characters from 0, the end is exclusive",
            )
        there = text[start:end]
        if there != mention:
            if there.split() != mention.split():
                places = [found.start() for found in re.finditer(re.escape(mention), text)]
                at = min(places, key=lambda place: abs(place - start), default=-1)
                hint = f"; the mention stands at {at}" if at >= 0 else ""
                raise self._error(
                    number,
                    f"[{start}, {end}) is {there!r} in the text, the mention says {mention!r}{hint}",
                    "correct the offsets; they count characters (not bytes) of title, a space and abstract",
                )
            log.warning(
                "%s:%d: the mention and the text at its offsets differ in white space; the offsets hold",
                self._path,
                number,
            )
        if not label:
            raise self._error(number, "the mention has no label", "add it in the fifth column")
        return Entity(start, end, label)

    def _relation(self, number: int, fields: Sequence[str]) -> tuple[Triple, str | None]:
        if not all(fields[1:4]):
            raise self._error(number, "the relation has no label, or not two concepts", "add what is missing")
        return (fields[1], fields[2], fields[3]), fields[4] if len(fields) == 5 else None

    def _error(self, line: int, problem: str, remedy: str) -> CorpusError:
        return CorpusError(self._path, line, problem, remedy)


def dumps(document: Document) -> str:
    """The lines of a document. Raises ``UnwritableError`` on what PubTator has no place for."""
    return "\n".join(_lines(document)) + "\n\n"


def _lines(document: Document) -> Iterator[str]:
    name = document.id
    if not name or name != name.strip() or set(name) & set("|\t\n\r"):
        raise UnwritableError(name, "PubTator needs an id without '|', tabs and line breaks")
    if set(document.text) & set("\n\r"):
        raise UnwritableError(name, "PubTator cannot hold a line break in the text")
    title, abstract = _title_and_abstract(document)
    yield f"{name}|t|{title}"
    yield f"{name}|a|{abstract}"
    concepts = document.meta.get("concepts") or [None] * len(document.entities)
    parts = document.meta.get("parts") or {}
    for i, (entity, concept) in enumerate(zip(document.entities, concepts, strict=True)):
        fields = [name, str(entity.start), str(entity.end), document.mention(entity), entity.label]
        fields += [] if concept is None else [concept]
        fields += [parts[str(i)]] if str(i) in parts else []
        if any(set(field) & set("\t\n\r") for field in fields):
            raise UnwritableError(
                name, "PubTator cannot hold a tab or a line break in a mention, a label or a concept"
            )
        yield "\t".join(fields)
    relations = stated(document.meta)
    between = relations_between(document.entities, concepts, [triple for triple, _ in relations])
    if set(between) != set(document.relations):
        raise UnwritableError(
            name, "PubTator states relations between concepts, and these are between mentions"
        )
    for triple, novelty in relations:
        fields = [name, *triple] + ([] if novelty is None else [novelty])
        if (
            NUMBER.fullmatch(triple[0])
            or not all(triple)
            or any(set(field) & set("\t\n\r") for field in fields)
        ):
            raise UnwritableError(name, f"PubTator cannot hold the relation {' '.join(fields[1:])!r}")
        yield "\t".join(fields)


def _title_and_abstract(document: Document) -> tuple[str, str]:
    """The first passage, and what follows it after a space; or all in the title."""
    passages = document.meta.get("passages") or [[0, len(document.text), TITLE]]
    cut = passages[0][1]
    if document.text[cut : cut + 1] == " " and document.text[cut + 1 :]:
        return document.text[:cut], document.text[cut + 1 :]
    return document.text, ""

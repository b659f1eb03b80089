"""Brat standoff, and that of the BioNLP shared tasks: a text and its annotations in files beside it.

The formats are described at https://brat.nlplab.org/standoff.html (Stenetorp et al. 2012) and
https://2013.bionlp-st.org/file-formats. Brat has all annotations in ``.ann``; a shared task has mentions
that are given in ``.a1`` and what is to be found in ``.a2``, which a test set lacks.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from clinsynth.formats.errors import CorpusError
from clinsynth.formats.lines import read_lines, read_text
from clinsynth_onnx.document import Document, Entity, Relation

log = logging.getLogger("clinsynth")

MENTION = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)", re.DOTALL)
RELATION = re.compile(r"(R\S+)\t(\S+) ([^\s:]+):(\S+) ([^\s:]+):(\S+)\s*")
CONCEPT = re.compile(r"N\S+\tReference (T\S+) (\S+)(?:\t.*)?")
EVENT = re.compile(r"(E\S+)\t.*")
OTHER = re.compile(r"[EAMN#*][^\t]*\t.*")
BRAT, SHARED_TASK = (".ann",), (".a1", ".a2")
ROLES = ("Arg1", "Arg2")


class Line(NamedTuple):
    """A line of a file of annotations."""

    file: Path
    number: int
    text: str

    def error(self, problem: str, remedy: str) -> CorpusError:
        return CorpusError(self.file, self.number, problem, remedy)


def read(path: Path) -> Iterator[Document]:
    """Documents of a folder and the folders in it.

    The id of a document is the path of its text from the folder on, without its ending.
    A discontinuous mention covers the text from its first to its last fragment. ``meta`` keeps
    ``fragments`` (by entity index, in the order of the file), ``concepts`` (an id or ``None`` for each
    entity), ``brat_roles`` (by relation index, where its arguments are not called Arg1 and Arg2) and
    ``brat``: the lines that say anything else (events, relations of events, attributes, notes, names of
    concepts). As those lines name mentions and relations by their ids, ``brat_ids`` keeps ids other than
    T1, T2, ... and R1, R2, .... Raises ``CorpusError``.
    """
    files = [file for file in sorted(path.rglob("*")) if file.is_file()]
    texts = {_name(path, file): file for file in files if file.suffix == ".txt"}
    annotations: dict[str, list[Path]] = {}
    for file in files:
        if file.suffix in BRAT + SHARED_TASK:
            annotations.setdefault(_name(path, file), []).append(file)
    needed = SHARED_TASK[0] if any(file.suffix in SHARED_TASK for file in files) else BRAT[0]
    for name in sorted(texts.keys() ^ annotations.keys()):
        lone, missing = (texts[name], needed) if name in texts else (annotations[name][0], ".txt")
        raise CorpusError(
            lone, None, f"there is no {lone.stem}{missing} beside it", "add the file, or remove this"
        )
    if not texts:
        raise CorpusError(path, None, "the folder has no .txt and .ann files", "check the path")
    discontinuous = 0
    for name in sorted(texts):
        kinds = {file.suffix for file in annotations[name]}
        if kinds not in ({".ann"}, {".a1"}, {".a1", ".a2"}):
            raise CorpusError(
                texts[name],
                None,
                f"its annotations are in {', '.join(sorted(kinds))}",
                "keep a .ann file, or a .a1 file and its .a2 file",
            )
        document = _Notes(name, read_text(texts[name]), annotations[name]).document()
        discontinuous += len(document.meta.get("fragments", ()))
        yield document
    if discontinuous:
        log.warning(
            "%s: %d discontinuous mentions are read as the text from their first to their last fragment; "
            "meta keeps the fragments",
            path,
            discontinuous,
        )


def _name(folder: Path, file: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()


@dataclass
class _Notes:
    """The annotations of a text."""

    name: str
    text: str
    files: Sequence[Path]
    entities: list[Entity] = field(default_factory=list)
    place: dict[str, int] = field(default_factory=dict)  # of entities, by their ids
    relations: dict[str, Relation] = field(default_factory=dict)
    roles: dict[str, list[str]] = field(default_factory=dict)
    fragments: dict[str, list[list[int]]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)

    def document(self) -> Document:
        pending: list[Line] = []
        events = set()
        for line in self._lines():
            if match := MENTION.fullmatch(line.text):
                self._mention(line, match)
            elif line.text[:1] in ("R", "N"):
                pending.append(line)
            elif OTHER.fullmatch(line.text):
                self.others.append(line.text)
                if event := EVENT.fullmatch(line.text):
                    events.add(event[1])
            elif line.text.strip():
                raise line.error(
                    "the line is not brat standoff, e.g. T1<TAB>Label 0 5<TAB>text",
                    "is the file cut off here? get it again, or correct the line",
                )
        concepts: list[str | None] = [None] * len(self.entities)
        for line in pending:  # they may stand before the mentions that they name
            relation, concept = RELATION.fullmatch(line.text), CONCEPT.fullmatch(line.text)
            if relation:
                self._relation(line, relation, events)
            elif concept and concept[1] in self.place and concepts[self.place[concept[1]]] is None:
                i = self.place[concept[1]]
                concepts[i] = concept[2]
                if line.text != concept_line(self.text, i, self.entities[i], concept[1], concept[2]):
                    self.others.append(line.text)  # it has a name of its own for the concept
            elif OTHER.fullmatch(line.text):
                self.others.append(line.text)
            else:
                raise line.error(
                    "the line is not a relation such as R1<TAB>Label Arg1:T1 Arg2:T2",
                    "is the file cut off here? get it again, or correct the line",
                )
        return Document(
            self.text, tuple(self.entities), tuple(self.relations.values()), self.name, self._meta(concepts)
        )

    def _lines(self) -> Iterator[Line]:
        for file in self.files:
            if read_text(file).strip():
                for number, text in enumerate(read_lines(file), 1):
                    yield Line(file, number, text)

    def _meta(self, concepts: list[str | None]) -> dict[str, Any]:
        meta: dict[str, Any] = {}
        if self.fragments:
            meta["fragments"] = self.fragments
        if any(concepts):
            meta["concepts"] = concepts
        if self.roles:
            meta["brat_roles"] = self.roles
        if self.others:
            meta["brat"] = self.others
            ids = {"T": list(self.place), "R": list(self.relations)}
            if ids != plain_ids(len(self.place), len(self.relations)):
                meta["brat_ids"] = ids
        return meta

    def _mention(self, line: Line, match: re.Match[str]) -> None:
        parts = [[int(n) for n in part.split(" ")] for part in match[3].split(";")]
        _check(line, self.text, parts, match[4])
        _check_new(line, match[1], self.place)
        self.place[match[1]] = len(self.entities)
        if len(parts) > 1:
            self.fragments[str(len(self.entities))] = parts
        start, end = min(start for start, _ in parts), max(end for _, end in parts)
        self.entities.append(Entity(start, end, match[2]))

    def _relation(self, line: Line, match: re.Match[str], events: Container[str]) -> None:
        identifier, label, *arguments = match.groups()
        roles, ends = arguments[::2], arguments[1::2]
        for end in ends:
            if end not in self.place and end not in events:
                raise line.error(
                    f"the relation names {end}, which is not a mention or an event",
                    "add the mention, or correct it",
                )
        _check_new(line, identifier, self.relations)
        if ends[0] == ends[1]:
            raise line.error(f"{identifier} relates {ends[0]} to itself", "name two different mentions")
        if not all(end in self.place for end in ends):
            self.others.append(line.text)  # a Relation has mentions at its ends
            return
        if tuple(roles) != ROLES:
            self.roles[str(len(self.relations))] = roles
        self.relations[identifier] = Relation(self.place[ends[0]], self.place[ends[1]], label)


def plain_ids(entities: int, relations: int) -> dict[str, list[str]]:
    """T1, T2, ... for the entities and R1, R2, ... for the relations."""
    counts = {"T": entities, "R": relations}
    return {letter: [f"{letter}{i + 1}" for i in range(count)] for letter, count in counts.items()}


def shown(text: str, parts: Iterable[Sequence[int]]) -> str:
    """A mention as brat shows it: line breaks as spaces, fragments joined by a space."""
    return re.sub(r"[\n\r]", " ", " ".join(text[start:end] for start, end in parts))


def concept_line(text: str, i: int, entity: Entity, name: str, concept: str) -> str:
    """The line that says which concept an entity names."""
    return f"N{i + 1}\tReference {name} {concept}\t{shown(text, [[entity.start, entity.end]])}"


def _check_new(line: Line, name: str, known: Container[str]) -> None:
    if name in known:
        raise line.error(f"there is a {name} already", "give each line an id of its own")


def _check(line: Line, text: str, parts: Sequence[Sequence[int]], mention: str) -> None:
    flat = [n for part in parts for n in part]
    if any(start >= end for start, end in parts) or max(flat) > len(text):
        raise line.error(
            f"the span {flat} is not inside the text, which has {len(text)} characters",
            "correct the offsets; they count characters from 0, the end is exclusive",
        )
    ordered = [n for part in sorted(parts, key=list) for n in part]
    if ordered != sorted(ordered):
        raise line.error(f"the fragments {flat} overlap", "join them, or correct their offsets")
    there = shown(text, parts)
    if there == mention:
        return
    if there.split() != mention.split() or there != there.strip():
        raise line.error(
            f"the text at {flat} is {there!r}, the mention says {mention!r}",
            "correct the offsets; they count characters (not bytes), line breaks as they are in the .txt",
        )
    log.warning(
        "%s:%d: the mention and the text at its offsets differ in white space; the offsets hold",
        line.file,
        line.number,
    )

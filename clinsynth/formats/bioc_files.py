"""BioC XML and JSON, through the ``bioc`` library (Comeau et al. 2013, "BioC").

Passages lie at their offsets, gaps between them are spaces. An annotation's label is its infon
``type``; its concept the infon ``identifier``, or ``MESH`` and the like. A relation joins annotations by
its nodes, or concepts by its infons, as in BC5CDR; the head comes first unless roles say ``tail``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import bioc
from bioc import biocjson, biocxml
from lxml import etree

from clinsynth.formats.concepts import relations_between
from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth.formats.lines import read_text
from clinsynth_onnx.document import Document, Entity, Relation

CONCEPT_INFONS = ("identifier", "MESH", "NCBI Gene", "OMIM", "concept")
LABEL_INFONS = ("relation", "type")
KINDS = {int: "a whole number", str: "a string", dict: "an object"}
PLAIN = "passage"
LONGEST_GAP = 10_000_000  # between passages; a wrong offset must not fill the memory with spaces
LONE_SURROGATES = re.compile(r"[\ud800-\udfff]")
XML_FORBIDS = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_xml(path: Path) -> Iterator[Document]:
    """Documents of a BioC XML file. Raises ``CorpusError``."""

    def parse(text: str) -> Any:
        try:
            # the library's own parser, but first one that neither expands entities nor fetches a DTD,
            # takes the text for what it was read as, and leaves no comment that would end a text
            safe = etree.XMLParser(
                encoding="utf-8",
                resolve_entities=False,
                no_network=True,
                remove_comments=True,
                remove_pis=True,
            )
            root = etree.fromstring(text.encode("utf-8"), safe)
        except etree.XMLSyntaxError as error:
            raise CorpusError(
                path, error.lineno, f"the XML is broken ({error.msg})", "is the file cut off? get it again"
            ) from error
        dtd = root.getroottree().docinfo.internalDTD
        defined = dtd is not None and any(True for _ in dtd.iterentities())
        if defined or any(isinstance(node, etree._Entity) for node in root.iter()):
            raise CorpusError(path, None, "the XML defines entities", "write the text itself instead")
        if root.tag != "collection":
            raise CorpusError(
                path,
                None,
                f"this is not a BioC collection but <{root.tag}>",
                "check the format, or name another",
            )
        for node in root.iter("id", "infon", "offset", "text"):
            if len(node):  # the library would leave out what follows the inner element
                raise CorpusError(
                    path, node.sourceline, f"<{node.tag}> holds <{node[0].tag}>", "leave only text in it"
                )
        return biocxml.loads(etree.tostring(root, encoding="unicode"))

    return _documents(path, parse)


def read_json(path: Path) -> Iterator[Document]:
    """Documents of a BioC JSON file. Raises ``CorpusError``."""

    def parse(text: str) -> Any:
        try:
            return biocjson.loads(text)
        except json.JSONDecodeError as error:
            raise CorpusError(
                path, error.lineno, f"the JSON is broken ({error.msg})", "is the file cut off? get it again"
            ) from error

    return _documents(path, parse)


def _documents(path: Path, parse: Callable[[str], Any]) -> Iterator[Document]:
    text = read_text(path)
    if not text.strip():
        raise CorpusError(path, None, "the file is empty", "get it again, or leave it out")
    try:
        collection = parse(text)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError, etree.XMLSyntaxError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(
            path, None, f"this is not a BioC collection ({error!r})", "check the format, or name another"
        ) from error
    for document in collection.documents:
        yield _Reader(path, document).document()


class _Reader:
    """One BioC document."""

    def __init__(self, path: Path, source: Any) -> None:
        self._path = path
        self._source = source
        self._holders = [source, *source.passages]
        self._holders += [s for passage in source.passages for s in passage.sentences]
        self._check_types()
        self._text, self._passages = self._laid_out()

    def document(self) -> Document:
        entities: list[Entity] = []
        concepts: list[str | None] = []
        fragments: dict[str, list[list[int]]] = {}
        place: dict[str, int] = {}
        for annotation in (a for holder in self._holders for a in holder.annotations):
            parts = self._parts(annotation)
            if annotation.id in place:
                raise self._error(f"two annotations have the id {annotation.id!r}", "make ids different")
            place[annotation.id] = len(entities)
            if len(parts) > 1:
                fragments[str(len(entities))] = parts
            kind = self._infon(annotation, ("type",)) or ""
            entities.append(Entity(parts[0][0], max(end for _, end in parts), kind))
            concepts.append(self._infon(annotation, CONCEPT_INFONS))
        relations: list[Relation] = []
        triples: list[tuple[str, str, str]] = []
        for relation in (r for holder in self._holders for r in holder.relations):
            label = self._infon(relation, LABEL_INFONS)
            nodes = sorted(relation.nodes, key=lambda node: bool(node.role == "tail"))
            roles = [role for role in relation.infons if role not in LABEL_INFONS]
            roles.sort(key=lambda role: role == "tail")
            ends = [] if nodes else [self._infon(relation, (role,)) for role in roles]
            if label and len(nodes) == 2 and nodes[0].refid != nodes[1].refid:
                head, tail = (self._place(place, node.refid) for node in nodes)
                relations.append(Relation(head, tail, label))
            elif label and not nodes and len(ends) == 2 and ends[0] and ends[1]:
                triples.append((label, ends[0], ends[1]))
            else:
                raise self._error(
                    f"relation {relation.id!r} has no type, or not two different nodes or two concepts",
                    "give it an infon 'type' and two nodes, or an infon 'relation' and two concepts",
                )
        meta: dict[str, Any] = {}
        if [kind for *_, kind in self._passages] != [PLAIN] or self._passages[0][0] != 0:
            meta["passages"] = self._passages
        if any(concept is not None for concept in concepts):
            meta["concepts"] = concepts
        if fragments:
            meta["fragments"] = fragments
        if triples:
            meta["concept_relations"] = [list(triple) for triple in triples]
        carried = relations_between(entities, concepts, triples)
        return Document(self._text, tuple(entities), (*relations, *carried), self._source.id or "", meta)

    def _laid_out(self) -> tuple[str, list[list[Any]]]:
        """The text of the document, and [start, end, type] of each passage."""
        text = ""
        passages: list[list[Any]] = []
        for passage in self._source.passages:
            pieces = [(passage.offset, passage.text or "")] if passage.text or not passage.sentences else []
            pieces += [(s.offset, s.text or "") for s in passage.sentences]
            start = None
            for offset, piece in pieces:
                if offset < len(text):
                    raise self._error(
                        f"the passage at offset {offset} begins in the one before, which ends at {len(text)}",
                        "correct the offsets; they count characters, not bytes",
                    )
                if offset > len(text) + LONGEST_GAP:
                    raise self._error(
                        f"the passage at offset {offset} is far from the end of the one before, {len(text)}",
                        "correct the offset",
                    )
                text += " " * (offset - len(text)) + piece
                start = offset if start is None else start
            passages.append([start or 0, len(text), self._infon(passage, ("type",)) or PLAIN])
        return text, passages

    def _check_types(self) -> None:
        """That offsets are numbers and the rest strings: JSON may hold anything."""
        wanted: list[tuple[str, Any, type]] = [("its id", _or_empty(self._source.id), str)]
        for holder in self._holders[1:]:
            wanted += [("an offset", holder.offset, int), ("a text", _or_empty(holder.text), str)]
        for holder in self._holders:
            wanted.append(("the field infons", holder.infons, dict))
            for annotation in holder.annotations:
                wanted.append(("an annotation's id", annotation.id, str))
                wanted.append(("the field infons", annotation.infons, dict))
                for loc in annotation.locations:
                    wanted += [(f"a location of {annotation.id!r}", n, int) for n in (loc.offset, loc.length)]
            for relation in holder.relations:
                wanted.append(("the field infons", relation.infons, dict))
                wanted += [("a node's refid", node.refid, str) for node in relation.nodes]
        for what, value, kind in wanted:
            if type(value) is not kind:
                raise self._error(f"{what} is {value!r}", f"write {KINDS[kind]} instead")

    def _infon(self, holder: Any, names: Iterable[str]) -> str | None:
        """The first of these infons that is there; an empty XML element and a JSON null are not."""
        for name in names:
            value = holder.infons.get(name)
            if isinstance(value, str):
                return value
            if value is not None:
                raise self._error(f"an infon {name!r} is {value!r}", "write a string instead")
        return None

    def _parts(self, annotation: Any) -> list[list[int]]:
        parts = sorted([loc.offset, loc.offset + loc.length] for loc in annotation.locations)
        if not self._infon(annotation, ("type",)):
            raise self._error(f"annotation {annotation.id!r} has no type", "give it an infon 'type'")
        if not parts or any(not 0 <= a < b <= len(self._text) for a, b in parts):
            raise self._error(
                f"annotation {annotation.id!r} at {parts} is not inside the text, which has "
                f"{len(self._text)} characters",
                "correct its location; offsets count characters of the document, not bytes",
            )
        there = " ".join(self._text[a:b] for a, b in parts)
        whole = self._text[parts[0][0] : max(end for _, end in parts)]
        if annotation.text not in (there, whole):
            raise self._error(
                f"annotation {annotation.id!r} says {annotation.text!r}, the text at {parts} is {there!r}",
                "correct its location; offsets count characters of the document, not bytes",
            )
        return parts

    def _place(self, place: dict[str, int], name: str) -> int:
        if name not in place:
            raise self._error(
                f"a relation names {name!r}, which is not an annotation", "add it, or correct it"
            )
        return place[name]

    def _error(self, problem: str, remedy: str) -> CorpusError:
        return CorpusError(self._path, None, f"document {self._source.id!r}: {problem}", remedy)


def _or_empty(value: Any) -> Any:
    """``value``, or an empty string where the file has none; a 0 is not none."""
    return "" if value is None else value


def write_xml(path: Path, documents: Iterable[Document]) -> None:
    """A BioC XML file. Raises ``UnwritableError`` on characters that XML 1.0 has no place for."""
    documents = list(documents)
    _refuse(documents, XML_FORBIDS, "XML")
    with path.open("w", encoding="utf-8", newline="") as stream:
        biocxml.dump(_collection(documents), stream)


def write_json(path: Path, documents: Iterable[Document]) -> None:
    """A BioC JSON file. Raises ``UnwritableError`` on halves of characters, which UTF-8 has no place for."""
    documents = list(documents)
    _refuse(documents, LONE_SURROGATES, "UTF-8")
    with path.open("w", encoding="utf-8", newline="") as stream:
        biocjson.dump(_collection(documents), stream, ensure_ascii=False, indent=1)


def _refuse(documents: Iterable[Document], forbidden: re.Pattern[str], holder: str) -> None:
    for document in documents:
        concepts = document.meta.get("concepts")
        if concepts is not None and len(concepts) != len(document.entities):
            raise UnwritableError(
                document.id, f"its meta has {len(concepts)} concepts for {len(document.entities)} entities"
            )
        written = [document.id, document.text, *(one.label for one in document.entities)]
        written += [one.label for one in document.relations]
        written += [concept for concept in concepts or [] if concept is not None]
        written += [kind for *_, kind in document.meta.get("passages", [])]
        written += [part for triple in document.meta.get("concept_relations", []) for part in triple]
        for match in filter(None, map(forbidden.search, written)):
            raise UnwritableError(document.id, f"{holder} cannot hold the character {match[0]!r} unchanged")


def _collection(documents: Iterable[Document]) -> Any:
    collection = bioc.BioCCollection()
    collection.source = collection.date = collection.key = ""
    for document in documents:
        made = bioc.BioCDocument()
        made.id = document.id
        _fill(made, document)
        collection.add_document(made)
    return collection


def _fill(made: Any, document: Document) -> None:
    passages = document.meta.get("passages") or [[0, len(document.text), PLAIN]]
    for start, end, kind in passages:
        passage = bioc.BioCPassage()
        passage.offset, passage.text = start, document.text[start:end]
        if kind != PLAIN:
            passage.infons["type"] = kind
        made.add_passage(passage)
    fragments = document.meta.get("fragments") or {}
    concepts = document.meta.get("concepts") or [None] * len(document.entities)
    for i, (entity, concept) in enumerate(zip(document.entities, concepts, strict=True)):
        annotation = bioc.BioCAnnotation()
        annotation.id = f"T{i + 1}"
        annotation.infons["type"] = entity.label
        if concept is not None:
            annotation.infons["identifier"] = concept
        parts = fragments.get(str(i), [[entity.start, entity.end]])
        annotation.text = " ".join(document.text[a:b] for a, b in parts)
        for start, end in parts:
            annotation.add_location(bioc.BioCLocation(start, end - start))
        made.add_annotation(annotation)
    triples: Sequence[Sequence[str]] = document.meta.get("concept_relations", [])
    carried = set(relations_between(document.entities, concepts, [(a, b, c) for a, b, c in triples]))
    for relation in document.relations:
        if relation not in carried:
            written = _relation(made)
            written.infons["type"] = relation.label
            written.add_node(bioc.BioCNode(f"T{relation.head + 1}", "head"))
            written.add_node(bioc.BioCNode(f"T{relation.tail + 1}", "tail"))
    for label, head, tail in triples:
        _relation(made).infons |= {"relation": label, "head": head, "tail": tail}


def _relation(made: Any) -> Any:
    """A new relation of the document, with the next id."""
    relation = bioc.BioCRelation()
    relation.id = f"R{len(made.relations) + 1}"
    made.add_relation(relation)
    return relation

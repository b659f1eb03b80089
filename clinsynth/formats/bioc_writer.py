"""Documents to those of the ``bioc`` library, as its DTD wants it.

Annotations stand in the passage that they begin in, passages have their types, and relations stand
behind the passages: by nodes between annotations, by BioRED's infons between concepts.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import bioc

from clinsynth.formats.bioc_reader import PARTS, PLAIN
from clinsynth.formats.bioc_relations import ENDS, NOVELTY
from clinsynth.formats.errors import UnwritableError
from clinsynth.formats.unplaced import unplaced_annotations
from clinsynth_onnx.concept_fields import stated
from clinsynth_onnx.concepts import relations_between
from clinsynth_onnx.document import Document

Infons = Callable[[Mapping[str, Any]], dict[str, Any]]

WRITTEN = {  # of a document's meta
    *("passages", "fragments", "parts", "concepts", "concept_relations", "novelty"),
    *("unplaced", "infons", "entity_infons", "relation_infons", "concept_relation_infons"),
}
LONE_SURROGATES = re.compile(r"[\ud800-\udfff]")
XML_FORBIDS = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_document(document: Document) -> Any:
    """A document whose infons are strings. Raises ``UnwritableError`` on what XML 1.0 has no place for."""
    _check(document, XML_FORBIDS, "XML")
    return _document(document, _xml_infons)


def json_document(document: Document) -> Any:
    """A document. Raises ``UnwritableError`` on halves of characters, which UTF-8 has no place for."""
    _check(document, LONE_SURROGATES, "UTF-8")
    return _document(document, dict)


def _check(document: Document, forbidden: re.Pattern[str], holder: str) -> None:
    meta = {key: value for key, value in document.meta.items() if key in WRITTEN}
    whole = replace(document, meta=meta).to_json()
    for match in filter(None, map(forbidden.search, _strings(whole))):
        raise UnwritableError(document.id, f"{holder} cannot hold the character {match[0]!r} unchanged")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _strings([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


def _xml_infons(infons: Mapping[str, Any]) -> dict[str, str]:
    """Infons as XML can hold them: what is no string is spelt in JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in infons.items()
    }


def _document(document: Document, infons: Infons) -> Any:
    made = bioc.BioCDocument()
    made.id = document.id
    about = _objects(document.meta, "infons")
    made.infons = infons(about.get("document", {}))
    passage_infons = _objects(about, "passages")
    spans = _passages(document)
    for i, (start, end, kind) in enumerate(spans):
        passage = bioc.BioCPassage()
        passage.offset, passage.text = start, document.text[start:end]
        named = {} if kind == PLAIN else {"type": kind}
        passage.infons = infons({**named, **passage_infons.get(str(i), {})})
        made.add_passage(passage)
    starts = [start for start, *_ in spans]
    for entity, annotation in zip(document.entities, _annotations(document, infons), strict=True):
        made.passages[max(bisect_right(starts, entity.start) - 1, 0)].add_annotation(annotation)
    for given in unplaced_annotations(document.meta):
        annotation = bioc.BioCAnnotation()
        annotation.id, annotation.text = str(given.get("id") or ""), given.get("text")
        annotation.infons = infons(given["infons"])
        place = given.get("passage")
        inside = isinstance(place, int) and 0 <= place < len(spans)
        made.passages[place if inside else 0].add_annotation(annotation)
    for number, (relation_infons, nodes) in enumerate(_relations(document), 1):
        relation = bioc.BioCRelation()
        relation.id, relation.infons = f"R{number}", infons(relation_infons)
        for role, index in nodes.items():
            relation.add_node(bioc.BioCNode(f"T{index + 1}", role))
        made.add_relation(relation)
    return made


def _passages(document: Document) -> list[tuple[int, int, str]]:
    """The passages, together with text between them that is more than the spaces between offsets."""
    passages = document.passages or ((0, len(document.text), PLAIN),)
    covered = []
    for i, (start, end, kind) in enumerate(passages):
        following = passages[i + 1][0] if i + 1 < len(passages) else None
        between = document.text[end:following]
        if between.strip(" ") or (following is None and between):
            end += len(between)
        covered.append((0 if i == 0 and document.text[:start].strip(" ") else start, end, kind))
    return covered


def _annotations(document: Document, infons: Infons) -> Iterator[Any]:
    """An annotation for each entity, in their order, with the ids T1, T2, ..."""
    fragments = document.meta.get("fragments") or {}
    parts_of = document.meta.get("parts") or {}
    concepts = _concepts(document)
    others = _objects(document.meta, "entity_infons")
    for i, (entity, concept) in enumerate(zip(document.entities, concepts, strict=True)):
        annotation = bioc.BioCAnnotation()
        annotation.id = f"T{i + 1}"
        named = {"type": entity.label} | ({} if concept is None else {"identifier": concept})
        named |= {PARTS: parts_of[str(i)]} if str(i) in parts_of else {}
        annotation.infons = infons({**others.get(str(i), {}), **named})
        parts = sorted(fragments.get(str(i), [[entity.start, entity.end]]))
        annotation.text = " ".join(document.text[a:b] for a, b in parts)
        for start, end in parts:
            annotation.add_location(bioc.BioCLocation(start, end - start))
        yield annotation


def _concepts(document: Document) -> list[str | None]:
    concepts = document.meta.get("concepts")
    if concepts is not None and len(concepts) != len(document.entities):
        raise UnwritableError(
            document.id, f"its meta has {len(concepts)} concepts for {len(document.entities)} entities"
        )
    return concepts or [None] * len(document.entities)


def _relations(document: Document) -> Iterator[tuple[dict[str, Any], dict[str, int]]]:
    """Infons and nodes (entity index by role) of each relation: between mentions, then between concepts."""
    relations = stated(document.meta)
    carried = relations_between(document.entities, _concepts(document), [triple for triple, _ in relations])
    first = len(document.relations) - len(carried)  # of those that only concepts bring
    between = document.relations[:first] if document.relations[first:] == carried else document.relations
    others = _objects(document.meta, "relation_infons")
    for i, relation in enumerate(between):
        yield (
            {**others.get(str(i), {}), "type": relation.label},
            {"head": relation.head, "tail": relation.tail},
        )
    others = _objects(document.meta, "concept_relation_infons")
    for i, ((label, head, tail), novelty) in enumerate(relations):
        if not (label and head and tail):
            raise UnwritableError(document.id, f"BioC cannot hold the relation {[label, head, tail]}")
        named = {ENDS[0][0]: head, ENDS[0][1]: tail, "type": label}
        named |= {} if novelty is None else {NOVELTY: novelty}
        yield {**others.get(str(i), {}), **named}, {}


def _objects(meta: Mapping[str, Any], name: str) -> Mapping[str, Mapping[str, Any]]:
    """An object of objects in ``meta``, where any JSON may have this name; empty if it is something else."""
    value = meta.get(name)
    if isinstance(value, Mapping) and all(isinstance(item, Mapping) for item in value.values()):
        return value
    return {}

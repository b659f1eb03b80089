"""Documents to UIMA XMI with the layers of DKPro and INCEpTION: named entities and custom relations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from cassis import Cas, TypeSystem
from cassis.typesystem import TYPE_NAME_ANNOTATION, TYPE_NAME_STRING

from clinsynth.formats.errors import UnwritableError
from clinsynth.formats.xmi_reader import CONCEPT, DEPENDENT, GOVERNOR, NAMED_ENTITY, RELATION, VALUE
from clinsynth_onnx.document import Document

LABEL = "label"
XML_FORBIDS = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def files(document: Document) -> dict[str, bytes]:
    """The XMI file of a document by its ending. Raises ``UnwritableError`` on what XML has no place for."""
    for text in _strings(document):
        if match := XML_FORBIDS.search(text):
            raise UnwritableError(document.id, f"XML cannot hold the character {match[0]!r} unchanged")
    types = _types()
    cas = Cas(typesystem=types)
    cas.sofa_string, cas.sofa_mime = document.text, "text/plain"
    concepts = document.meta.get("concepts") or [None] * len(document.entities)
    mentions = []
    for entity, concept in zip(document.entities, concepts, strict=True):
        features = {"begin": entity.start, "end": entity.end, VALUE: entity.label, CONCEPT: concept}
        mentions.append(types.get_type(NAMED_ENTITY)(**features))
    relations = []
    for relation in document.relations:
        head, tail = mentions[relation.head], mentions[relation.tail]
        features = {"begin": tail.begin, "end": tail.end, LABEL: relation.label}
        relations.append(types.get_type(RELATION)(**features, **{GOVERNOR: head, DEPENDENT: tail}))
    for annotation in [*mentions, *relations]:
        cas.add(annotation)
    return {".xmi": cas.to_xmi().encode("utf-8")}


def shared() -> Mapping[str, bytes]:
    """The type system of the files."""
    return {"TypeSystem.xml": _types().to_xml().encode("utf-8")}


def _strings(document: Document) -> Iterator[str]:
    yield document.text
    yield from (entity.label for entity in document.entities)
    yield from (relation.label for relation in document.relations)
    yield from (concept for concept in document.meta.get("concepts") or () if concept)


@cache
def _types() -> Any:
    types = TypeSystem()
    named = types.create_type(NAMED_ENTITY, TYPE_NAME_ANNOTATION)
    for feature in (VALUE, CONCEPT):
        types.create_feature(named, feature, TYPE_NAME_STRING)
    relation = types.create_type(RELATION, TYPE_NAME_ANNOTATION)
    for feature in (GOVERNOR, DEPENDENT):
        types.create_feature(relation, feature, named)
    types.create_feature(relation, LABEL, TYPE_NAME_STRING)
    return types

"""What a document's ``meta`` says of concepts, as files have it.

``meta["concepts"]`` has an id, several, or ``None`` for each entity; ``meta["concept_relations"]`` the
relations between ids as (label, head, tail). A pair may have several relations, and a label may be symmetric:
what is stated is kept in the order in which it is stated. ``meta["novelty"]``, where a corpus tells it
(BioRED: "Novel" or "No"), has what it says of each of them, ``meta["concept_relation_scores"]`` how sure a
model is.
``clinsynth_onnx.concepts`` makes values of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from clinsynth_onnx.document import Document

Triple = tuple[str, str, str]

SEVERAL = re.compile("[,;]")
VARIANT = re.compile(r"[a-z]?\|")  # tmVar's c|SUB|G|35|A is one id; all else is several, joined by the bar
# what tmVar 3 adds to the id of a variant: other names of it, and the gene that it changes
ATTRIBUTE = re.compile(r"(HGVS|VariantGroup|Corresponding\w+|RS#|CA#|DataBase):")
NO_CONCEPT = frozenset({"", "-1", "-"})  # what corpora write for a mention without a concept
ABOUT_RELATIONS = frozenset(
    {"concept_relations", "concept_relation_scores", "concept_relation_infons", "relation_infons"}
    | {"novelty", "brat_roles"}
)


def without_scores(document: Document) -> Document:
    """The document without how sure a model is of its relations: equal to another that has the same ones."""
    meta = {key: value for key, value in document.meta.items() if key != "concept_relation_scores"}
    return replace(document, meta=meta)


def without_concepts(document: Document) -> Document:
    """The document as pairs of mentions are counted in it: each mention is a thing of its own."""
    meta = {k: value for k, value in document.meta.items() if k not in ABOUT_RELATIONS | {"concepts"}}
    return replace(document, meta=meta)


def names(field: str | None) -> tuple[str, ...]:
    """All that a mention's concept may be called: its single ids, and the field as it is.

    Several ids are joined by ``,`` (BioRED), ``;`` (tmVar 3) or ``|`` (BC5CDR, NCBI Disease).
    """
    if not field:
        return ()
    parts: list[str] = []
    for part in SEVERAL.split(field):
        parts += [part] if VARIANT.match(part) else part.split("|")
    return tuple(name for name in dict.fromkeys([*parts, field]) if name not in NO_CONCEPT)


def ids(field: str | None) -> tuple[str, ...]:
    """The single ids in a mention's field, each a concept, without what only describes one (tmVar 3)."""
    single = names(field)
    if len(single) > 1:
        single = tuple(name for name in single if name != field)
    return tuple(name for name in single if not ATTRIBUTE.match(name)) or single


def fields(document: Document) -> list[str | None]:
    """An id, several, or ``None`` for each entity.

    Raises ``ValueError`` if ``meta["concepts"]`` is something else.
    """
    given = document.meta.get("concepts") or [None] * len(document.entities)
    if not isinstance(given, list | tuple) or not all(x is None or isinstance(x, str) for x in given):
        raise ValueError(
            f"document {document.id!r}: its meta 'concepts' is no list of strings and nulls. Remedy: "
            "give an id, or null, for each entity"
        )
    if len(given) != len(document.entities):
        raise ValueError(
            f"document {document.id!r}: its meta has {len(given)} concepts for {len(document.entities)} "
            "entities. Remedy: give an id, or null, for each entity"
        )
    return list(given)


def stated(meta: Mapping[str, Any]) -> list[tuple[Triple, str | None]]:
    """The relations between concepts in a document's ``meta``, each with its novelty.

    Raises ``ValueError`` where these do not fit each other.
    """
    given = meta.get("concept_relations") or []
    if not isinstance(given, list | tuple) or not all(map(_is_triple, given)):
        raise ValueError("meta 'concept_relations' has to be a list of [label, head, tail], all strings")
    novelty = _of_each(meta, "novelty", len(given))
    return [((label, head, tail), new) for (label, head, tail), new in zip(given, novelty, strict=True)]


def about_relations(stated: Sequence[tuple[Triple, str | None]]) -> dict[str, Any]:
    """The inverse of ``stated``: what of ``meta`` keeps these relations between concepts."""
    meta: dict[str, Any] = {}
    if stated:
        meta["concept_relations"] = [list(triple) for triple, _ in stated]
    if any(novelty is not None for _, novelty in stated):
        meta["novelty"] = [novelty for _, novelty in stated]
    return meta


def scored(meta: Mapping[str, Any]) -> list[tuple[Triple, float]]:
    """The relations between concepts in a document's ``meta``, each with its score, 1 if it has none.

    Raises ``ValueError`` where these do not fit each other.
    """
    triples = [triple for triple, _ in stated(meta)]
    scores = [1.0 if x is None else x for x in _of_each(meta, "concept_relation_scores", len(triples))]
    if not all(isinstance(score, int | float) for score in scores):
        raise ValueError("meta 'concept_relation_scores' has to be a list of numbers")
    return [(triple, float(score)) for triple, score in zip(triples, scores, strict=True)]


def _is_triple(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 3 and all(isinstance(x, str) for x in value)


def _of_each(meta: Mapping[str, Any], key: str, count: int) -> Sequence[Any]:
    given = meta.get(key) or [None] * count
    if not isinstance(given, list | tuple) or len(given) != count:
        raise ValueError(f"meta {key!r} has to say something of each of the {count} concept_relations")
    return given

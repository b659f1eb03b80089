"""Relations that a corpus states between concepts, brought to the mentions of a text.

``meta["concepts"]`` has an id, several, or ``None`` for each entity; ``meta["concept_relations"]`` the
relations as the corpus states them: label, head concept, tail concept. A pair may have several
relations, and a label may be symmetric: what is stated is kept in the order in which it is stated.
``meta["novelty"]``, where a corpus tells it (BioRED: "Novel" or "No"), has what it says of each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clinsynth_onnx.document import Entity, Relation

Triple = tuple[str, str, str]

SEVERAL = re.compile("[,;]")
VARIANT = re.compile(r"[a-z]\|")  # tmVar's c|SUB|G|35|A is one id; all else is several, joined by the bar


def concepts_named(field: str | None) -> tuple[str, ...]:
    """All ids by which a mention's concept may be called: the field as it is, and its single ids.

    Several ids are joined by ``,`` (BioRED), ``;`` (tmVar 3) or ``|`` (BC5CDR, NCBI Disease).
    """
    if not field:
        return ()
    names = [field]
    for part in SEVERAL.split(field):
        names += [part] if VARIANT.match(part) else [part, *part.split("|")]
    return tuple(dict.fromkeys(filter(None, names)))


def relations_between(
    entities: Sequence[Entity], concepts: Sequence[str | None], triples: Sequence[Triple]
) -> tuple[Relation, ...]:
    """One relation for each (label, head concept, tail concept) that the text mentions.

    It joins the first mention of the head to the first mention of the tail. A mention may name several
    concepts (``concepts_named``); a relation may put the type before one, as PubTator 3 does
    (``Gene|673``). A concept without a mention has no relation, nor has one with itself; their triples
    stay in ``meta["concept_relations"]``, from where they are counted and written back.
    """
    first: dict[str, int] = {}
    for i in sorted(range(len(entities)), key=lambda i: (entities[i].start, entities[i].end, i)):
        for name in concepts_named(concepts[i]):
            first.setdefault(name, i)
    found: dict[Relation, None] = {}
    for label, head, tail in triples:
        ends = [first.get(mentioned(concept, first)) for concept in (head, tail)]
        if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
            found.setdefault(Relation(ends[0], ends[1], label))
    return tuple(found)


def mentioned(concept: str, names: Iterable[str]) -> str:
    """``concept`` as the mentions call it: without the type before it where only that is among ``names``."""
    return concept if concept in names else concept.partition("|")[2]


def stated(meta: Mapping[str, Any]) -> list[tuple[Triple, str | None]]:
    """The relations between concepts in a document's ``meta``, each with its novelty.

    Raises ``ValueError`` where these do not fit each other.
    """
    triples = [(label, head, tail) for label, head, tail in meta.get("concept_relations") or []]
    novelty = meta.get("novelty") or [None] * len(triples)
    return list(zip(triples, novelty, strict=True))


def about_relations(stated: Sequence[tuple[Triple, str | None]]) -> dict[str, Any]:
    """The inverse of ``stated``: what of ``meta`` keeps these relations between concepts."""
    meta: dict[str, Any] = {}
    if stated:
        meta["concept_relations"] = [list(triple) for triple, _ in stated]
    if any(novelty is not None for _, novelty in stated):
        meta["novelty"] = [novelty for _, novelty in stated]
    return meta

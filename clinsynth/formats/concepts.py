"""Relations that a corpus states between concepts, brought to the mentions of a text."""

from __future__ import annotations

from collections.abc import Sequence

from clinsynth_onnx.document import Entity, Relation


def relations_between(
    entities: Sequence[Entity], concepts: Sequence[str | None], triples: Sequence[tuple[str, str, str]]
) -> tuple[Relation, ...]:
    """One relation for each (label, head concept, tail concept) that the text mentions.

    It joins the first mention of the head to the first mention of the tail. A mention may name
    several concepts, joined by ``|``. A concept without a mention has no relation; its triple stays
    in ``meta["concept_relations"]``, from where it is counted and written back.
    """
    first: dict[str, int] = {}
    for i in sorted(range(len(entities)), key=lambda i: (entities[i].start, entities[i].end, i)):
        for concept in (concepts[i] or "").split("|"):
            if concept:
                first.setdefault(concept, i)
    found = dict.fromkeys(
        Relation(first[head], first[tail], label)
        for label, head, tail in triples
        if head in first and tail in first and first[head] != first[tail]
    )
    return tuple(found)

"""Numbers for what a document speaks of, as tags carry them: ``<Chemical id="1">``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from clinsynth_onnx.concept_fields import Triple
from clinsynth_onnx.concepts import ConceptRelation, concept_relations, concepts
from clinsynth_onnx.document import Document


def concept_numbers(document: Document) -> tuple[str, ...]:
    """A number for each entity, counted in the order of the text: that of its concept.

    A mention of several concepts has several numbers, joined by ``|``.
    """
    numbers: list[list[str]] = [[] for _ in document.entities]
    for number, concept in enumerate(concepts(document), 1):
        for i in concept.mentions:
            numbers[i].append(str(number))
    return tuple(map("|".join, numbers))


def numbered_relations(document: Document) -> list[Triple]:
    """The relations as (label, number of the head, number of the tail)."""
    return [(r.label, str(r.head + 1), str(r.tail + 1)) for r in concept_relations(document)]


def single_numbers(triples: Iterable[Triple]) -> Iterator[Triple]:
    """Relations of each thing that a mention stands for, where it stands for several (``1|2``), each once."""
    yield from dict.fromkeys(
        (label, one, other)
        for label, head, tail in triples
        for one in head.split("|")
        for other in tail.split("|")
        if one != other
    )


def relation_of_numbers(triple: Triple) -> ConceptRelation:
    """The inverse of ``numbered_relations``, of one relation."""
    label, head, tail = triple
    return ConceptRelation(int(head) - 1, int(tail) - 1, label)

"""The things that a document speaks of, and the relations between them.

A thing has mentions, wherever and by whatever name the text speaks of it. What a mention refers to is in the
document's ``meta``, as ``clinsynth_onnx.concept_fields`` says. Where nothing is said of it, as in pairs of
mentions in a sentence (GAD, EU-ADR), each mention is a concept of its own, and the document's ``relations``
join these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from clinsynth_onnx.concept_fields import ABOUT_RELATIONS, Triple, fields, ids, names, scored
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import Schema


@dataclass(frozen=True, slots=True)
class Concept:
    """A thing that a document speaks of.

    Attributes:
        name: Its id. Mentions of one id with two labels are two concepts.
        label: The label of its mentions.
        mentions: Indices into ``Document.entities``, in the order of the text. A mention with several ids is
            one of several concepts.
    """

    name: str
    label: str
    mentions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ConceptRelation:
    """A labelled, directed pair of concepts, given as indices into ``concepts(document)``."""

    head: int
    tail: int
    label: str
    score: float = field(default=1.0, compare=False)

    def __post_init__(self) -> None:
        if self.head < 0 or self.tail < 0 or self.head == self.tail:
            raise ValueError(
                f"{self.label} relation ({self.head}, {self.tail}) needs two different concept indices >= 0"
            )


def concepts(document: Document) -> tuple[Concept, ...]:
    """What the document speaks of, in the order of the first mentions; every entity is a mention.

    An entity without an id is a concept of its own. Raises ``ValueError`` if ``meta`` does not have an id or
    ``None`` for each entity.
    """
    return _Things(document.entities, fields(document)).concepts


def concept_relations(document: Document) -> tuple[ConceptRelation, ...]:
    """The relations between ``concepts(document)``, each once, in the order in which they are stated.

    Relations between mentions that no stated one brings about follow; they join all concepts of these
    mentions. What is stated of a concept that no mention has, or of one and itself, is left out: see
    ``unplaced_relations``. Raises ``ValueError`` if ``meta`` is not as it has to be.
    """
    things = _Things(document.entities, fields(document))
    found = dict.fromkeys(r for t, score in scored(document.meta) if (r := things.placed(t, score)))
    carried = set(things.between(found))
    for relation in document.relations:
        if relation not in carried:
            for head in things.of_mention(relation.head):
                for tail in things.of_mention(relation.tail):
                    if head != tail:
                        found.setdefault(ConceptRelation(head, tail, relation.label, relation.score))
    return tuple(found)


def unplaced_relations(document: Document) -> list[Triple]:
    """Stated relations of a concept that no mention has, or of one and itself.

    Raises ``ValueError`` if ``meta`` is not as it has to be.
    """
    things = _Things(document.entities, fields(document))
    return [triple for triple, _ in scored(document.meta) if things.placed(triple) is None]


def with_concept_relations(document: Document, relations: Iterable[ConceptRelation]) -> Document:
    """The document with these relations instead of its own; ``concept_relations`` reads them back.

    Mentions get relations too, for formats that know no others: as ``relations_between`` says, or these alone
    where no entity has an id. Raises ``ValueError`` if a relation joins a concept that is not there.
    """
    relations = tuple(dict.fromkeys(relations))
    given = fields(document)
    things = _Things(document.entities, given)
    for relation in relations:
        if max(relation.head, relation.tail) >= len(things.concepts):
            raise ValueError(
                f"document {document.id!r}: {relation.label} relation ({relation.head}, {relation.tail}) "
                f"joins a concept that is not there: the document has {len(things.concepts)}"
            )
    meta = {key: value for key, value in document.meta.items() if key not in ABOUT_RELATIONS}
    if relations and any(map(ids, given)):
        for relation in relations:
            for concept in (things.concepts[relation.head], things.concepts[relation.tail]):
                if not ids(given[concept.mentions[0]]):
                    given[concept.mentions[0]] = concept.name
        meta["concepts"] = given
        meta["concept_relations"] = [
            [r.label, things.reference(r.head), things.reference(r.tail)] for r in relations
        ]
        if any(relation.score != 1.0 for relation in relations):
            meta["concept_relation_scores"] = [relation.score for relation in relations]
    return replace(document, relations=things.between(relations), meta=meta)


def relations_between(
    entities: Sequence[Entity], fields: Sequence[str | None], triples: Iterable[Triple]
) -> tuple[Relation, ...]:
    """One relation of mentions for each (label, head concept, tail concept) that the text mentions.

    It joins the first mention of the head to the first mention of the tail, unless these are one. A relation
    may put the type before a concept, as PubTator 3 does (``Gene|673``). A concept without a mention has no
    relation, nor has one with itself.

    Args:
        entities: Mentions of a text.
        fields: An id, several, or ``None`` for each entity.
        triples: Label, head concept and tail concept of each relation.
    """
    things = _Things(entities, fields)
    return things.between(r for triple in triples if (r := things.placed(triple)))


def candidate_pairs(known: Sequence[Concept], schema: Schema) -> Iterator[tuple[int, int]]:
    """Ordered pairs of indices (head, tail) of concepts that ``candidate_labels`` has relations for."""
    labels = {concept.label for concept in known}
    allowed = {(a, b): schema.relations_between(a, b) for a in labels for b in labels}
    directed = {
        pair: any(not schema.relations[label].symmetric for label in between)
        for pair, between in allowed.items()
    }
    for i, head in enumerate(known):
        for j, tail in enumerate(known):
            pair = head.label, tail.label
            if i != j and allowed[pair] and (i < j or directed[pair]):
                yield i, j


def candidate_labels(head: int, tail: int, known: Sequence[Concept], schema: Schema) -> tuple[str, ...]:
    """Labels of the relations that two concepts, in this order, may have.

    A symmetric one is between two concepts only once: its head is mentioned first.
    """
    return tuple(
        label
        for label in schema.relations_between(known[head].label, known[tail].label)
        if head < tail or not schema.relations[label].symmetric
    )


def oriented(relations: Iterable[ConceptRelation], schema: Schema) -> tuple[ConceptRelation, ...]:
    """The relations as ``candidate_labels`` has them, each once: the head of symmetric ones comes first."""
    found: dict[ConceptRelation, None] = {}
    for relation in relations:
        kind = schema.relations.get(relation.label)
        if kind is not None and kind.symmetric and relation.head > relation.tail:
            relation = replace(relation, head=relation.tail, tail=relation.head)
        found.setdefault(relation)
    return tuple(found)


class _Things:
    """The concepts of a text, and what relations may call them."""

    def __init__(self, entities: Sequence[Entity], fields: Sequence[str | None]) -> None:
        order = sorted(range(len(entities)), key=lambda i: (entities[i].start, entities[i].end, i))
        taken = {name for given in fields for name in names(given)}
        mentions: dict[tuple[str, str], list[int]] = {}
        for i in order:
            for name in ids(fields[i]) or (_unused(f"mention {i}", taken),):
                mentions.setdefault((name, entities[i].label), []).append(i)
        self.concepts = tuple(Concept(*key, tuple(found)) for key, found in mentions.items())
        self._of: dict[int, list[int]] = {}
        self._called: dict[str, int] = {}
        for index, concept in enumerate(self.concepts):
            self._called.setdefault(concept.name, index)
            for i in concept.mentions:
                self._of.setdefault(i, []).append(index)
        for index, concept in enumerate(self.concepts):
            self._called.setdefault(f"{concept.label}|{concept.name}", index)
        for i in order:
            for name in names(fields[i]):
                self._called.setdefault(name, self._of[i][0])

    def of_mention(self, entity: int) -> Sequence[int]:
        """The concepts that a mention refers to."""
        return self._of[entity]

    def placed(self, triple: Triple, score: float = 1.0) -> ConceptRelation | None:
        """The relation that a triple states; ``None`` if no mention has a concept of it, or both are one."""
        head, tail = (self._called.get(c, self._called.get(c.partition("|")[2])) for c in triple[1:])
        if head is None or tail is None or head == tail:
            return None
        return ConceptRelation(head, tail, triple[0], score)

    def reference(self, index: int) -> str:
        """What to call a concept in a triple."""
        concept = self.concepts[index]
        return concept.name if self._called[concept.name] == index else f"{concept.label}|{concept.name}"

    def between(self, relations: Iterable[ConceptRelation]) -> tuple[Relation, ...]:
        """Relations of the first mentions."""
        found: dict[Relation, None] = {}
        for relation in relations:
            head, tail = (self.concepts[end].mentions[0] for end in (relation.head, relation.tail))
            if head != tail:
                found.setdefault(Relation(head, tail, relation.label, relation.score))
        return tuple(found)


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    return name

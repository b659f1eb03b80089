"""What a task is about: its entity types, its relation types and how they are defined.

The same value drives the prompt, the tags and the head of the network. It is
stated once, in a ``task.yaml``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from clinsynth_onnx.document import Document, Entity

Layout = Literal["prose", "lines"]


@dataclass(frozen=True)
class EntityType:
    """One kind of entity.

    Args:
        definition: What is meant by it, in one or two sentences.
        guidelines: Annotation rules: where a span begins and ends, what is not one.
        examples: A few typical mentions.
    """

    definition: str = ""
    guidelines: str = ""
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RelationType:
    """One kind of relation between two things that a text speaks of.

    Args:
        head: Labels that the first entity may have.
        tail: Labels that the second entity may have.
        definition: What is meant by it, in one or two sentences.
        none_label: What to call a pair of fitting entities that is not so related; the same for all
            relations of a task.
        guidelines: Annotation rules: what counts as so related, what does not.
        symmetric: Whether it has no direction, so that head and tail may be exchanged.
    """

    head: list[str]
    tail: list[str]
    definition: str = ""
    none_label: str = "None"
    guidelines: str = ""
    symmetric: bool = False

    def joins(self, head: str, tail: str) -> bool:
        """Whether entities with these labels, in this order, may be so related."""
        turned = self.symmetric and tail in self.head and head in self.tail
        return turned or (head in self.head and tail in self.tail)

    @property
    def joined_types(self) -> frozenset[tuple[str, str]]:
        """Labels of a head and a tail that may be so related; both orders if it is symmetric."""
        stated = {(head, tail) for head in self.head for tail in self.tail}
        return frozenset(stated | {(tail, head) for head, tail in stated} if self.symmetric else stated)


@dataclass(frozen=True)
class Schema:
    """A task: the labels to find and what diversifies text written for it.

    What a user sees says task. The name is that of ``schema`` in checkpoints and ``schema.json`` in bundles.

    Args:
        name: A short name, used in file and folder names.
        genre: The kind of text, e.g. "abstracts of biomedical articles".
        entities: Entity types by label.
        relations: Relation types by label.
        topics: What a text may be about.
        emphases: What a text may put weight on.
        layout: Whether a text is prose, or lines as clinical notes are: headings, lists, fragments.
    """

    name: str
    entities: dict[str, EntityType]
    relations: dict[str, RelationType] = field(default_factory=dict)
    genre: str = ""
    topics: list[str] = field(default_factory=list)
    emphases: list[str] = field(default_factory=list)
    layout: Layout = "prose"

    def __post_init__(self) -> None:
        if self.layout not in ("prose", "lines"):
            raise ValueError(f"task {self.name!r}: layout is prose or lines, not {self.layout!r}")
        if not self.entities:
            raise ValueError(f"task {self.name!r} needs at least one entity type under 'entities'")
        for label, relation in self.relations.items():
            for side in ("head", "tail"):
                named = getattr(relation, side)
                if not named:
                    raise ValueError(
                        f"task {self.name!r}: relation {label!r} needs entity labels under {side!r}"
                    )
                missing = [name for name in named if name not in self.entities]
                if missing:
                    raise ValueError(
                        f"task {self.name!r}: relation {label!r} names {missing[0]!r} as {side}, "
                        f"which is not among the entities ({', '.join(self.entities)})"
                    )
        none_labels = sorted({relation.none_label for relation in self.relations.values()})
        if len(none_labels) > 1:
            raise ValueError(
                f"task {self.name!r}: its relations have different none_labels, {' and '.join(none_labels)}, "
                "but a pair that is not related is so in all of them. Remedy: write the same for all"
            )

    @property
    def entity_labels(self) -> tuple[str, ...]:
        """Entity labels in the order of the task file, which is the order of the network's outputs."""
        return tuple(self.entities)

    @property
    def relation_labels(self) -> tuple[str, ...]:
        """Relation labels in the order of the task file."""
        return tuple(self.relations)

    @property
    def symmetric_labels(self) -> tuple[str, ...]:
        """Labels of relations without a direction."""
        return tuple(label for label, relation in self.relations.items() if relation.symmetric)

    @property
    def none_label(self) -> str:
        """What a pair is called that has none of the relations. Raises ``ValueError`` if there are none."""
        if not self.relations:
            raise ValueError(f"task {self.name!r} has no relation types: add some under 'relations'")
        return next(iter(self.relations.values())).none_label

    @property
    def joined_types(self) -> frozenset[tuple[str, str]]:
        """Labels of a head and a tail that some relation type allows."""
        return frozenset(pair for relation in self.relations.values() for pair in relation.joined_types)

    def relations_between(self, head: str, tail: str) -> tuple[str, ...]:
        """Labels of the relations that entities with these labels, in this order, may have."""
        return tuple(label for label, relation in self.relations.items() if relation.joins(head, tail))

    def candidate_pairs(self, document: Document) -> Iterator[tuple[int, int]]:
        """Ordered pairs of entity indices (head, tail) that some relation type allows."""
        joined = self.joined_types
        for i, head in enumerate(document.entities):
            for j, tail in enumerate(document.entities):
                if i != j and (head.label, tail.label) in joined:
                    yield i, j

    def count_pairs(self, document: Document) -> int:
        """How many pairs ``candidate_pairs`` gives, without making them."""
        counts = Counter(entity.label for entity in document.entities)
        return sum(
            counts[head] * (counts[tail] - 1 if head == tail else counts[tail])
            for head, tail in self.joined_types
        )

    def unknown_labels(self, entities: tuple[Entity, ...]) -> list[str]:
        """Labels of ``entities`` that this schema does not have, each once, sorted."""
        return sorted({e.label for e in entities} - set(self.entities))

    def to_json(self) -> dict[str, Any]:
        """A JSON object that ``from_json`` reads back to an equal Schema."""
        value = asdict(self)
        if self.layout == "prose":  # as it was before there were others: older readers know no such key
            del value["layout"]
        for relation in value["relations"].values():
            if not relation["symmetric"]:
                del relation["symmetric"]
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Schema:
        """Reads ``to_json``'s object; raises ``TypeError`` on a missing or unknown field."""
        return cls(
            **{
                **value,
                "entities": {k: EntityType(**(v or {})) for k, v in value["entities"].items()},
                "relations": {k: RelationType(**v) for k, v in value.get("relations", {}).items()},
            }
        )

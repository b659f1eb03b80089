"""The values every part of clinsynth exchanges: text, entities and relations.

Gold, synthetic and predicted data are all ``Document``s. Offsets are half-open
character (code point) offsets into the original, unmodified text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

# what corpus readers keep in ``Document.meta`` of single entities and relations
ABOUT_ENTITIES = frozenset(
    {
        "concepts",
        "concept_relations",
        "concept_relation_scores",
        "novelty",
        "fragments",
        "parts",
        "entity_infons",
        "relation_infons",
        "concept_relation_infons",
        "brat",
        "brat_ids",
        "brat_roles",
    }
)
# meta of a document of which nothing is known of relations, so that having none means nothing
RELATIONS_NOT_STATED = {"relations": "not stated"}


@dataclass(frozen=True, slots=True)
class Entity:
    """A labelled half-open character span, ``text[start:end]``."""

    start: int
    end: int
    label: str
    score: float = field(default=1.0, compare=False)  # so that prediction == gold

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"{self.label} span [{self.start}, {self.end}) is empty or reversed")
        if not self.label:
            raise ValueError(f"span [{self.start}, {self.end}) has an empty label")

    def overlaps(self, other: Entity) -> bool:
        """Whether the two spans share at least one character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Relation:
    """A labelled, directed pair of entities, given as indices into ``Document.entities``."""

    head: int
    tail: int
    label: str
    score: float = field(default=1.0, compare=False)

    def __post_init__(self) -> None:
        if self.head < 0 or self.tail < 0 or self.head == self.tail:
            raise ValueError(
                f"{self.label} relation ({self.head}, {self.tail}) needs two different entity indices >= 0"
            )
        if not self.label:
            raise ValueError(f"relation ({self.head}, {self.tail}) has an empty label")


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its entities and relations; raises ``ValueError`` on spans outside the text.

    ``meta`` holds JSON values only. It carries what a source format knows beyond
    spans and does not influence training or scores, but for these keys: ``relations``, where "not stated"
    makes a text no example of a text without relations; ``passages``, from one of which into the next no
    mention goes; and what ``clinsynth_onnx.concept_fields`` says of concepts and the relations between them.
    """

    text: str
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    id: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for entity in self.entities:
            if entity.end > len(self.text):
                raise ValueError(
                    f"document {self.id!r}: {entity.label} span [{entity.start}, {entity.end}) "
                    f"ends after the text, which has {len(self.text)} characters"
                )
        for relation in self.relations:
            if max(relation.head, relation.tail) >= len(self.entities):
                raise ValueError(
                    f"document {self.id!r}: {relation.label} relation ({relation.head}, {relation.tail}) "
                    f"names an entity that is not there: the document has {len(self.entities)}"
                )

    def mention(self, entity: Entity) -> str:
        """The characters that ``entity`` covers."""
        return self.text[entity.start : entity.end]

    @property
    def passages(self) -> tuple[tuple[int, int, str], ...]:
        """Start, end and type of each passage in ``meta["passages"]``, in the order of the text.

        Empty if there are none, or if what has that name is no list of spans of the text: any JSON may be
        in the meta of a document that comes from elsewhere.
        """
        given = self.meta.get("passages")
        if not isinstance(given, list | tuple):
            return ()
        found, done = [], 0
        for passage in given:
            if not isinstance(passage, list | tuple) or [type(x) for x in passage] != [int, int, str]:
                return ()
            start, end, kind = passage
            if not done <= start <= end <= len(self.text):
                return ()
            found.append((start, end, kind))
            done = end
        return tuple(found)

    @property
    def states_relations(self) -> bool:
        """Whether all relations are known, so that having none means that there is none."""
        return self.meta.get("relations") != RELATIONS_NOT_STATED["relations"]

    def relabelled(self, labels: Mapping[str, str]) -> Document:
        """The document with each entity label replaced by what ``labels`` calls it.

        Raises ``ValueError`` on a label that ``labels`` does not have.
        """
        unknown = sorted({entity.label for entity in self.entities} - set(labels))
        if unknown:
            raise ValueError(
                f"document {self.id!r} has the unknown label {unknown[0]!r}; known are {', '.join(labels)}"
            )
        return replace(self, entities=tuple(replace(e, label=labels[e.label]) for e in self.entities))

    def annotated(self, entities: tuple[Entity, ...]) -> Document:
        """The text with these entities instead, without relations and without meta of the old ones."""
        meta = {key: value for key, value in self.meta.items() if key not in ABOUT_ENTITIES}
        return Document(self.text, entities, (), self.id, meta)

    def to_json(self, mentions: bool = False) -> dict[str, Any]:
        """A JSON object that ``from_json`` reads back to an equal Document; scores are kept.

        Args:
            mentions: Whether each entity has its ``text`` too, for readers that do not count characters.
        """
        return {
            "id": self.id,
            "text": self.text,
            "entities": [
                {
                    "start": e.start,
                    "end": e.end,
                    "label": e.label,
                    **({"text": self.mention(e)} if mentions else {}),
                    **_score(e.score),
                }
                for e in self.entities
            ],
            "relations": [
                {"head": r.head, "tail": r.tail, "label": r.label, **_score(r.score)} for r in self.relations
            ],
            "meta": dict(self.meta),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Document:
        """Reads ``to_json``'s object. Raises ``ValueError`` that names the field at fault.

        An entity's ``text`` may be left out, but must be what the document has there: so offsets that
        count bytes, or belong to another text, are noticed.
        """
        unknown = set(value) - {"id", "text", "entities", "relations", "meta"}
        if unknown:
            raise ValueError(f"unknown field {sorted(unknown)[0]!r} in a document")
        if not isinstance(value.get("text"), str):
            raise ValueError("a document needs a string 'text'")
        identifier = value.get("id", "")
        if not isinstance(identifier, str):
            raise ValueError(f"a document's 'id' must be a string, not {identifier!r}")
        meta = value.get("meta", {})
        if not isinstance(meta, Mapping):
            raise ValueError("a document's 'meta' must be an object")
        document = cls(
            text=value["text"],
            entities=tuple(
                Entity(_integer(e, "start"), _integer(e, "end"), _string(e, "label"), _number(e))
                for e in _objects(value, "entities")
            ),
            relations=tuple(
                Relation(_integer(r, "head"), _integer(r, "tail"), _string(r, "label"), _number(r))
                for r in _objects(value, "relations")
            ),
            id=identifier,
            meta=dict(meta),
        )
        for entity, given in zip(document.entities, _objects(value, "entities"), strict=True):
            if given.get("text", document.mention(entity)) != document.mention(entity):
                raise ValueError(
                    f"{entity.label} span [{entity.start}, {entity.end}) is not where the document has its "
                    "'text'; offsets count characters (code points)"
                )
        return document


def passage_starts(document: Document) -> list[int]:
    """Where passages begin after the first character of the text, in order."""
    return sorted({start for start, *_ in document.passages if start > 0})


def _score(score: float) -> dict[str, float]:
    return {} if score == 1.0 else {"score": score}


def _objects(value: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    items = value.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise ValueError(f"a document's {key!r} must be a list of objects")
    return items


def _integer(value: Mapping[str, Any], key: str) -> int:
    number = value.get(key)
    if not isinstance(number, int) or isinstance(number, bool):
        raise ValueError(f"{key!r} must be a whole number, not {number!r}")
    return number


def _string(value: Mapping[str, Any], key: str) -> str:
    text = value.get(key)
    if not isinstance(text, str):
        raise ValueError(f"{key!r} must be a string, not {text!r}")
    return text


def _number(value: Mapping[str, Any]) -> float:
    score = value.get("score", 1.0)
    if not isinstance(score, int | float) or isinstance(score, bool):
        raise ValueError(f"'score' must be a number, not {score!r}")
    return float(score)

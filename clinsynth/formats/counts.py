"""How much of what is in a corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from clinsynth.formats.unplaced import unplaced_annotations
from clinsynth_onnx.concept_fields import stated
from clinsynth_onnx.concepts import unplaced_relations
from clinsynth_onnx.document import Document


@dataclass(frozen=True, slots=True)
class Counts:
    """Totals over documents.

    Attributes:
        documents: Number of documents.
        distinct: Number of different texts.
        characters: Characters of all texts.
        entities: Mentions by label.
        relations: Relations by label, between mentions.
        concept_relations: Relations by label, as a corpus states them between concepts.
        unmentioned: Of these, those with a concept that no mention names. The others may still be
            more than ``relations``: mentions of several concepts carry several at once.
        unplaced: Annotations by label that are about a document and have no place in its text.
    """

    documents: int
    distinct: int
    characters: int
    entities: dict[str, int]
    relations: dict[str, int]
    concept_relations: dict[str, int]
    unmentioned: int
    unplaced: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def count(documents: Iterable[Document]) -> Counts:
    """Counts documents in one pass."""
    texts = Counter[str]()
    entities, relations, concept_relations = Counter[str](), Counter[str](), Counter[str]()
    unplaced = Counter[str]()
    unmentioned = 0
    for document in documents:
        texts[document.text] += 1
        entities.update(e.label for e in document.entities)
        relations.update(r.label for r in document.relations)
        concept_relations.update(label for (label, *_), _ in stated(document.meta))
        for annotation in unplaced_annotations(document.meta):
            unplaced[annotation["infons"].get("type", "without a type")] += 1
        unmentioned += sum(head != tail for _, head, tail in unplaced_relations(document))
    return Counts(
        documents=texts.total(),
        distinct=len(texts),
        characters=sum(len(text) * n for text, n in texts.items()),
        entities=dict(sorted(entities.items())),
        relations=dict(sorted(relations.items())),
        concept_relations=dict(sorted(concept_relations.items())),
        unmentioned=unmentioned,
        unplaced=dict(sorted(unplaced.items())),
    )

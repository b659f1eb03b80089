"""The labels of a corpus against those of a task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from clinsynth.formats.spelling import nearest
from clinsynth_onnx.concept_fields import about_relations, fields, stated
from clinsynth_onnx.concepts import unplaced_relations
from clinsynth_onnx.document import Document, Relation
from clinsynth_onnx.schema import Schema


def restrict(document: Document, schema: Schema) -> Document:
    """The document with only the entities that ``schema`` knows, and the relations between these.

    What a corpus states of a concept without a mention stays, as nobody knows its label.
    """
    kept = [i for i, e in enumerate(document.entities) if e.label in schema.entities]
    if len(kept) == len(document.entities):
        return document
    place = {old: new for new, old in enumerate(kept)}
    relations = tuple(
        Relation(place[r.head], place[r.tail], r.label, r.score)
        for r in document.relations
        if r.head in place and r.tail in place
    )
    bare = document.annotated(tuple(document.entities[i] for i in kept))
    given = fields(document)
    meta = dict(bare.meta) | ({"concepts": [given[i] for i in kept]} if any(given) else {})
    all_stated = stated(document.meta)
    fewer = replace(bare, meta=meta | about_relations(all_stated))
    gone = set(unplaced_relations(fewer)) - set(unplaced_relations(document))
    left = [(triple, novelty) for triple, novelty in all_stated if triple not in gone]
    return replace(bare, relations=relations, meta=meta | about_relations(left))


def other_labels(documents: Iterable[Document], schema: Schema) -> Counter[str]:
    """Mentions by label, of the entity labels that ``schema`` does not have."""
    return Counter(
        entity.label
        for document in documents
        for entity in document.entities
        if entity.label not in schema.entities
    )


def tell_other_labels(counts: Counter[str], schema: Schema) -> str:
    """A list of labels with their mentions and, where there is a similar one, the label of the task."""
    by_lowercase = {label.lower(): label for label in schema.entities}
    told = []
    for label, mentions in counts.most_common():
        close = nearest(label.lower(), by_lowercase)
        told.append(f"{mentions} {label}" + (f" (near {by_lowercase[close]})" if close else ""))
    return ", ".join(told)

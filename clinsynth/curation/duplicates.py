"""Documents that say again what an earlier one says."""

from __future__ import annotations

from collections.abc import Sequence

from clinsynth.curation.similarity import NearIndex, words
from clinsynth.formats.rejects import Rejected
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

EXACT = "exact duplicate"
NEAR = "near duplicate"

Content = tuple[object, ...]


def distinct(
    documents: Sequence[Document], threshold: float, schema: Schema
) -> tuple[list[Document], list[Rejected]]:
    """The first of each group of documents that say the same, and the others.

    Args:
        documents: Documents to compare, in the order in which they count as first.
        threshold: Jaccard similarity of word shingles from which two texts are near duplicates.
        schema: Task of the documents.

    The same text with other judged mentions, or another label, is no duplicate of a relation example.
    """
    kept: list[Document] = []
    rejects: list[Rejected] = []
    seen: dict[tuple[Content, Content], str] = {}
    indices: dict[Content, NearIndex] = {}
    for document in documents:
        group = _judged(document, schema)
        exact = (tuple(words(document.text)), group)
        if exact in seen:
            rejects.append(Rejected(EXACT, document.text, document.id, f"of {seen[exact]}"))
            continue
        index = indices.setdefault(group, NearIndex(threshold))
        near = index.near(document.text)
        if near:
            other, similarity = near[0]
            of = f"of {kept[int(str(other))].id}, similarity {similarity:.2f}"
            rejects.append(Rejected(NEAR, document.text, document.id, of))
            continue
        seen[exact] = document.id
        index.add(len(kept), document.text)
        kept.append(document)
    return kept, rejects


def _judged(document: Document, schema: Schema) -> Content:
    """What tells two judged pairs with the same text apart; nothing for other documents."""
    pairs = document.states_relations and schema.count_pairs(document)
    if len(document.entities) != 2 or pairs != 1:
        return ()
    mentions = sorted((e.label, document.mention(e).lower()) for e in document.entities)
    return (tuple(mentions), tuple(sorted(r.label for r in document.relations)))

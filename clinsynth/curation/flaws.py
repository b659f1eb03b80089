"""Taking flawed sentences out of documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from clinsynth.formats.rejects import Rejected
from clinsynth_onnx.document import ABOUT_ENTITIES, Document, Entity
from clinsynth_onnx.schema import Layout
from clinsynth_onnx.sentences import sentences


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something in a document that makes its sentence unfit.

    Args:
        document: Index of the document.
        start: Where it begins, in characters.
        end: Where it ends.
        reason: Why, in words that are the same for all such cases and hold none of the text.
        detail: What in particular.
    """

    document: int
    start: int
    end: int
    reason: str
    detail: str = ""


def without(
    documents: Sequence[Document], flaws: Iterable[Flaw], layout: Layout = "prose"
) -> tuple[list[Document], list[Rejected]]:
    """The documents without their flawed sentences, and what was taken out.

    A document with relations is taken out as a whole, as its relations belong to all of it, and one whose
    meta tells of single mentions; so is one of which nothing is left, or whose mentions cross the border
    of a sentence that goes. Passages of which something is left stay, where their text is then.
    """
    by_document: dict[int, list[Flaw]] = defaultdict(list)
    for flaw in flaws:
        by_document[flaw.document].append(flaw)
    kept: list[Document] = []
    rejects: list[Rejected] = []
    for index, document in enumerate(documents):
        found = by_document.get(index)
        if not found:
            kept.append(document)
            continue
        rest, cuts = _cut(document, found, layout)
        if rest is not None:
            kept.append(rest)
        rejects += [
            Rejected(flaw.reason, document.text[start:end], document.id, flaw.detail)
            for (start, end), flaw in cuts
        ]
    return kept, rejects


def _cut(
    document: Document, flaws: Sequence[Flaw], layout: Layout
) -> tuple[Document | None, list[tuple[tuple[int, int], Flaw]]]:
    """What is left of a document, and the spans taken out, each with its first flaw."""
    whole = [((0, len(document.text)), flaws[0])]
    if document.relations or ABOUT_ENTITIES & document.meta.keys():
        return None, whole
    cuts = []
    for start, end in sentences(document, layout):
        hit = next((flaw for flaw in flaws if flaw.start < end and start < flaw.end), None)
        if hit is not None:
            cuts.append(((start, end), hit))
    gone = [span for span, _ in cuts]

    def moved(place: int) -> int:
        return place - sum(min(place, end) - start for start, end in gone if start < place)

    entities: list[Entity] = []
    for entity in document.entities:
        inside = [span for span in gone if entity.start < span[1] and span[0] < entity.end]
        if not inside:
            entities.append(replace(entity, start=moved(entity.start), end=moved(entity.end)))
        elif not (len(inside) == 1 and inside[0][0] <= entity.start and entity.end <= inside[0][1]):
            return None, whole
    text, done = "", 0
    for start, end in gone:
        text, done = text + document.text[done:start], end
    text += document.text[done:]
    if not text.strip():
        return None, whole
    meta = dict(document.meta)
    if document.passages:
        places = [(moved(start), moved(end), kind) for start, end, kind in document.passages]
        meta["passages"] = [[start, end, kind] for start, end, kind in places if start < end]
    return Document(text, tuple(entities), (), document.id, meta), cuts

"""Taking flawed sentences out of documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clinsynth.formats.rejects import Rejected
from clinsynth_onnx.document import ABOUT_ENTITIES, Document, Entity
from clinsynth_onnx.sentences import sentence_starts


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


def sentences(text: str) -> list[tuple[int, int]]:
    """Begin and end of each sentence, the white space after it included."""
    starts = sentence_starts(text)
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def without(documents: Sequence[Document], flaws: Iterable[Flaw]) -> tuple[list[Document], list[Rejected]]:
    """The documents without their flawed sentences, and what was taken out.

    A document with relations is taken out as a whole, as its relations belong to all of it, and one with
    passages, as these would lie elsewhere; so is one of which nothing is left, or whose mentions cross
    the border of a sentence that goes.
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
        rest, cuts = _cut(document, found)
        if rest is not None:
            kept.append(rest)
        rejects += [
            Rejected(flaw.reason, document.text[start:end], document.id, flaw.detail)
            for (start, end), flaw in cuts
        ]
    return kept, rejects


def _cut(
    document: Document, flaws: Sequence[Flaw]
) -> tuple[Document | None, list[tuple[tuple[int, int], Flaw]]]:
    """What is left of a document, and the spans taken out, each with its first flaw."""
    whole = [((0, len(document.text)), flaws[0])]
    if document.relations or (ABOUT_ENTITIES | {"passages"}) & document.meta.keys():
        return None, whole
    cuts = []
    for start, end in sentences(document.text):
        hit = next((flaw for flaw in flaws if flaw.start < end and start < flaw.end), None)
        if hit is not None:
            cuts.append(((start, end), hit))
    gone = [span for span, _ in cuts]
    entities: list[Entity] = []
    for entity in document.entities:
        inside = [span for span in gone if entity.start < span[1] and span[0] < entity.end]
        if not inside:
            before = sum(end - start for start, end in gone if end <= entity.start)
            entities.append(Entity(entity.start - before, entity.end - before, entity.label, entity.score))
        elif not (len(inside) == 1 and inside[0][0] <= entity.start and entity.end <= inside[0][1]):
            return None, whole
    text, done = "", 0
    for start, end in gone:
        text, done = text + document.text[done:start], end
    text += document.text[done:]
    if not text.strip():
        return None, whole
    return Document(text, tuple(entities), (), document.id, document.meta), cuts

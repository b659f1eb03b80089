"""Whether a blind second annotation of a text agrees with the first."""

from __future__ import annotations

from collections.abc import Iterator

from clinsynth.curation.flaws import Flaw
from clinsynth_onnx.document import Document

DISAGREES = "the second pass disagrees"


def disagreements(index: int, document: Document, second: Document) -> Iterator[Flaw]:
    """A flaw for each mention that only one of the two has, or if their relations differ.

    Args:
        index: Of the document.
        document: As it was written.
        second: The same text, annotated without knowledge of the first annotation.
    """
    for entity in sorted(set(document.entities) ^ set(second.entities), key=lambda e: (e.start, e.end)):
        which = "first" if entity in document.entities else "second"
        detail = f"only the {which} pass has {entity.label} at [{entity.start}, {entity.end})"
        yield Flaw(index, entity.start, entity.end, DISAGREES, detail)
    if _stated(document) != _stated(second):
        yield Flaw(index, 0, len(document.text), DISAGREES, "the relations differ")


def _stated(document: Document) -> set[tuple[str, object, object]]:
    """Relations between concepts, or between mentions without one: any mention stands for its concept."""
    concepts = document.meta.get("concepts")
    if not isinstance(concepts, list) or len(concepts) != len(document.entities):
        concepts = [None] * len(document.entities)
    names = [i if concept is None else concept for i, concept in enumerate(concepts)]
    return {(one.label, names[one.head], names[one.tail]) for one in document.relations}

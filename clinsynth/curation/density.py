"""How long texts are and how much is marked in them, beside what was asked for and beside real text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from clinsynth.curation.similarity import words
from clinsynth_onnx.concepts import concept_relations
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Layout
from clinsynth_onnx.sentences import sentences

TITLE = 1  # sentences that a text may have beyond those asked for
PIECES: dict[Layout, str] = {"prose": "sentences", "lines": "lines"}


def density(documents: Sequence[Document], layout: Layout = "prose") -> dict[str, float]:
    """Means over documents, without text.

    Args:
        documents: A corpus.
        layout: Whether texts are prose or lines.
    """
    texts = [pieces(document, layout) for document in documents]
    total = sum(map(len, texts))
    length = sum(len(words(document.text)) for document in documents)
    mentions = Counter(entity.label for document in documents for entity in document.entities)
    untagged = sum(
        not _tagged(document, piece) for document, p in zip(documents, texts, strict=True) for piece in p
    )
    name = PIECES[layout]
    found = {
        f"{name} a document": _ratio(total, len(documents)),
        f"share of {name} with nothing tagged": _ratio(untagged, total),
        **{f"{label} in 100 words": _ratio(100 * n, length) for label, n in sorted(mentions.items())},
    }
    stated = [document for document in documents if document.states_relations]
    related = sum(len(concept_relations(document)) for document in stated)
    return found | ({"relations a document": _ratio(related, len(stated))} if related else {})


def beside(parts: Mapping[str, Sequence[Document]], layout: Layout = "prose") -> dict[str, dict[str, float]]:
    """Each measure of ``density`` for every part that has it: written text, and splits of a real corpus."""
    found: dict[str, dict[str, float]] = {}
    for name, documents in parts.items():
        for measure, value in density(documents, layout).items():
            found.setdefault(measure, {})[name] = value
    return found


def departures(
    documents: Sequence[Document], shortest: int, longest: int, untagged: float, layout: Layout = "prose"
) -> dict[str, Any]:
    """Where a writer did otherwise than it was asked; a title counts as no sentence.

    Args:
        documents: Whole texts as they were written.
        shortest: Sentences of a document at least, or lines.
        longest: Sentences of a document at most, or lines.
        untagged: Share of sentences, or lines, that were to have nothing to tag, from 0 to 1.
        layout: Whether texts are prose or lines.
    """
    name = PIECES[layout]
    most = longest + (TITLE if layout == "prose" else 0)
    lengths = [len(pieces(document, layout)) for document in documents]
    found = density(documents, layout).get(f"share of {name} with nothing tagged", 0.0)
    return {
        f"documents of less than {shortest} {name}": sum(n < shortest for n in lengths),
        f"documents of more than {most} {name}": sum(n > most for n in lengths),
        f"share of {name} with nothing tagged": {"asked for": untagged, "written": found},
    }


def pieces(document: Document, layout: Layout = "prose") -> list[tuple[int, int]]:
    """Begin and end of each sentence, or of each line: what a writer is asked for, blank ones left out."""
    spans = sentences(document)
    if layout == "lines":
        ends = [match.end() for match in re.finditer("\n", document.text)]
        spans = list(zip([0, *ends], [*ends, len(document.text)], strict=True))
    return [(start, end) for start, end in spans if document.text[start:end].strip()]


def _tagged(document: Document, piece: tuple[int, int]) -> bool:
    return any(entity.start < piece[1] and piece[0] < entity.end for entity in document.entities)


def _ratio(part: float, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0

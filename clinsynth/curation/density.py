"""How long texts are and how much is marked in them, beside what was asked for and beside real text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from clinsynth.curation.flaws import sentences
from clinsynth.curation.similarity import words
from clinsynth_onnx.concepts import concept_relations
from clinsynth_onnx.document import Document

TITLE = 1  # sentences that a text may have beyond those asked for


def density(documents: Sequence[Document], lines: bool = False) -> dict[str, float]:
    """Means over documents, without text.

    Args:
        documents: A corpus.
        lines: Whether texts are lines rather than prose.
    """
    pieces = [_pieces(document, lines) for document in documents]
    total = sum(map(len, pieces))
    length = sum(len(words(document.text)) for document in documents)
    mentions = Counter(entity.label for document in documents for entity in document.entities)
    untagged = sum(
        not _tagged(document, piece) for document, p in zip(documents, pieces, strict=True) for piece in p
    )
    name = "lines" if lines else "sentences"
    found = {
        f"{name} a document": _ratio(total, len(documents)),
        f"share of {name} with nothing tagged": _ratio(untagged, total),
        **{f"{label} in 100 words": _ratio(100 * n, length) for label, n in sorted(mentions.items())},
    }
    stated = [document for document in documents if document.states_relations]
    related = sum(len(concept_relations(document)) for document in stated)
    return found | ({"relations a document": _ratio(related, len(stated))} if related else {})


def beside(parts: Mapping[str, Sequence[Document]], lines: bool = False) -> dict[str, dict[str, float]]:
    """Each measure of ``density`` for every part that has it: written text, and splits of a real corpus."""
    found: dict[str, dict[str, float]] = {}
    for name, documents in parts.items():
        for measure, value in density(documents, lines).items():
            found.setdefault(measure, {})[name] = value
    return found


def departures(
    documents: Sequence[Document], shortest: int, longest: int, untagged: float, lines: bool = False
) -> dict[str, Any]:
    """Where a writer did otherwise than it was asked; a title counts as no sentence.

    Args:
        documents: Whole texts as they were written.
        shortest: Sentences of a document at least, or lines.
        longest: Sentences of a document at most, or lines.
        untagged: Share of sentences, or lines, that were to have nothing to tag, from 0 to 1.
        lines: Whether texts are lines rather than prose.
    """
    name = "lines" if lines else "sentences"
    most = longest + (0 if lines else TITLE)
    pieces = [len(_pieces(document, lines)) for document in documents]
    found = density(documents, lines).get(f"share of {name} with nothing tagged", 0.0)
    return {
        f"documents of less than {shortest} {name}": sum(n < shortest for n in pieces),
        f"documents of more than {most} {name}": sum(n > most for n in pieces),
        f"share of {name} with nothing tagged": {"asked for": untagged, "written": found},
    }


def _pieces(document: Document, lines: bool) -> list[tuple[int, int]]:
    if not lines:
        return [span for span in sentences(document) if document.text[slice(*span)].strip()]
    found, start = [], 0
    for line in document.text.splitlines(keepends=True):
        if line.strip():
            found.append((start, start + len(line)))
        start += len(line)
    return found


def _tagged(document: Document, piece: tuple[int, int]) -> bool:
    return any(entity.start < piece[1] and piece[0] < entity.end for entity in document.entities)


def _ratio(part: float, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0

"""What a corpus is like: lengths, labels, variety, and how its words differ from a real corpus's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from clinsynth.curation.similarity import words
from clinsynth.formats.counts import count
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Layout
from clinsynth_onnx.sentences import sentences

QUANTILES = {"lowest": 0, "quarter": 25, "median": 50, "three quarters": 75, "highest": 100}  # percentiles


def balance(documents: Sequence[Document], layout: Layout = "prose") -> dict[str, Any]:
    """Counts, quantiles of length, and measures of variety; no text.

    ``distinct_n`` is the share of different runs of n words among all (Li et al. 2016), which falls as
    a corpus grows: compare corpora of one size.
    """
    tokens = [words(document.text) for document in documents]
    counts = count(documents)
    mentions: dict[str, Counter[str]] = {}
    for document in documents:
        for entity in document.entities:
            mentions.setdefault(entity.label, Counter())[document.mention(entity).lower()] += 1
    return {
        "documents": counts.documents,
        "sentences": sum(len(sentences(document, layout)) for document in documents),
        "words": sum(map(len, tokens)),
        "words_a_document": _quantiles([len(document) for document in tokens]),
        "characters_a_document": _quantiles([len(document.text) for document in documents]),
        "mentions": counts.entities,
        "distinct_mentions": {label: len(found) for label, found in sorted(mentions.items())},
        "share_of_most_frequent_mention": {
            label: round(found.most_common(1)[0][1] / found.total(), 4)
            for label, found in sorted(mentions.items())
        },
        "documents_without_mentions": sum(not document.entities for document in documents),
        "relations": counts.relations,
        "documents_without_relations": sum(not document.relations for document in documents),
        **{f"distinct_{n}": _distinct(tokens, n) for n in (1, 2, 3)},
    }


def vocabulary_gap(documents: Sequence[Document], real: Sequence[Document]) -> dict[str, Any]:
    """How much of a real corpus's vocabulary a corpus has; shares, no words.

    Types count each word once, tokens each time it occurs. ``unreal_types`` is the share of the
    corpus's own words that the real corpus does not have.
    """
    written = Counter(word for document in documents for word in words(document.text))
    found = Counter(word for document in real for word in words(document.text))
    gap: dict[str, Any] = {
        "types": _share(len(written.keys() & found.keys()), len(found)),
        "tokens": _share(sum(n for word, n in found.items() if word in written), found.total()),
        "unreal_types": _share(len(written.keys() - found.keys()), len(written)),
    }
    for label in sorted({entity.label for document in real for entity in document.entities}):
        mine, theirs = _mentions(documents, label), _mentions(real, label)
        gap[f"mentions of {label}"] = _share(len(mine & theirs), len(theirs))
    return gap


def _mentions(documents: Iterable[Document], label: str) -> set[str]:
    return {d.mention(e).lower() for d in documents for e in d.entities if e.label == label}


def _quantiles(values: Sequence[int]) -> list[float]:
    return [float(value) for value in np.percentile(values, list(QUANTILES.values()))] if values else []


def _distinct(tokens: Sequence[Sequence[str]], size: int) -> float:
    runs = Counter(tuple(text[i : i + size]) for text in tokens for i in range(len(text) - size + 1))
    return _share(len(runs), runs.total())


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0

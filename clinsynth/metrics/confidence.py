"""Whether a model's confidence means what it says, and what a threshold on it would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from clinsynth.metrics.concept_counts import JudgedRelations
from clinsynth.metrics.scores import Floats, f1, ratio
from clinsynth_onnx.document import Document

BINS = 10
NORMAL = 1.959964  # the 97.5 % quantile of the standard normal distribution


@dataclass(frozen=True, slots=True)
class Judged:
    """All that was found, with the confidence in it and whether gold has it.

    Attributes:
        scores: Confidences ``[found]``, from 0 to 1.
        right: Whether each is right, to the character; ``[found]``.
        gold: How many there are in gold.
    """

    scores: Floats
    right: Floats
    gold: int

    @property
    def informative(self) -> bool:
        """Whether confidences differ: where all are the same, there is nothing to say of them."""
        return len(np.unique(self.scores)) > 1


@dataclass(frozen=True, slots=True)
class Bin:
    """What was found with a confidence above ``low``, up to ``high``.

    Attributes:
        found: How many.
        confidence: The mean of their confidences.
        right: The share that is right, with the 95 % interval of Wilson 1927.
    """

    low: float
    high: float
    found: int
    confidence: float
    right: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Threshold:
    """What is left if only what was found with at least this confidence is kept."""

    threshold: float
    precision: float
    recall: float
    f1: float


def judged_entities(pairs: Iterable[tuple[Document, Document]]) -> Judged:
    """Found entities of (gold, found) documents; right if offsets and label are."""
    scores: list[float] = []
    right: list[bool] = []
    gold = 0
    for true, found in pairs:
        gold += len(true.entities)
        scores += [entity.score for entity in found.entities]
        right += _right(true.entities, found.entities)
    return Judged(np.array(scores, dtype=np.float64), np.array(right, dtype=np.float64), gold)


def judged_relations(judged: Iterable[JudgedRelations]) -> Judged:
    """Found relations of documents; right if label and both things are."""
    scores: list[float] = []
    right: list[bool] = []
    stated = 0
    for document in judged:
        stated += len(document.stated)
        scores += document.found.values()
        right += [key in document.stated for key in document.found]
    return Judged(np.array(scores, dtype=np.float64), np.array(right, dtype=np.float64), stated)


def _right(true: Iterable[Hashable], found: Iterable[Hashable]) -> Iterator[bool]:
    left = Counter(true)
    for one in found:
        left[one] -= 1
        yield left[one] >= 0


def calibration(judged: Judged, bins: int = BINS) -> list[Bin]:
    """Bins of equal width that have something in them, from low to high confidence (Guo et al. 2017)."""
    edges = np.linspace(0, 1, bins + 1)
    which = np.clip(np.ceil(judged.scores * bins).astype(np.int64) - 1, 0, bins - 1)
    result = []
    for i in range(bins):
        inside = which == i
        if inside.any():
            right, n = float(judged.right[inside].mean()), int(inside.sum())
            result.append(
                Bin(
                    float(edges[i]),
                    float(edges[i + 1]),
                    n,
                    float(judged.scores[inside].mean()),
                    right,
                    wilson(right, n),
                )
            )
    return result


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """Mean distance of confidence from the share that is right (ECE, Naeini et al. 2015); from 0 to 1."""
    total = sum(each.found for each in bins)
    return sum(each.found * abs(each.right - each.confidence) for each in bins) / total if total else 0.0


def by_threshold(judged: Judged) -> list[Threshold]:
    """Precision, recall and F1 at each confidence that occurs, from low to high.

    Recall ends at what the model finds at all: what it gives no confidence to cannot be won back.
    """
    order = np.argsort(-judged.scores, kind="stable")
    scores, right = judged.scores[order], np.cumsum(judged.right[order])
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True)) if len(scores) else np.zeros(0, np.int64)
    precision = ratio(right[last], last + 1)
    recall = ratio(right[last], np.full(len(last), float(judged.gold)))
    rows = zip(scores[last], precision, recall, f1(precision, recall), strict=True)
    return [Threshold(*map(float, row)) for row in rows][::-1]


def at(thresholds: Sequence[Threshold], threshold: float) -> Threshold:
    """What a threshold leaves; nothing, with precision 0, if it is above all confidences."""
    kept = next((each for each in thresholds if each.threshold >= threshold), None)
    if kept is None:
        return Threshold(threshold, 0.0, 0.0, 0.0)
    return Threshold(threshold, kept.precision, kept.recall, kept.f1)


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``n`` (Wilson 1927)."""
    z2 = NORMAL**2 / n
    middle = (share + z2 / 2) / (1 + z2)
    half = NORMAL * sqrt(share * (1 - share) / n + z2 / (4 * n)) / (1 + z2)
    return max(0.0, middle - half), min(1.0, middle + half)

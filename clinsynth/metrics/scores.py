"""From counts to precision, recall, F1, accuracy and correlation, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clinsynth.metrics.concept_counts import FOUND, RIGHT, STATED, VIEWS
from clinsynth.metrics.counts import GOLD, PREDICTED, RELAXED_GOLD, RELAXED_PREDICTED, STRICT, IntArray

Floats = NDArray[np.float64]

SAMPLES = 1000
SEED = 20230304
INTERVAL = (2.5, 97.5)
FEW_DOCUMENTS = 10  # errors of one document go together, so that many annotations of a few do not help


@dataclass(frozen=True, slots=True)
class Score:
    """A figure and the 95 % percentile bootstrap interval over documents (Efron 1979).

    Fewer than two documents have no interval: all draws from them are alike.
    """

    value: float
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, float | None]:
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Result:
    """All figures of one evaluation.

    Attributes:
        scores: By name; names of one label's figures end in ``/LABEL``.
        support: How many there are in gold, by label.
        documents: How many were scored.
        views: How many there are in gold of what other figures are about, by the beginning of their names.
        always: Figures of always answering with a relation, beside which those of pairs have to be read.
    """

    scores: Mapping[str, Score]
    support: Mapping[str, int]
    documents: int
    views: Mapping[str, int] = field(default_factory=dict)
    always: Mapping[str, float] = field(default_factory=dict)

    def flat(self) -> dict[str, float]:
        """The figures alone."""
        return {name: score.value for name, score in self.scores.items()}

    def to_json(self) -> dict[str, Any]:
        return {
            "documents": self.documents,
            "support": dict(self.support),
            **({"views": dict(self.views)} if self.views else {}),
            **({"always_related": dict(self.always)} if self.always else {}),
            "interval": "95 % percentile bootstrap over documents" if self.documents > 1 else None,
            "scores": {name: score.to_json() for name, score in self.scores.items()},
        }


def ratio(part: Floats | IntArray, whole: Floats | IntArray) -> Floats:
    """``part / whole``; 0 where ``whole`` is 0, as scikit-learn and seqeval have it."""
    whole = np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole != 0)


def f1(precision: Floats, recall: Floats) -> Floats:
    """The harmonic mean."""
    return ratio(2 * precision * recall, precision + recall)


def entity_figures(counts: IntArray, labels: Sequence[str]) -> dict[str, Floats]:
    """Figures ``[...]`` of counts ``[..., labels, 5]``; micro averages have no prefix."""
    figures: dict[str, Floats] = {}
    for kind, over_predicted, over_gold in (
        ("strict", STRICT, STRICT),
        ("relaxed", RELAXED_PREDICTED, RELAXED_GOLD),
    ):

        def three(of: IntArray, p: int = over_predicted, g: int = over_gold) -> tuple[Floats, Floats, Floats]:
            precision, recall = ratio(of[..., p], of[..., PREDICTED]), ratio(of[..., g], of[..., GOLD])
            return precision, recall, f1(precision, recall)

        figures |= dict(zip(_names(kind), three(counts.sum(axis=-2)), strict=True))
        each = three(counts)
        support = counts[..., PREDICTED] + counts[..., GOLD]
        macro = (_mean_of_present(values, support) for values in each)
        figures |= dict(zip(_names(f"{kind}_macro"), macro, strict=True))
        for i, label in enumerate(labels):
            for name, values in zip(_names(kind), each, strict=True):
                figures[f"{name}/{label}"] = values[..., i]
    return figures


def relation_figures(matrix: IntArray, labels: Sequence[str]) -> dict[str, Floats]:
    """Figures ``[...]`` of confusion matrices ``[..., classes, classes]``; class 0 is "no relation".

    ``precision``, ``recall`` and ``f1`` are micro averages over the relations: with one relation,
    those of the positive class. ``macro_f1`` is over all classes, "no relation" too. ``mcc`` is
    the correlation of Matthews 1975, for several classes R_K of Gorodkin 2004.
    """
    right = np.diagonal(matrix, axis1=-2, axis2=-1)
    gold, predicted, total = matrix.sum(axis=-1), matrix.sum(axis=-2), matrix.sum(axis=(-2, -1))
    precision, recall = ratio(right, predicted), ratio(right, gold)
    each = f1(precision, recall)
    micro_p = ratio(right[..., 1:].sum(axis=-1), predicted[..., 1:].sum(axis=-1))
    micro_r = ratio(right[..., 1:].sum(axis=-1), gold[..., 1:].sum(axis=-1))
    figures = {
        "precision": micro_p,
        "recall": micro_r,
        "f1": f1(micro_p, micro_r),
        "macro_f1": _mean_of_present(each, gold + predicted),
        "accuracy": ratio(right.sum(axis=-1), total),
        "mcc": _correlation(right.sum(axis=-1), gold, predicted, total),
    }
    for i, label in enumerate(labels, 1):
        for name, values in zip(_names(""), (precision, recall, each), strict=True):
            figures[f"{name}/{label}"] = values[..., i]
    return figures


def concept_relation_figures(counts: IntArray, labels: Sequence[str]) -> dict[str, Floats]:
    """Figures ``[...]`` of counts ``[..., labels + 3, 3]`` as ``concept_relation_counts`` has them.

    ``precision``, ``recall`` and ``f1`` are micro averages over the labels. ``pair_*`` are of related pairs
    whatever the label, ``within_*`` of relations inside a sentence, ``across_*`` of the others.
    """
    figures: dict[str, Floats] = {}
    total = counts[..., : len(labels), :].sum(axis=-2)
    rows = [("", "", total)]
    rows += [("", f"/{label}", counts[..., i, :]) for i, label in enumerate(labels)]
    rows += [(view, "", counts[..., len(labels) + i, :]) for i, view in enumerate(VIEWS)]
    for start, end, of in rows:
        precision, recall = ratio(of[..., RIGHT], of[..., FOUND]), ratio(of[..., RIGHT], of[..., STATED])
        for name, values in zip(_names(start), (precision, recall, f1(precision, recall)), strict=True):
            figures[f"{name}{end}"] = values
    return figures


def _mean_of_present(values: Floats, support: IntArray) -> Floats:
    """The mean over the classes that gold or prediction has, as scikit-learn takes it."""
    return ratio((values * (support > 0)).sum(axis=-1), (support > 0).sum(axis=-1))


def _correlation(right: IntArray, gold: IntArray, predicted: IntArray, total: IntArray) -> Floats:
    squared = total.astype(np.float64) ** 2
    covariance = right * total.astype(np.float64) - (gold * predicted).sum(axis=-1)
    spread = np.sqrt(
        (squared - (predicted.astype(np.float64) ** 2).sum(axis=-1))
        * (squared - (gold.astype(np.float64) ** 2).sum(axis=-1))
    )
    return ratio(covariance, spread)


def _names(kind: str) -> tuple[str, str, str]:
    start = f"{kind}_" if kind else ""
    return f"{start}precision", f"{start}recall", f"{start}f1"


def always_related(matrix: IntArray, labels: Sequence[str]) -> dict[str, float]:
    """Figures of a confusion matrix ``[classes, classes]`` if all pairs had the most frequent relation."""
    gold = matrix.sum(axis=1)
    answered = np.zeros_like(matrix)
    answered[:, 1 + gold[1:].argmax()] = gold
    return {name: float(value) for name, value in relation_figures(answered, labels).items()}


def draws(documents: int) -> IntArray:
    """How often each document is drawn in each resample, ``[samples, documents]``; always the same."""
    chances = np.full(documents, 1 / documents)
    drawn: IntArray = np.random.default_rng(SEED).multinomial(documents, chances, size=SAMPLES)
    return drawn


def interval(resampled: Floats) -> tuple[float, float]:
    """Low and high end of the interval of a figure's resamples."""
    low, high = np.percentile(resampled, INTERVAL)
    return float(low), float(high)


def evaluate(
    counts: IntArray,
    figures: Callable[[IntArray], dict[str, Floats]],
    support: Mapping[str, int],
    views: Mapping[str, int] | None = None,
) -> Result:
    """Figures of counts ``[documents, ...]`` summed, with intervals from resampled documents.

    The documents come in the order of their split and the draws from a fixed seed, so the
    intervals are reproducible too.
    """
    values = figures(counts.sum(axis=0))
    if len(counts) < 2:
        alone = {name: Score(float(value), None, None) for name, value in values.items()}
        return Result(alone, support, len(counts), views or {})
    resampled = figures(np.tensordot(draws(len(counts)), counts, axes=1))
    scores = {name: Score(float(value), *interval(resampled[name])) for name, value in values.items()}
    return Result(scores, support, len(counts), views or {})


def difference(
    counts: IntArray, others: IntArray, figures: Callable[[IntArray], dict[str, Floats]], name: str
) -> Score:
    """How much larger a figure is for the second counts ``[documents, ...]`` than for the first.

    Both are of the same documents, which are drawn for both at once: what is hard for all is not taken
    for a difference.
    """
    value = float(figures(others.sum(axis=0))[name] - figures(counts.sum(axis=0))[name])
    if len(counts) < 2:
        return Score(value, None, None)
    drawn = draws(len(counts))
    first, second = (figures(np.tensordot(drawn, each, axes=1))[name] for each in (counts, others))
    return Score(value, *interval(second - first))


def entity_result(counts: IntArray, labels: Sequence[str]) -> Result:
    """Figures of entities from the counts ``[documents, labels, 5]`` of all documents."""
    support = dict(zip(labels, counts.sum(axis=0)[:, GOLD].tolist(), strict=True))
    return evaluate(counts, lambda c: entity_figures(c, labels), support)


def relation_result(matrices: IntArray, labels: Sequence[str]) -> Result:
    """Figures of relations from the confusion matrices ``[documents, classes, classes]`` of all documents."""
    support = dict(zip(labels, matrices.sum(axis=(0, 2))[1:].tolist(), strict=True))
    return evaluate(matrices, lambda c: relation_figures(c, labels), support)


def concept_relation_result(counts: IntArray, labels: Sequence[str]) -> Result:
    """Figures of relations between things from the counts ``[documents, labels + 3, 3]`` of all documents."""
    stated = counts.sum(axis=0)[:, STATED].tolist()
    support = dict(zip(labels, stated, strict=False))
    views = dict(zip(VIEWS, stated[len(labels) :], strict=True))
    return evaluate(counts, lambda c: concept_relation_figures(c, labels), support, views)

"""Scores of a row: means over seeds and folds, deviations, and intervals over documents."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from clinsynth.metrics.concept_counts import concept_relation_counts
from clinsynth.metrics.counts import IntArray, confusion, entity_counts, judged_pairs
from clinsynth.metrics.scores import (
    INTERVAL,
    Floats,
    concept_relation_figures,
    draws,
    entity_figures,
    relation_figures,
)
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

Figures = Callable[[IntArray], dict[str, Floats]]
Kind = Literal["entities", "pairs", "concepts"]
"""What is counted: mentions, relations pair by pair, or relations between the things of a document."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A score of a row.

    Attributes:
        mean: Over all seeds and folds.
        low: Lower end of the 95 % percentile bootstrap interval of the mean, over documents.
        high: Its upper end.
        seeds_sd: Standard deviation over seeds, where there are two or more.
        folds_sd: Standard deviation over folds, where there are two or more.
    """

    mean: float
    low: float | None
    high: float | None
    seeds_sd: float | None
    folds_sd: float | None


def kind_of(told: Mapping[str, Any]) -> Kind:
    """What the ``scores`` of a ``metrics.json`` are of."""
    if told.get("views"):
        return "concepts"
    return "pairs" if told.get("always_related") else "entities"


def counts(predicted: Sequence[Document], gold: Sequence[Document], schema: Schema, kind: Kind) -> IntArray:
    """Counts ``[documents, ...]`` as ``clinsynth.metrics`` has them, confusion matrices for pairs.

    Raises:
        ValueError: The documents are not those of gold, in their order.
    """
    if [document.text for document in predicted] != [document.text for document in gold]:
        raise ValueError(f"the {len(predicted)} predicted documents are not the {len(gold)} that are scored")
    documents = list(zip(predicted, gold, strict=True))
    if kind == "entities":
        return np.stack([entity_counts(found, true, schema.entity_labels) for found, true in documents])
    if kind == "concepts":
        return np.stack([concept_relation_counts(found, true, schema) for found, true in documents])
    pairs = [judged_pairs(found, true, schema) for found, true in documents]
    document = np.repeat(np.arange(len(pairs)), [len(rows) for rows in pairs])
    return confusion(document, np.concatenate(pairs)[:, :2], (len(pairs), 1 + len(schema.relations)))


def figures(schema: Schema, kind: Kind) -> Figures:
    """What makes scores of such counts."""
    if kind == "entities":
        return lambda table: entity_figures(table, schema.entity_labels)
    if kind == "concepts":
        return lambda table: concept_relation_figures(table, schema.relation_labels)
    return lambda table: relation_figures(table, schema.relation_labels)


def measured(
    tests: Mapping[tuple[int, int | None], IntArray], made: Figures, names: Sequence[str]
) -> dict[str, Measured]:
    """Scores over tests: means, deviations and intervals.

    The bootstrap draws the documents of a fold anew, the same for all seeds, and takes the mean again. With
    one seed and no folds the interval is that of ``clinsynth test``.

    Args:
        tests: Counts ``[documents, ...]`` of each test by seed and fold.
        made: What makes scores of them.
        names: The scores that are wanted.

    Raises:
        ValueError: There is no such score.
    """
    seeds = sorted({seed for seed, _ in tests})
    folds = list(dict.fromkeys(fold for _, fold in tests))
    values = {at: made(table.sum(axis=0)) for at, table in tests.items()}
    known = next(iter(values.values()))
    for name in names:
        if name not in known:
            raise ValueError(f"there is no score {name!r}. The scores are {', '.join(known)}")
    drawn = _resampled(tests, made)
    found = {}
    for name in names:
        by_seed = [
            statistics.fmean(float(values[s, f][name]) for s, f in values if s == seed) for seed in seeds
        ]
        by_fold = [
            statistics.fmean(float(values[s, f][name]) for s, f in values if f == fold) for fold in folds
        ]
        low, high = np.percentile(drawn[name], INTERVAL) if drawn else (None, None)
        found[name] = Measured(
            mean=statistics.fmean(float(figures[name]) for figures in values.values()),
            low=None if low is None else float(low),
            high=None if high is None else float(high),
            seeds_sd=statistics.stdev(by_seed) if len(seeds) > 1 else None,
            folds_sd=statistics.stdev(by_fold) if len(folds) > 1 else None,
        )
    return found


def _resampled(tests: Mapping[tuple[int, int | None], IntArray], made: Figures) -> dict[str, Floats]:
    """Means ``[samples]`` of each score over resampled documents; nothing where a test has one document."""
    if min(len(table) for table in tests.values()) < 2:
        return {}
    sums: dict[str, Any] = {}
    for table in tests.values():
        # the same draws for as many documents, and so for all seeds of a fold
        for name, values in made(np.tensordot(draws(len(table)), table, axes=1)).items():
            sums[name] = sums.get(name, 0.0) + values
    return {name: total / len(tests) for name, total in sums.items()}

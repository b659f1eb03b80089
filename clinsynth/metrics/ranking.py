"""How well chances rank what is so above what is not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clinsynth.metrics.counts import IntArray
from clinsynth.metrics.scores import Floats, Score, draws, interval


def area_under_curve(chances: Floats, positive: NDArray[np.bool_], weights: Floats | IntArray) -> float:
    """Area under the ROC curve: how often a positive has a higher chance than a negative; ties count half.

    0.5 where only one of both is there, as where nothing tells them apart (Fawcett 2006).

    Args:
        chances: ``[n]``, in ascending order.
        positive: ``[n]``, which of them are positive.
        weights: ``[n]``, how often each counts.
    """
    first = np.flatnonzero(np.diff(chances, prepend=-np.inf))
    if not len(first):
        return 0.5
    above = np.add.reduceat(weights * positive, first).astype(np.float64)
    below = np.add.reduceat(weights * ~positive, first).astype(np.float64)
    pairs = above.sum() * below.sum()
    return float((above * (below.cumsum() - below / 2)).sum() / pairs) if pairs else 0.5


def ranking_score(chances: Floats, positive: NDArray[np.bool_], document: IntArray, documents: int) -> Score:
    """The area under the curve, with the interval of the resampled documents that ``evaluate`` draws.

    Args:
        chances: ``[n]``, of all documents.
        positive: ``[n]``, which of them are positive.
        document: ``[n]``, which document each is from.
        documents: How many documents there are.
    """
    order = np.argsort(chances, kind="stable")
    chances, positive, document = chances[order], positive[order], document[order]
    value = area_under_curve(chances, positive, np.ones(len(order)))
    if documents < 2:
        return Score(value, None, None)
    resampled = [area_under_curve(chances, positive, drawn[document]) for drawn in draws(documents)]
    return Score(value, *interval(np.array(resampled)))

"""Which labels are taken for which, as a matrix of whole numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clinsynth.metrics.concept_counts import JudgedRelations, Key
from clinsynth.metrics.counts import IntArray
from clinsynth.metrics.errors import errors
from clinsynth_onnx.document import Document


def entity_confusion(gold: Document, found: Document, labels: Sequence[str]) -> IntArray:
    """Mentions ``[1 + labels, 1 + labels]`` of one document: gold by found; row and column 0 are none.

    Boundaries do not matter here: a mention that is found at least in part with its label is on the
    diagonal. One that only overlaps a found mention of another label counts as taken for that; each
    mention counts once. Row 0 are found mentions that nothing in gold overlaps, column 0 are missed ones.
    """
    place = {label: 1 + i for i, label in enumerate(labels)}
    matrix = np.zeros((1 + len(place), 1 + len(place)), dtype=np.int64)
    for entity in set(gold.entities) & set(found.entities):
        matrix[place[entity.label], place[entity.label]] += 1
    wrong = errors(gold, found)
    spurious = [error.found for error in wrong if error.gold is None and error.found is not None]
    for error in wrong:
        if error.gold is None:
            continue
        taken_for = error.found
        if taken_for is None:
            taken_for = next((entity for entity in spurious if entity.overlaps(error.gold)), None)
            if taken_for is not None:
                spurious.remove(taken_for)
        matrix[place[error.gold.label], place[taken_for.label] if taken_for else 0] += 1
    for entity in spurious:
        matrix[0, place[entity.label]] += 1
    return matrix


def relation_confusion(judged: JudgedRelations, labels: Sequence[str]) -> IntArray:
    """Relations ``[1 + labels, 1 + labels]`` of one document: gold by found; row and column 0 are none.

    One that is not right is taken for a found one between the same things, if there is one that is wrong.
    """
    place = {label: 1 + i for i, label in enumerate(labels)}
    matrix = np.zeros((1 + len(place), 1 + len(place)), dtype=np.int64)
    for gold, found in paired(judged):
        matrix[place[gold[0]] if gold else 0, place[found[0]] if found else 0] += 1
    return matrix


def paired(judged: JudgedRelations) -> list[tuple[Key | None, Key | None]]:
    """Relations of gold beside what was found of them; each relation is in one pair."""
    right = judged.stated & judged.found.keys()
    left = {frozenset(key[1:]): key for key in sorted(judged.found.keys() - right)}
    others = sorted(judged.found.keys() - right - set(left.values()))
    pairs: list[tuple[Key | None, Key | None]] = [(key, key) for key in sorted(right)]
    pairs += [(key, left.pop(frozenset(key[1:]), None)) for key in sorted(judged.stated - right)]
    return [*pairs, *((None, key) for key in [*left.values(), *others])]

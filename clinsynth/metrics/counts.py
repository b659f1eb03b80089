"""What is right and wrong in a document, as whole numbers that add up over documents.

Sums of whole numbers do not depend on their order, so scores are the same on any number of
processes, to the last digit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import Schema

IntArray = NDArray[np.int64]
Pair = tuple[int, int]  # indices of the head and the tail in Document.entities

STRICT, RELAXED_PREDICTED, RELAXED_GOLD, PREDICTED, GOLD = range(5)


def entity_counts(predicted: Document, gold: Document, labels: Sequence[str]) -> IntArray:
    """Counts ``[labels, 5]`` of one document.

    Columns: predicted entities that equal a gold one (offsets and label; each gold one counts once),
    predicted ones that overlap a gold one of their label, gold ones that overlap a predicted one of
    their label, all predicted, all gold.
    """
    rows = np.zeros((len(labels), 5), dtype=np.int64)
    for row, label in zip(rows, labels, strict=True):
        found = [e for e in predicted.entities if e.label == label]
        true = [e for e in gold.entities if e.label == label]
        row[STRICT] = (Counter(found) & Counter(true)).total()
        row[RELAXED_PREDICTED] = _touching(found, true)
        row[RELAXED_GOLD] = _touching(true, found)
        row[PREDICTED] = len(found)
        row[GOLD] = len(true)
    return rows


def _touching(these: Sequence[Entity], those: Sequence[Entity]) -> int:
    """How many of ``these`` overlap at least one of ``those``."""
    if not these or not those:
        return 0
    # a span is touched unless as many others end before it as begin before its end
    starts = np.sort([e.start for e in those])
    ends = np.sort([e.end for e in those])
    begun = np.searchsorted(starts, [e.end for e in these], side="left")
    over = np.searchsorted(ends, [e.start for e in these], side="right")
    return int(np.count_nonzero(begun > over))


def judged_pairs(
    predicted: Document, gold: Document, schema: Schema, chances: Mapping[Pair, float] | None = None
) -> IntArray:
    """Class in gold, class found and chance of each pair of one document, ``[pairs, 3]``.

    Pairs are the candidate pairs of gold entities, and others that have a relation all the same. Class 0 is
    "no relation". The chance that the pair is related is kept as the bits of a float64, which are ordered as
    the numbers are. Raises ``ValueError`` if the two documents do not have the same entities.

    Args:
        predicted: Its relations were found.
        gold: Its relations are true.
        schema: The task.
        chances: By head and tail; by default the score of what was found, and 0 for other pairs.
    """
    if predicted.entities != gold.entities:
        raise ValueError(f"document {gold.id!r}: relations are scored between the same entities as in gold")
    place = {label: 1 + i for i, label in enumerate(schema.relation_labels)}
    true = {(r.head, r.tail): place[r.label] for r in reversed(gold.relations)}
    found = {(r.head, r.tail): place[r.label] for r in reversed(predicted.relations)}
    if chances is None:
        chances = {(r.head, r.tail): r.score for r in reversed(predicted.relations)}
    pairs = list(dict.fromkeys([*schema.candidate_pairs(gold), *true, *found]))
    rows = np.zeros((len(pairs), 3), dtype=np.int64)
    for row, pair in zip(rows, pairs, strict=True):
        row[:2] = true.get(pair, 0), found.get(pair, 0)
    rows[:, 2] = np.array([max(0.0, chances.get(pair, 0.0)) for pair in pairs]).view(np.int64)
    return rows


def confusion(document: IntArray, classes: IntArray, shape: tuple[int, int]) -> IntArray:
    """Confusion matrices ``[documents, classes, classes]``: gold by found.

    Args:
        document: ``[pairs]``, which document each pair is from.
        classes: ``[pairs, 2]``, the class in gold and the one found.
        shape: How many documents and how many classes there are.
    """
    matrices = np.zeros((*shape, shape[1]), dtype=np.int64)
    np.add.at(matrices, (document, classes[:, 0], classes[:, 1]), 1)
    return matrices

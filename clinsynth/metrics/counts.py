"""What is right and wrong in a document, as whole numbers that add up over documents.

Sums of whole numbers do not depend on their order, so scores are the same on any number of
processes, to the last digit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import Schema

IntArray = NDArray[np.int64]

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


def relation_counts(predicted: Document, gold: Document, schema: Schema) -> IntArray:
    """Confusion matrix ``[1 + relations, 1 + relations]`` of one document: gold by predicted.

    Each candidate pair of gold entities counts once; row and column 0 are pairs without a relation.
    A gold relation between a pair that the task does not allow counts as missed. Raises
    ``ValueError`` if the two documents do not have the same entities.
    """
    if predicted.entities != gold.entities:
        raise ValueError(f"document {gold.id!r}: relations are scored between the same entities as in gold")
    place = {label: 1 + i for i, label in enumerate(schema.relation_labels)}
    true = {(r.head, r.tail): place[r.label] for r in reversed(gold.relations)}
    found = {(r.head, r.tail): place[r.label] for r in reversed(predicted.relations)}
    matrix = np.zeros((1 + len(place), 1 + len(place)), dtype=np.int64)
    for pair in dict.fromkeys([*schema.candidate_pairs(gold), *true, *found]):
        matrix[true.get(pair, 0), found.get(pair, 0)] += 1
    return matrix

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve

from clinsynth.metrics.concept_counts import judged_relations as relations_of
from clinsynth.metrics.confidence import (
    Judged,
    at,
    by_threshold,
    calibration,
    expected_calibration_error,
    judged_entities,
    judged_relations,
    wilson,
)
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import EntityType, RelationType, Schema

SCHEMA = Schema(
    "x",
    {"D": EntityType(), "C": EntityType()},
    {"CID": RelationType(["C", "D"], ["D", "C"])},
)
TEXT = "renal failure after lithium and gout"
GOLD = Document(TEXT, (Entity(0, 13, "D"), Entity(20, 27, "C")), (Relation(1, 0, "CID"),))
FOUND = Document(
    TEXT,
    (Entity(0, 13, "D", 0.9), Entity(20, 27, "D", 0.6), Entity(32, 36, "D", 0.3)),
)


def test_what_is_right_and_what_it_would_be_at_a_threshold() -> None:
    judged = judged_entities([(GOLD, FOUND)])
    assert judged.right.tolist() == [1, 0, 0] and judged.gold == 2 and judged.informative
    thresholds = by_threshold(judged)
    assert [(t.threshold, t.precision, t.recall) for t in thresholds] == [
        (0.3, pytest.approx(1 / 3), 0.5),
        (0.6, 0.5, 0.5),
        (0.9, 1.0, 0.5),
    ]
    assert at(thresholds, 0.5).precision == 0.5 and at(thresholds, 0.95).recall == 0


def test_relations_and_no_confidence() -> None:
    found = Document(TEXT, GOLD.entities, (Relation(1, 0, "CID"), Relation(0, 1, "CID")))
    judged = judged_relations([relations_of(found, GOLD, SCHEMA)])
    assert judged.right.tolist() == [1, 0] and not judged.informative
    nothing = judged_entities([(GOLD, GOLD.annotated(()))])
    assert by_threshold(nothing) == [] and calibration(nothing) == [] and not nothing.informative


def test_the_same_mention_twice_is_right_once() -> None:
    found = Document(TEXT, (Entity(0, 13, "D", 0.9), Entity(0, 13, "D", 0.8)))
    assert judged_entities([(GOLD, found)]).right.tolist() == [1, 0]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1), st.integers(0, 5))
def test_curves_are_those_of_scikit_learn(found: list[tuple[float, bool]], missed: int) -> None:
    scores, right = (np.array(values, dtype=np.float64) for values in zip(*found, strict=True))
    judged = Judged(scores, right, int(right.sum()) + missed)
    mine = by_threshold(judged)
    if right.any():
        precision, recall, thresholds = precision_recall_curve(right, scores)
        assert [t.threshold for t in mine] == thresholds.tolist()
        assert [t.precision for t in mine] == pytest.approx(precision[:-1].tolist())
        known = right.sum() / judged.gold
        assert [t.recall for t in mine] == pytest.approx((recall[:-1] * known).tolist())
    bins = calibration(judged)
    assert sum(each.found for each in bins) == len(scores)
    assert all(each.low <= each.confidence <= each.high + 1e-12 for each in bins)
    assert all(each.interval[0] - 1e-9 <= each.right <= each.interval[1] + 1e-9 for each in bins)
    assert 0 <= expected_calibration_error(bins) <= 1


def test_perfect_confidence_has_no_error() -> None:
    judged = Judged(np.array([0.25] * 4), np.array([1.0, 0, 0, 0]), 4)
    (only,) = calibration(judged)
    assert only.right == only.confidence == 0.25
    assert expected_calibration_error([only]) == 0


def test_wilson_interval() -> None:
    assert wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)  # as R's prop.test without correction

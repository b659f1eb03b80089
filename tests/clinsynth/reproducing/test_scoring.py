"""Means, deviations and intervals of rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clinsynth.metrics.metric import ConceptScores, RelationScores
from clinsynth.metrics.scores import entity_figures, evaluate
from clinsynth.reproducing.scoring import counts, figures, kind_of, measured
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import EntityType, RelationType, Schema

SCHEMA = Schema("toy", {"Disease": EntityType()})
NAMES = ["strict_f1", "strict_f1/Disease"]


def gold(number: int) -> list[Document]:
    return [
        Document("gout and fever", (Entity(0, 4, "Disease"), Entity(9, 14, "Disease"))) for _ in range(number)
    ]


def found(documents: list[Document], share: float) -> list[Document]:
    right = round(share * len(documents))
    return [d if i < right else d.annotated(d.entities[:1]) for i, d in enumerate(documents)]


def test_one_test_has_the_figures_and_intervals_of_clinsynth_test() -> None:
    table = counts(found(gold(20), 0.5), gold(20), SCHEMA, "entities")
    expected = evaluate(table, lambda c: entity_figures(c, ["Disease"]), {}).scores
    got = measured({(0, None): table}, figures(SCHEMA, "entities"), NAMES)
    for name in NAMES:
        assert (got[name].mean, got[name].low, got[name].high) == pytest.approx(
            (expected[name].value, expected[name].low, expected[name].high)
        )
        assert got[name].seeds_sd is None and got[name].folds_sd is None


def test_seeds_and_folds_have_means_and_deviations() -> None:
    shares = {(0, 1): 0.0, (1, 1): 1.0, (0, 2): 0.5, (1, 2): 1.0}
    made = figures(SCHEMA, "entities")
    tests = {at: counts(found(gold(10), share), gold(10), SCHEMA, "entities") for at, share in shares.items()}
    alone = {at: float(made(table.sum(axis=0))["strict_f1"]) for at, table in tests.items()}
    score = measured(tests, made, ["strict_f1"])["strict_f1"]
    assert score.mean == pytest.approx(np.mean(list(alone.values())))
    seeds = [np.mean([alone[seed, fold] for fold in (1, 2)]) for seed in (0, 1)]
    folds = [np.mean([alone[seed, fold] for seed in (0, 1)]) for fold in (1, 2)]
    assert score.seeds_sd == pytest.approx(np.std(seeds, ddof=1))
    assert score.folds_sd == pytest.approx(np.std(folds, ddof=1))
    assert score.low is not None and score.high is not None and score.low <= score.mean <= score.high


def test_seeds_of_the_same_result_have_the_interval_of_one() -> None:
    table = counts(found(gold(12), 0.5), gold(12), SCHEMA, "entities")
    made = figures(SCHEMA, "entities")
    one = measured({(0, None): table}, made, ["strict_f1"])["strict_f1"]
    two = measured({(0, None): table, (1, None): table}, made, ["strict_f1"])["strict_f1"]
    assert (one.low, one.high) == pytest.approx((two.low, two.high)) and two.seeds_sd == 0


def test_relations_are_counted_as_clinsynth_test_counts_them() -> None:
    schema = Schema(
        "toy",
        {"Gene": EntityType(), "Disease": EntityType()},
        {"Association": RelationType(["Gene"], ["Disease"])},
    )
    pair = Document("BRCA1 and gout", (Entity(0, 5, "Gene"), Entity(10, 14, "Disease")))
    related = replace(pair, relations=(Relation(0, 1, "Association"),))
    true, answered = [related, related, pair, pair], [related, pair, pair, related]
    metric = RelationScores(schema)
    metric.update(answered, true, range(4))
    told = metric.result()
    assert kind_of(told.to_json()) == "pairs"
    table = counts(answered, true, schema, "pairs")
    assert table.tolist() == [[[0, 0], [0, 1]], [[0, 0], [1, 0]], [[1, 0], [0, 0]], [[0, 1], [0, 0]]]
    got = measured({(0, 1): table}, figures(schema, "pairs"), ["f1", "mcc"])
    for name in ("f1", "mcc"):
        score = told.scores[name]
        assert (got[name].mean, got[name].low, got[name].high) == pytest.approx(
            (score.value, score.low, score.high)
        )


def test_relations_between_things_are_counted_as_clinsynth_test_counts_them() -> None:
    schema = Schema(
        "toy", {"Drug": EntityType(), "Disease": EntityType()}, {"CID": RelationType(["Drug"], ["Disease"])}
    )
    plain = Document("aspirin, ulcer", (Entity(0, 7, "Drug"), Entity(9, 14, "Disease")))
    meta = {"concepts": ["D1", "D2"], "concept_relations": [["CID", "D1", "D2"]]}
    related = replace(plain, relations=(Relation(0, 1, "CID"),), meta=meta)
    metric = ConceptScores(schema)
    metric.update([related, plain], [related, related], range(2))
    told = metric.result()
    assert kind_of(told.to_json()) == "concepts"
    table = counts([related, plain], [related, related], schema, "concepts")
    got = measured({(0, None): table}, figures(schema, "concepts"), ["f1"])["f1"]
    assert got.mean == pytest.approx(told.scores["f1"].value) and 0 < got.mean < 1


def test_other_documents_and_other_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="the 3 predicted documents are not the 4 that are scored"):
        counts(gold(3), gold(4), SCHEMA, "entities")
    table = counts(gold(3), gold(3), SCHEMA, "entities")
    with pytest.raises(ValueError, match=r"no score 'f1'\. The scores are strict_precision"):
        measured({(0, None): table}, figures(SCHEMA, "entities"), ["f1"])


def test_one_document_has_no_interval() -> None:
    table = counts(gold(1), gold(1), SCHEMA, "entities")
    score = measured({(0, None): table}, figures(SCHEMA, "entities"), ["strict_f1"])["strict_f1"]
    assert (score.mean, score.low, score.high) == (1.0, None, None)

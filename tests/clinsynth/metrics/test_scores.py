"""Scores equal those of seqeval and scikit-learn, whatever is predicted."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2

from clinsynth.metrics.counts import entity_counts, judged_pairs
from clinsynth.metrics.metric import EntityScores, RelationScores
from clinsynth.metrics.scores import Score, difference, entity_figures
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import EntityType, RelationType, Schema

LABELS = ("Drug", "Disease")
LENGTH = 12

spans = st.lists(st.sampled_from(["O", "B-Drug", "I-Drug", "B-Disease", "I-Disease"]), max_size=LENGTH)
pairs = st.lists(st.tuples(spans, spans), min_size=1, max_size=6)


def valid(tags: list[str]) -> list[str]:
    """The same tags, padded, an I that continues nothing made a B."""
    before, out = "O", []
    for tag in [*tags, *["O"] * (LENGTH - len(tags))]:
        if tag[0] == "I" and before[1:] != tag[1:]:
            tag = "B" + tag[1:]
        out.append(tag)
        before = tag
    return out


def document(tags: list[str]) -> Document:
    """One character a tag."""
    entities: list[Entity] = []
    for i, tag in enumerate(tags):
        if tag[0] == "B":
            entities.append(Entity(i, i + 1, tag[2:]))
        elif tag[0] == "I":
            entities[-1] = Entity(entities[-1].start, i + 1, tag[2:])
    return Document("x" * len(tags), tuple(entities))


@given(pairs)
def test_strict_scores_equal_seqeval(tagged: list[tuple[list[str], list[str]]]) -> None:
    gold, found = [valid(a) for a, _ in tagged], [valid(b) for _, b in tagged]
    scores = EntityScores(LABELS)
    scores.update([document(t) for t in found], [document(t) for t in gold], range(len(gold)))
    result = scores.result().flat()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = classification_report(
            gold, found, output_dict=True, mode="strict", scheme=IOB2, zero_division=0
        )
    for row, kind, suffix in (
        ("micro avg", "strict_", ""),
        ("macro avg", "strict_macro_", ""),
        ("Drug", "strict_", "/Drug"),
        ("Disease", "strict_", "/Disease"),
    ):
        if row in report and not np.isnan(report[row]["f1-score"]):  # no label, or none at all
            for theirs, ours in (("precision", "precision"), ("recall", "recall"), ("f1-score", "f1")):
                assert result[f"{kind}{ours}{suffix}"] == pytest.approx(report[row][theirs], abs=1e-12)


@given(spans, spans)
def test_relaxed_counts_equal_a_plain_comparison(a: list[str], b: list[str]) -> None:
    gold, found = document(valid(a)), document(valid(b))
    for row, label in zip(entity_counts(found, gold, LABELS), LABELS, strict=True):
        true = [e for e in gold.entities if e.label == label]
        mine = [e for e in found.entities if e.label == label]
        assert row[1] == sum(any(e.overlaps(o) for o in true) for e in mine)
        assert row[2] == sum(any(e.overlaps(o) for o in mine) for e in true)


def test_overlapping_and_repeated_mentions_count_once_each() -> None:
    gold = Document("x" * 9, (Entity(0, 5, "Drug"), Entity(2, 4, "Drug"), Entity(0, 5, "Drug")))
    found = Document("x" * 9, (Entity(0, 5, "Drug"), Entity(6, 8, "Drug")))
    assert entity_counts(found, gold, ("Drug",)).tolist() == [[1, 1, 3, 2, 3]]


def relation_task(*labels: str) -> Schema:
    return Schema(
        "t",
        {"Gene": EntityType(), "Disease": EntityType()},
        {label: RelationType(head=["Gene"], tail=["Disease"]) for label in labels},
    )


def judged(labels: list[str]) -> Document:
    """One candidate pair for each label; "" is no relation."""
    entities = [Entity(i, i + 1, "Gene") for i in range(len(labels))]
    entities.append(Entity(len(labels), len(labels) + 1, "Disease"))
    relations = tuple(Relation(i, len(labels), label) for i, label in enumerate(labels) if label)
    return Document("x" * (len(labels) + 1), tuple(entities), relations)


choices = st.sampled_from(["", "Causes", "Treats"])


@given(st.lists(st.lists(st.tuples(choices, choices), min_size=1, max_size=4), min_size=1, max_size=8))
def test_relation_scores_equal_scikit_learn(drawn: list[list[tuple[str, str]]]) -> None:
    schema = relation_task("Causes", "Treats")
    gold = [judged([a for a, _ in pairs]) for pairs in drawn]
    found = [judged([b for _, b in pairs]) for pairs in drawn]
    scores = RelationScores(schema)
    scores.update(found, gold, range(len(gold)))
    result = scores.result().flat()
    true = [a for pairs in drawn for a, _ in pairs]
    mine = [b for pairs in drawn for _, b in pairs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        p, r, f, _ = sklearn.metrics.precision_recall_fscore_support(
            true, mine, labels=["Causes", "Treats"], average="micro", zero_division=0
        )
        expected = {
            "precision": p,
            "recall": r,
            "f1": f,
            "macro_f1": sklearn.metrics.f1_score(true, mine, average="macro", zero_division=0),
            "accuracy": sklearn.metrics.accuracy_score(true, mine),
            "mcc": sklearn.metrics.matthews_corrcoef(true, mine),
            "f1/Causes": sklearn.metrics.f1_score(
                true, mine, labels=["Causes"], average="macro", zero_division=0
            ),
        }
    assert {name: result[name] for name in expected} == pytest.approx(expected, abs=1e-12)


def test_a_gold_relation_between_types_that_do_not_fit_counts_as_missed() -> None:
    schema = relation_task("Causes")
    gold = Document("ab", (Entity(0, 1, "Gene"), Entity(1, 2, "Disease")), (Relation(1, 0, "Causes"),))
    found = Document("ab", gold.entities)
    assert judged_pairs(found, gold, schema).tolist() == [[0, 0, 0], [1, 0, 0]]


def test_relations_between_other_entities_are_refused() -> None:
    with pytest.raises(ValueError, match="same entities"):
        judged_pairs(Document("ab"), Document("ab", (Entity(0, 1, "Gene"),)), relation_task("Causes"))


likely = st.lists(st.tuples(choices, st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])), max_size=4)


@settings(max_examples=30)
@given(st.lists(likely, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_area_under_the_curve_equals_scikit_learns(
    drawn: list[list[tuple[str, float]]], random: np.random.Generator
) -> None:
    schema = relation_task("Causes", "Treats")
    gold = [judged([label for label, _ in pairs]) for pairs in drawn]
    chances = [{(i, len(pairs)): chance for i, (_, chance) in enumerate(pairs)} for pairs in drawn]
    scores = RelationScores(schema)
    order = list(range(len(gold)))
    random.shuffle(order)  # type: ignore[arg-type]
    for i in [*order, *order[:1]]:
        scores.update([gold[i]], [gold[i]], [i], [chances[i]])
    related = [label != "" for pairs in drawn for label, _ in pairs]
    expected = 0.5
    if len(set(related)) == 2:
        said = [chance for pairs in drawn for _, chance in pairs]
        expected = sklearn.metrics.roc_auc_score(related, said)
    result = scores.result()
    assert result.scores["auc"].value == pytest.approx(expected, abs=1e-12)
    assert result.documents == len(drawn) and result.scores["accuracy"].value == (1.0 if related else 0.0)


def test_always_related_is_what_one_has_to_be_better_than() -> None:
    schema = relation_task("Causes")
    gold = [judged(["Causes"]), judged(["Causes"]), judged([""]), judged(["Causes"])]
    scores = RelationScores(schema)
    scores.update([judged([""])] * 4, gold, range(4))
    result = scores.result()
    expected = {"precision": 0.75, "recall": 1.0, "f1": 6 / 7, "accuracy": 0.75, "mcc": 0.0, "auc": 0.5}
    assert {name: result.always[name] for name in expected} == pytest.approx(expected)
    assert result.to_json()["always_related"]["f1"] == result.always["f1"]
    assert result.scores["auc"].value == 0.5, "without chances, what was found counts"


def test_the_interval_of_the_area_is_that_of_resampled_documents() -> None:
    chance = np.random.default_rng(1).random(400)
    gold = [judged(["Causes" if c + (i % 3) / 3 > 0.8 else ""]) for i, c in enumerate(chance)]
    scores = RelationScores(relation_task("Causes"))
    scores.update(gold, gold, range(400), [{(0, 1): float(c)} for c in chance])
    score = scores.result().scores["auc"]
    related = np.array([bool(document.relations) for document in gold])
    draws = np.random.default_rng(7).integers(0, 400, (500, 400))
    areas = [sklearn.metrics.roc_auc_score(related[d], chance[d]) for d in draws]
    assert score.low == pytest.approx(np.percentile(areas, 2.5), abs=0.01)
    assert score.high == pytest.approx(np.percentile(areas, 97.5), abs=0.01)


@given(pairs, st.randoms(use_true_random=False))
def test_order_and_duplicates_of_documents_change_nothing(
    tagged: list[tuple[list[str], list[str]]], random: np.random.Generator
) -> None:
    gold, found = [document(valid(a)) for a, _ in tagged], [document(valid(b)) for _, b in tagged]
    straight, mixed = EntityScores(LABELS), EntityScores(LABELS)
    straight.update(found, gold, range(len(gold)))
    places = list(range(len(gold)))
    random.shuffle(places)  # type: ignore[arg-type]
    for i in [*places, places[0]]:
        mixed.update([found[i]], [gold[i]], [i])
    mixed.update([], [], [])
    assert mixed.result() == straight.result()


def test_intervals_hold_the_score_and_narrow_with_more_documents() -> None:
    def interval(documents: int) -> tuple[float, float, float]:
        gold = [document(valid(["B-Drug", "O", "B-Disease"]))] * documents
        found = [document(valid(["B-Drug" if i % 3 else "O", "O", "B-Disease"])) for i in range(documents)]
        scores = EntityScores(LABELS)
        scores.update(found, gold, range(documents))
        score = scores.result().scores["strict_f1"]
        return score.low, score.value, score.high

    small, large = interval(12), interval(1200)
    assert small[0] < small[1] < small[2]
    assert large[2] - large[0] < (small[2] - small[0]) / 5


def test_relaxed_precision_is_of_what_was_found_and_recall_of_gold() -> None:
    gold = Document("x" * 10, (Entity(0, 6, "Drug"),))
    found = gold.annotated((Entity(0, 2, "Drug"), Entity(4, 6, "Drug"), Entity(8, 9, "Drug")))
    scores = EntityScores(("Drug",))
    scores.update([found], [gold], [0])
    figures = scores.result().flat()
    assert (figures["relaxed_precision"], figures["relaxed_recall"]) == pytest.approx((2 / 3, 1.0))


def test_the_same_documents_are_drawn_for_both_of_a_difference() -> None:
    documents = [document(["B-Drug"] * n + ["O"] * (9 - n)) for n in range(9)]
    halves = [document(["B-Drug"] * (n // 2)) for n in range(9)]
    pairs = zip(halves, documents, strict=True)
    table = np.array([entity_counts(found, gold, LABELS) for found, gold in pairs])
    same = difference(table, table, lambda counts: entity_figures(counts, LABELS), "strict_f1")
    assert same == Score(0.0, 0.0, 0.0)

"""Relations between things are right or wrong once for a document, wherever they are mentioned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.metrics.concept_counts import FOUND, RIGHT, STATED, concept_relation_counts
from clinsynth.metrics.metric import ConceptScores
from clinsynth_onnx.concepts import ConceptRelation, concept_relations, concepts, with_concept_relations
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import EntityType, RelationType, Schema

SCHEMA = Schema(
    "t",
    {"Drug": EntityType(), "Sign": EntityType()},
    {
        "Causes": RelationType(["Drug"], ["Sign"]),
        "Treats": RelationType(["Drug"], ["Sign"]),
        "With": RelationType(["Drug"], ["Drug", "Sign"], symmetric=True),
    },
)
TEXT = "Drug Aa and drug Bb. Then Aa: cough, rash. The cough went."
SPOTS = [("Aa", 0), ("Bb", 0), ("Aa", 10), ("cough", 0), ("rash", 0), ("cough", 35)]


def entity(word: str, after: int) -> Entity:
    start = TEXT.index(word, after)
    return Entity(start, start + len(word), "Drug" if len(word) == 2 else "Sign")


ENTITIES = tuple(entity(*spot) for spot in SPOTS)
GOLD = Document(
    TEXT, ENTITIES, meta={"concepts": ["A", "B", "A", "C", "R", "C"]}
)  # A, B, C, R are 0, 1, 2, 3


def related(document: Document, *relations: tuple[int, int, str]) -> Document:
    return with_concept_relations(document, [ConceptRelation(*relation) for relation in relations])


def counts(predicted: Document, gold: Document) -> dict[str, list[int]]:
    rows = concept_relation_counts(predicted, gold, SCHEMA).tolist()
    names = [*SCHEMA.relations, "pair", "within", "across"]
    return {name: row for name, row in zip(names, rows, strict=True) if any(row)}


def test_label_direction_and_both_things_have_to_be_right() -> None:
    gold = related(GOLD, (0, 2, "Causes"), (1, 3, "Causes"))
    found = related(GOLD, (0, 2, "Causes"), (0, 3, "Causes"), (1, 3, "Treats"))
    assert counts(found, gold) == {
        "Causes": [1, 2, 2],
        "Treats": [0, 1, 0],
        "pair": [2, 3, 2],
        "within": [1, 2, 1],
        "across": [0, 1, 1],
    }
    scores = ConceptScores(SCHEMA)
    scores.update([found], [gold], [0])
    figures = scores.result().flat()
    names = ("precision", "recall", "within_precision", "within_recall", "across_precision", "across_recall")
    assert [figures[name] for name in names] == pytest.approx([1 / 3, 1 / 2, 1 / 2, 1, 0, 0])


def test_a_symmetric_relation_is_the_same_in_the_other_direction() -> None:
    gold, found = related(GOLD, (1, 0, "With")), related(GOLD, (0, 1, "With"), (1, 0, "With"))
    assert counts(found, gold)["With"] == [1, 1, 1]
    directed = related(GOLD, (0, 2, "Causes")), related(GOLD, (2, 0, "Causes"))
    assert counts(*directed)["Causes"] == [0, 1, 1] and counts(*directed)["pair"] == [1, 1, 1]


def test_two_types_of_one_pair_count_each() -> None:
    gold = related(GOLD, (0, 2, "Causes"), (0, 2, "Treats"))
    assert counts(related(GOLD, (0, 2, "Treats")), gold) == {
        "Causes": [0, 0, 1],
        "Treats": [1, 1, 1],
        "pair": [1, 1, 1],
        "within": [1, 1, 2],
    }


def test_gold_of_what_is_not_mentioned_is_missed() -> None:
    triples = [["Causes", "A", "X"], ["Causes", "A", "Y"], ["With", "A", "A"], ["Causes", "A", "C"]]
    gold = replace(GOLD, meta={**GOLD.meta, "concept_relations": triples})
    found = related(GOLD, *((r.head, r.tail, r.label) for r in concept_relations(gold)))
    assert counts(found, gold) == {
        "Causes": [1, 1, 3],
        "With": [0, 0, 1],
        "pair": [1, 1, 4],
        "within": [1, 1, 1],
        "across": [0, 0, 3],
    }


def found_things(*groups: tuple[str, ...]) -> Document:
    """Mentions that were found, each group under a number: A1 is the first mention of A, x none of gold."""
    places = {"A1": 0, "B1": 1, "A2": 2, "C1": 3, "R1": 4, "C2": 5}
    entities, fields = [], []
    for number, group in enumerate(groups):
        for name in group:
            entities.append(ENTITIES[places[name]] if name in places else Entity(0, 4, "Drug"))
            fields.append(f"g{number}")
    return Document(TEXT, tuple(entities), meta={"concepts": fields})


def by_group(document: Document, *relations: tuple[int, int, str]) -> Document:
    place = {concept.name: i for i, concept in enumerate(concepts(document))}
    return related(document, *((place[f"g{h}"], place[f"g{t}"], label) for h, t, label in relations))


def test_a_found_thing_stands_for_that_with_which_it_has_most_mentions() -> None:
    gold = related(GOLD, (0, 2, "Causes"))
    found = found_things(("A1", "A2", "B1"), ("C2",))
    assert counts(by_group(found, (0, 1, "Causes")), gold)["Causes"] == [1, 1, 1]
    tie = found_things(("A2", "B1"), ("C1",))
    assert counts(by_group(tie, (0, 1, "Causes")), gold)["Causes"] == [1, 1, 1], "A comes first in the text"


def test_parts_of_one_thing_are_one_thing() -> None:
    found = by_group(found_things(("A1",), ("A2",), ("C1",), ("C2",)), (0, 2, "Causes"), (1, 3, "Causes"))
    assert counts(found, related(GOLD, (0, 2, "Causes")))["Causes"] == [1, 1, 1]


def test_a_relation_of_what_is_not_in_gold_is_wrong() -> None:
    found = by_group(found_things(("x",), ("C1",), ("R1",)), (0, 1, "Causes"), (0, 2, "Causes"))
    assert counts(found, related(GOLD, (0, 2, "Causes")))["Causes"] == [0, 2, 1]
    assert counts(found, GOLD) == {"Causes": [0, 2, 0], "pair": [0, 2, 0], "across": [0, 2, 0]}


def test_mentions_of_another_label_are_others() -> None:
    turned = tuple(replace(e, label="Sign" if e.label == "Drug" else "Drug") for e in ENTITIES)
    found = related(replace(GOLD, entities=turned), (2, 0, "Causes"))
    assert counts(found, related(GOLD, (0, 2, "Causes")))["Causes"] == [0, 1, 1]


def test_given_composite_mentions_are_themselves() -> None:
    gold = Document(TEXT, ENTITIES, meta={"concepts": ["A|B", "B", "A|B", "C", "R", "C|R"]})
    gold = related(gold, (1, 3, "Causes"), (0, 2, "Causes"))
    assert counts(gold, gold)["Causes"] == [2, 2, 2]


def test_pairs_of_mentions_are_things_of_one_mention() -> None:
    gold = Document(TEXT, ENTITIES, (Relation(0, 3, "Causes"), Relation(2, 3, "Causes")))
    found = replace(gold, relations=(Relation(2, 3, "Causes"), Relation(2, 5, "Causes")))
    assert counts(found, gold) == {
        "Causes": [1, 2, 2], "pair": [1, 2, 2], "within": [1, 1, 1], "across": [0, 1, 1],
    }  # fmt: skip


def test_an_unknown_relation_is_told() -> None:
    with pytest.raises(ValueError, match=r"'Kills' relations, but the task 't' knows Causes, Treats, With"):
        counts(related(GOLD, (0, 2, "Kills")), GOLD)


pairs = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(list(SCHEMA.relations))).filter(
        lambda r: r[0] != r[1]
    ),
    max_size=6,
)


@given(st.lists(st.tuples(pairs, pairs), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_scores_are_those_of_sets_of_triples(drawn: list[tuple[list, list]], random: object) -> None:
    gold = [replace(related(GOLD, *a), id=str(i)) for i, (a, _) in enumerate(drawn)]
    found = [replace(related(GOLD, *b), id=str(i)) for i, (_, b) in enumerate(drawn)]

    def triples(documents: list[Document]) -> set[tuple[object, ...]]:
        return {
            (d.id, label, *(sorted((h, t)) if label == "With" else (h, t)))
            for d in documents
            for label, h, t in d.meta.get("concept_relations", [])
        }

    true, mine = triples(gold), triples(found)
    scores = ConceptScores(SCHEMA)
    order = list(range(len(gold)))
    random.shuffle(order)  # type: ignore[attr-defined]
    for i in [*order, order[0]]:
        scores.update([found[i]], [gold[i]], [i])
    result = scores.result()
    expected = 2 * len(true & mine) / (len(true) + len(mine)) if true or mine else 0.0
    assert result.scores["f1"].value == pytest.approx(expected, abs=1e-12)
    assert sum(result.support.values()) == len(true) == result.views["within"] + result.views["across"]
    for a, b in zip(found, gold, strict=True):
        rows = concept_relation_counts(a, b, SCHEMA)
        assert (rows[:, RIGHT] <= np.minimum(rows[:, FOUND], rows[:, STATED])).all()
        assert (rows[:3].sum(axis=0) == rows[-2:].sum(axis=0)).all()
        assert (concept_relation_counts(b, b, SCHEMA)[:, [RIGHT]] == rows[:, [STATED]]).all()

from __future__ import annotations

from collections import Counter

from clinsynth.corpora.labels import other_labels, restrict, tell_other_labels
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import EntityType, RelationType, Schema

PAIR = Schema(
    "p",
    {"Gene": EntityType(), "Disease": EntityType()},
    {"Association": RelationType(head=["Gene"], tail=["Disease"])},
)


def test_restricting_renumbers_relations() -> None:
    document = Document(
        "abc",
        (Entity(0, 1, "Other"), Entity(1, 2, "Gene"), Entity(2, 3, "Disease")),
        (Relation(1, 2, "Association"), Relation(0, 2, "Association")),
        meta={"title": 1, "concepts": ["O1", "G1", "D1"]},
    )
    kept = restrict(document, PAIR)
    assert [e.label for e in kept.entities] == ["Gene", "Disease"]
    assert kept.relations == (Relation(0, 1, "Association"),)
    assert kept.meta == {"title": 1, "concepts": ["G1", "D1"]}


def test_restricting_keeps_what_is_stated_of_the_concepts_that_are_left() -> None:
    labels = ("Other", "Gene", "Disease", "Gene")
    document = Document(
        "abcd",
        tuple(Entity(i, i + 1, label) for i, label in enumerate(labels)),
        (Relation(0, 2, "R"), Relation(1, 2, "Association")),
        meta={
            "concepts": ["O1", "G1", "D1", "G1"],
            "concept_relations": [
                ["R", "O1", "D1"],
                ["Association", "G1", "D1"],
                ["Association", "G1", "D9"],
            ],
            "novelty": ["No", "Novel", "No"],
        },
    )
    kept = restrict(document, PAIR)
    assert kept.relations == (Relation(0, 1, "Association"),)
    assert kept.meta == {
        "concepts": ["G1", "D1", "G1"],
        "concept_relations": [["Association", "G1", "D1"], ["Association", "G1", "D9"]],
        "novelty": ["Novel", "No"],
    }


def test_other_labels_are_counted_and_told_with_the_nearest_of_the_task() -> None:
    entities = (Entity(0, 1, "GENE"), Entity(1, 2, "Gene"), Entity(2, 3, "Drug"), Entity(3, 4, "GENE"))
    counts = other_labels([Document("abcd", entities)], PAIR)
    assert counts == Counter({"GENE": 2, "Drug": 1})
    assert tell_other_labels(counts, PAIR) == "2 GENE (near Gene), 1 Drug"

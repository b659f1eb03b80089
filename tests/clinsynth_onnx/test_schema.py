from __future__ import annotations

import json

import pytest

from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import EntityType, RelationType, Schema


def test_json_gives_back_the_schema(schema: Schema) -> None:
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


def test_candidate_pairs_follow_types_and_direction(schema: Schema) -> None:
    document = Document(
        "BRCA1 TP53 cancer", (Entity(0, 5, "Gene"), Entity(6, 10, "Gene"), Entity(11, 17, "Disease"))
    )
    assert list(schema.candidate_pairs(document)) == [(0, 2), (1, 2)]


def test_pairs_are_counted_as_they_are_made() -> None:
    schema = Schema(
        "both ways",
        {"A": EntityType(), "B": EntityType()},
        {"R": RelationType(["A", "B"], ["A"]), "S": RelationType(["A"], ["A", "B"])},
    )
    labels = "AABBBC"
    document = Document(labels, tuple(Entity(i, i + 1, label) for i, label in enumerate(labels)))
    assert schema.count_pairs(document) == len(list(schema.candidate_pairs(document)))


def test_a_relation_needs_known_entity_types() -> None:
    with pytest.raises(ValueError, match="names 'Drug' as head, which is not among the entities"):
        Schema("t", {"Disease": EntityType()}, {"CID": RelationType(head=["Drug"], tail=["Disease"])})
    with pytest.raises(ValueError, match="at least one entity type"):
        Schema("t", {})


def test_one_home_for_which_types_a_relation_joins() -> None:
    schema = Schema(
        "t",
        {"A": EntityType(), "B": EntityType()},
        {"R": RelationType(["A"], ["B"]), "S": RelationType(["A", "B"], ["B"])},
    )
    assert schema.relations_between("A", "B") == ("R", "S") and schema.relations_between("B", "B") == ("S",)
    assert schema.relations_between("B", "A") == ()
    assert schema.joined_types == {("A", "B"), ("B", "B")}


def test_all_relations_call_an_unrelated_pair_the_same() -> None:
    types = {"A": EntityType()}
    same = {name: RelationType(["A"], ["A"], none_label="No") for name in "RS"}
    assert Schema("t", types, same).none_label == "No"
    with pytest.raises(ValueError, match=r"different none_labels, No and None, .*Remedy: write the same"):
        Schema("t", types, {**same, "T": RelationType(["A"], ["A"])})
    with pytest.raises(ValueError, match="has no relation types"):
        _ = Schema("t", types).none_label


def test_a_symmetric_relation_joins_both_ways_and_older_readers_know_no_such_key() -> None:
    types = {"A": EntityType(), "B": EntityType()}
    schema = Schema(
        "t", types, {"R": RelationType(["A"], ["B"], symmetric=True), "S": RelationType(["A"], ["B"])}
    )
    assert schema.relations_between("B", "A") == ("R",) and schema.relations_between("A", "B") == ("R", "S")
    assert schema.joined_types == {("A", "B"), ("B", "A")}
    value = schema.to_json()
    assert value["relations"]["R"]["symmetric"] is True and "symmetric" not in value["relations"]["S"]
    assert Schema.from_json(value) == schema


def test_the_layout_is_kept_and_older_readers_know_no_such_key() -> None:
    prose, lines = (Schema("t", {"A": EntityType()}, layout=layout) for layout in ("prose", "lines"))
    assert "layout" not in prose.to_json()
    assert Schema.from_json(prose.to_json()) == prose and Schema.from_json(lines.to_json()) == lines
    with pytest.raises(ValueError, match="layout is prose or lines, not 'poem'"):
        Schema("t", {"A": EntityType()}, layout="poem")  # type: ignore[arg-type]

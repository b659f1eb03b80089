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


def test_a_relation_needs_known_entity_types() -> None:
    with pytest.raises(ValueError, match="names 'Drug' as head, which is not among the entities"):
        Schema("t", {"Disease": EntityType()}, {"CID": RelationType(head=["Drug"], tail=["Disease"])})
    with pytest.raises(ValueError, match="at least one entity type"):
        Schema("t", {})

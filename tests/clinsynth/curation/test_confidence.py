from __future__ import annotations

import random
from dataclasses import replace

import pytest

from clinsynth.curation.confidence import contradicted
from clinsynth.models.optimization import Optimization
from clinsynth_onnx.schema import EntityType, RelationType, Schema
from tests.clinsynth import toy

ENTITIES = Schema("toy", {"Disease": EntityType()})
RELATIONS = Schema(
    "toy",
    {"Gene": EntityType(), "Disease": EntityType()},
    {"Association": RelationType(["Gene"], ["Disease"])},
)
FAST = Optimization(learning_rate=3e-3)


@pytest.mark.parametrize("relations", [False, True])
def test_labels_turned_round_are_found(tiny_encoder: str, relations: bool) -> None:
    pytest.importorskip("cleanlab")
    rng = random.Random(1)
    documents = [toy.pair(rng) if relations else toy.note(rng, 1) for _ in range(80)]
    spoilt = [i for i, one in enumerate(documents) if one.relations or (one.entities and not relations)][:8]
    for i in spoilt:
        documents[i] = (
            replace(documents[i], relations=()) if relations else replace(documents[i], entities=())
        )
    schema = RELATIONS if relations else ENTITIES
    found = contradicted(
        documents, schema, relations, tiny_encoder, folds=2, epochs=30, optimization=FAST, batch_tokens=128
    )
    flagged = {one.document for one in found}
    assert len(flagged & set(spoilt)) >= 5
    assert len(flagged - set(spoilt)) <= 8

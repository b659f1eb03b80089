from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from clinsynth.curation.curate import ConfidenceFilter
from clinsynth.models import confidence
from clinsynth.models.confidence import ConfidentLearning, contradicted
from clinsynth.models.optimization import Optimization
from clinsynth_onnx.codec import Features
from clinsynth_onnx.document import Entity
from clinsynth_onnx.schema import EntityType, RelationType, Schema
from clinsynth_onnx.tokens import Tokens
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
    spoilt = [
        i
        for i, document in enumerate(documents)
        if document.relations or (document.entities and not relations)
    ][:8]
    for i in spoilt:
        documents[i] = (
            replace(documents[i], relations=()) if relations else replace(documents[i], entities=())
        )
    schema = RELATIONS if relations else ENTITIES
    found = contradicted(
        documents, schema, relations, tiny_encoder, folds=2, epochs=30, optimization=FAST, batch_tokens=128
    )
    flagged = {flaw.document for flaw in found}
    assert len(flagged & set(spoilt)) >= 5
    assert len(flagged - set(spoilt)) <= 8


def test_labels_of_one_class_only_are_not_in_doubt() -> None:
    pytest.importorskip("cleanlab")
    rng = random.Random(1)
    notes = [replace(toy.note(rng, 1), entities=()) for _ in range(4)]
    assert contradicted(notes, ENTITIES, relations=False, folds=2) == []
    pairs = [one for _ in range(20) if (one := toy.pair(rng)).relations]
    assert contradicted(pairs, RELATIONS, relations=True, folds=2) == []


def test_the_seed_decides_and_leaves_no_trace(tiny_encoder: str) -> None:
    pytest.importorskip("cleanlab")
    rng = random.Random(1)
    documents = [toy.note(rng, 1) for _ in range(12)]
    state = torch.get_rng_state()
    runs = [contradicted(documents, ENTITIES, False, tiny_encoder, folds=2, epochs=2) for _ in range(2)]
    assert runs[0] == runs[1] and torch.equal(torch.get_rng_state(), state)


def test_things_that_are_named_again_are_not_judged_by_pairs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judged: list[bool] = []
    monkeypatch.setattr(confidence, "contradicted", lambda *given: judged.append(given[2]))
    once = toy.pair(random.Random(1))
    more = Entity(len(once.text) + 1, len(once.text) + 3, "Gene")
    named = {"concepts": ["1", "2", "1"]}
    again = replace(once, text=once.text + " a1", entities=(*once.entities, more), meta=named)
    for documents in ([once], [once, again]):
        ConfidentLearning(ConfidenceFilter())(documents, RELATIONS)
    assert judged == [True, False] and "labels of entities are judged" in caplog.text
    either = {name: replace(relation, symmetric=True) for name, relation in RELATIONS.relations.items()}
    ConfidentLearning(ConfidenceFilter())([once], replace(RELATIONS, relations=either))
    assert judged == [True, False, False]


def test_white_space_has_no_label() -> None:
    tokens = Tokens(np.array([1, 2, 3]), np.array([[0, 3], [3, 3], [4, 7]]))
    features = Features((), (), (tokens,), ())
    assert confidence._spans(features, 0, (0, 3), 2) == [(0, 3), (4, 7)]

from __future__ import annotations

import pytest

from clinsynth.serving.chain import Chain, Refusal, pairs
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.predictor import Predictor
from clinsynth_onnx.schema import EntityType, RelationType, Schema

TEXTS = [Document(f"The gene abc{i} and fever of the drug {i}.", id=str(i)) for i in range(9)]


def test_it_does_what_its_predictors_do(tag: Predictor, relate: Predictor) -> None:
    tagged = tag(TEXTS)
    assert Chain(tag, None, 1)(TEXTS) == tagged
    assert Chain(tag, relate, 1_000_000)(TEXTS) == relate(tagged)
    assert Chain(relate, None, 1_000_000)(tagged) == relate(tagged)


def test_a_text_with_too_many_pairs_is_refused_and_the_others_are_not(relate: Predictor) -> None:
    few = Document("abc fever", (Entity(0, 3, "Gene"), Entity(4, 9, "Disease")))
    labels = ["Gene"] * 4 + ["Disease"] * 4
    many = Document("abcdefgh", tuple(Entity(i, i + 1, label) for i, label in enumerate(labels)))
    outcomes = Chain(relate, None, 20)([few, few, many, few])
    assert outcomes[:2] + outcomes[3:] == [relate(few)] * 3
    assert isinstance(outcomes[2], Refusal)
    assert not outcomes[2].ours
    assert outcomes[2].reason.startswith("16 candidate pairs in 8 characters")


def test_pairs_are_counted_as_they_are_made() -> None:
    schema = Schema(
        "both ways",
        {"A": EntityType(), "B": EntityType()},
        {"R": RelationType(["A", "B"], ["A"]), "S": RelationType(["A"], ["A", "B"])},
    )
    labels = "AABBBC"
    document = Document(labels, tuple(Entity(i, i + 1, label) for i, label in enumerate(labels)))
    assert pairs(schema, document) == len(list(schema.candidate_pairs(document)))


def test_bundles_in_the_wrong_place(tag: Predictor, relate: Predictor) -> None:
    for first, second in ((relate, tag), (tag, tag), (relate, relate)):
        with pytest.raises(ValueError, match=r"Remedy: name the entity bundle first"):
            Chain(first, second, 1)
    assert Chain(tag, relate, 1).can_relate

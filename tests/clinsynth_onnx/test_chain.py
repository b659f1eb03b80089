"""A chain does what its bundles do one after the other, within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clinsynth_onnx.chain import MAX_PAIR_CHARACTERS, PAIR_COST, Chain, Refusal
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.predictor import Predictor

TEXTS = [Document(f"The gene abc{i} and fever of the drug {i}.", id=str(i)) for i in range(9)]


@pytest.fixture(scope="module")
def tag(tiny_bundle: Path) -> Iterator[Predictor]:
    with Predictor.load(tiny_bundle, engine="onnxruntime", variant="fp32") as predictor:
        yield predictor


@pytest.fixture(scope="module")
def relate(tiny_relation_bundle: Path) -> Iterator[Predictor]:
    with Predictor.load(tiny_relation_bundle, engine="onnxruntime", variant="fp32") as predictor:
        yield predictor


def test_it_does_what_its_predictors_do(tag: Predictor, relate: Predictor) -> None:
    tagged = tag(TEXTS)
    assert Chain(tag, None, 1)(TEXTS) == tagged
    assert Chain(tag, relate, 1_000_000)(TEXTS) == relate(tagged)
    assert Chain(relate, None, 1_000_000)(tagged) == relate(tagged)


def test_a_text_with_too_many_pairs_is_refused_and_the_others_are_not(relate: Predictor) -> None:
    few = Document("abc fever", (Entity(0, 3, "Gene"), Entity(4, 9, "Disease")))
    labels = ["Gene"] * 4 + ["Disease"] * 4
    many = Document("abcdefgh", tuple(Entity(i, i + 1, label) for i, label in enumerate(labels)))
    outcomes = Chain(relate, None, 2 * (9 + PAIR_COST))([few, few, many, few])
    assert outcomes[:2] + outcomes[3:] == [relate(few)] * 3
    assert isinstance(outcomes[2], Refusal)
    assert not outcomes[2].ours
    assert outcomes[2].reason.startswith("16 candidate pairs in 8 characters")


def test_each_pair_costs_something_however_short_its_text(relate: Predictor) -> None:
    entities = [Entity(0, 1, "Gene")] * 2000 + [Entity(0, 1, "Disease")] * 2000
    (outcome,) = Chain(relate, None)([Document("x", tuple(entities))])
    assert MAX_PAIR_CHARACTERS > 4_000_000 and isinstance(outcome, Refusal)


def test_bundles_in_the_wrong_place(tag: Predictor, relate: Predictor) -> None:
    for first, second in ((relate, tag), (tag, tag), (relate, relate)):
        with pytest.raises(ValueError, match=r"Remedy: name the entity bundle first"):
            Chain(first, second, 1)
    assert Chain(tag, relate, 1).can_relate

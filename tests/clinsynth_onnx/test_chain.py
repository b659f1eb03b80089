"""A chain does what its bundles do one after the other, within bounds."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from clinsynth_onnx.chain import MAX_PAIR_CHARACTERS, PAIR_COST, Chain, Outcome, Refusal, together_else_alone
from clinsynth_onnx.concepts import concepts
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.grouping import grouped
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


@pytest.fixture(scope="module")
def relate_concepts(tiny_concept_bundle: Path) -> Iterator[Predictor]:
    with Predictor.load(tiny_concept_bundle, engine="onnxruntime", variant="fp32") as predictor:
        yield predictor


def test_it_does_what_its_predictors_do(tag: Predictor, relate: Predictor) -> None:
    tagged = tag(TEXTS)
    assert Chain(tag, None, 1)(TEXTS) == tagged
    assert Chain(tag, relate, 1_000_000)(TEXTS) == relate(tagged)
    assert Chain(relate, None, 1_000_000)(tagged) == relate(tagged)


def test_concepts_are_grouped_and_related_in_one_call(tag: Predictor, relate_concepts: Predictor) -> None:
    tagged = tag(TEXTS)
    assert any(document.entities for document in tagged)
    chain = Chain(tag, relate_concepts)
    outcomes = chain(TEXTS)
    assert outcomes == relate_concepts(tagged) == chain.submit(TEXTS).outcomes()
    for outcome, document in zip(outcomes, tagged, strict=True):
        assert isinstance(outcome, Document) and outcome.entities == document.entities
        assert outcome.meta["concepts"] == grouped(document).meta["concepts"]
    assert Chain(relate_concepts, None)(tagged) == outcomes


def test_relations_of_concepts_take_texts_with_many_pairs(relate_concepts: Predictor) -> None:
    entities = [Entity(4 * i, 4 * i + 3, "Gene" if i % 2 else "Disease") for i in range(400)]
    text = " ".join(f"{i:03d}" for i in range(400))
    (outcome,) = Chain(relate_concepts, None, max_pair_characters=1)([Document(text, tuple(entities))])
    assert isinstance(outcome, Document) and len(concepts(outcome)) == 400


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


def test_bundles_in_the_wrong_place(tag: Predictor, relate: Predictor, relate_concepts: Predictor) -> None:
    wrong = ((relate, tag), (tag, tag), (relate, relate), (relate_concepts, tag))
    for first, second in wrong:
        with pytest.raises(ValueError, match=r"Remedy: name the entity bundle first"):
            Chain(first, second, 1)
    assert Chain(tag, relate, 1).can_relate


def test_a_document_that_fails_fails_for_no_other() -> None:
    def fail(documents: Sequence[Document]) -> list[Outcome]:
        if any(document.id in ("3", "5") for document in documents):
            raise ValueError("text") if documents[0].id == "3" else RuntimeError("text")
        return list(documents)

    outcomes = together_else_alone(fail, TEXTS)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    assert [refusal.ours for refusal in refused] == [False, True]
    assert [refusal.reason for refusal in refused] == [
        f"it cannot be annotated ({name})" for name in ("ValueError", "RuntimeError")
    ]
    assert [outcome for outcome in outcomes if isinstance(outcome, Document)] == [
        document for document in TEXTS if document.id not in ("3", "5")
    ]


def test_work_that_is_begun_ends_as_a_call_does(tag: Predictor, relate: Predictor) -> None:
    chain = Chain(tag, relate)
    assert chain.submit(TEXTS).outcomes() == chain.outcomes(TEXTS) == chain(TEXTS)
    assert Chain(relate, None).submit(TEXTS).outcomes() == TEXTS
    half = Document("half \ud800", id="half")
    outcomes = chain.submit([*TEXTS, half]).outcomes()
    assert outcomes[:-1] == chain(TEXTS)
    assert isinstance(outcomes[-1], Document) or not outcomes[-1].ours


def test_a_chain_opens_and_closes_its_bundles(tiny_bundle: Path, tiny_relation_bundle: Path) -> None:
    with Chain.load(tiny_bundle, tiny_relation_bundle, engine="onnxruntime", workers=1) as chain:
        assert [predictor.bundle.path for predictor in chain.predictors] == [
            tiny_bundle,
            tiny_relation_bundle,
        ]
        assert chain.about.count("onnxruntime") == 2
    with pytest.raises(RuntimeError, match="shutdown"):
        chain.predictors[0].submit(TEXTS)
    before = threading.active_count()
    with pytest.raises(ValueError, match=r"Remedy: name the entity bundle first"):
        Chain.load(tiny_bundle, tiny_bundle, engine="onnxruntime", workers=1)
    assert threading.active_count() == before

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clinsynth_onnx.codec import IGNORE, NO_MARK, NO_PAIR, Features, FloatArray, pad, reasons, unpad
from clinsynth_onnx.concept_codec import ConceptCodec
from clinsynth_onnx.concepts import (
    ConceptRelation,
    candidate_labels,
    candidate_pairs,
    concept_relations,
    concepts,
    with_concept_relations,
)
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import EntityType, RelationType, Schema
from clinsynth_onnx.tokens import TextTokenizer
from tests.clinsynth_onnx.strategies import documents
from tests.conftest import byte_level_json, wordpiece_json

TOKENIZERS = [TextTokenizer(wordpiece_json()), TextTokenizer(byte_level_json())]
SEVERAL = Schema(
    "several",
    {"Gene": EntityType(), "Disease": EntityType()},
    {
        "Causes": RelationType(head=["Gene"], tail=["Disease"]),
        "Raises": RelationType(head=["Gene"], tail=["Gene", "Disease"]),
        "Binds": RelationType(head=["Gene"], tail=["Gene"], symmetric=True),
    },
)


def certain(features: Features) -> list[FloatArray]:
    """Logits of a network that knows what is so."""
    return [
        np.where(e.labels == IGNORE, 99.0, 18.0 * e.labels - 9.0) * (np.arange(e.labels.shape[1]) > 0)
        for e in features.examples
    ]


def mentions(words: str, schema: Schema = SEVERAL) -> Document:
    """A text, each capitalised word of which is a mention: "G1" is the concept 1, a gene."""
    entities, ids, start = [], [], 0
    labels = {label[0]: label for label in schema.entities}
    for word in words.split(" "):
        if word[0] in labels:
            entities.append(Entity(start, start + len(word), labels[word[0]]))
            ids.append(word[1:])
        start += len(word) + 1
    return Document(words, tuple(entities), id="doc", meta={"concepts": ids})


@given(documents(), st.data(), st.sampled_from(TOKENIZERS), st.sampled_from([512, 40]))
def test_relations_that_a_sequence_holds_come_back(
    document: Document, data: st.DataObject, tokenizer: TextTokenizer, length: int
) -> None:
    ids = [data.draw(st.sampled_from(["a", "b", "a|c", None])) for _ in document.entities]
    document = Document(document.text, document.entities, id="doc", meta={"concepts": ids})
    known = concepts(document)
    possible = [
        ConceptRelation(*pair, label)
        for pair in candidate_pairs(known, SEVERAL)
        for label in candidate_labels(*pair, known, SEVERAL)
    ]
    assume(possible)
    gold = with_concept_relations(document, data.draw(st.lists(st.sampled_from(possible), unique=True)))
    codec = ConceptCodec(tokenizer, SEVERAL, length, overlap=20)
    features = codec.encode([gold])
    (found,) = codec.decode(features, certain(features))
    assert found.entities == gold.entities and found.text == gold.text
    stated, missed = (
        set(concept_relations(gold)),
        set(concept_relations(gold)) - set(concept_relations(found)),
    )
    assert set(concept_relations(found)) <= stated
    assert len({(r.head, r.tail) for r in missed}) == len(features.unaligned), "what is missed is counted"
    for example in features.examples:
        assert len(example) <= length
        assert np.isin(example.pairs, example.marks[:, 1]).all(), "each concept of a pair has a mention"
        assert (example.marks[:, 0] >= len(tokenizer.prefix)).all()


def test_all_mentions_are_marked_in_one_sequence(wordpiece: TextTokenizer) -> None:
    codec = ConceptCodec(wordpiece, SEVERAL)
    document = mentions("the G1 and G2 of D3 and G1 pain")
    (example,) = codec.encode([document]).examples
    (expected,) = wordpiece(["the @ G1 @ and @ G2 @ of # D3 # and @ G1 @ pain"])
    assert example.input_ids[1:-1].tolist() == expected.ids.tolist()
    marked = example.input_ids[example.marks[:, 0]]
    (gene, disease) = (wordpiece([mark])[0].ids[0] for mark in "@#")
    assert marked.tolist() == [gene, gene, disease, gene]
    assert example.marks[:, 1].tolist() == [0, 1, 2, 0], "the first and the last are one concept"
    assert example.pairs.tolist() == [[0, 1], [0, 2], [1, 0], [1, 2]]
    assert (example.labels != IGNORE).tolist() == [
        [True, False, True, True],
        [True, True, True, False],
        [True, False, True, False],  # what is symmetric is asked once
        [True, True, True, False],
    ]


def test_nested_mentions_are_marked_inside_each_other(wordpiece: TextTokenizer) -> None:
    text = "gene fever"
    entities = (Entity(0, 10, "Disease"), Entity(0, 4, "Gene"), Entity(5, 10, "Disease"))
    (example,) = ConceptCodec(wordpiece, SEVERAL).encode([Document(text, entities)]).examples
    (expected,) = wordpiece(["# @ gene @ # fever # #"])
    assert example.input_ids[1:-1].tolist() == expected.ids.tolist()
    assert dict(example.marks[:, ::-1].tolist()) == {0: 2, 1: 1, 2: 5}


def test_a_long_text_is_read_in_windows_and_a_pair_where_it_scores_highest(wordpiece: TextTokenizer) -> None:
    document = mentions(" ".join(["G1", *["the"] * 50, "D2", *["of"] * 20, "G1", *["and"] * 60, "D4"]))
    gold = with_concept_relations(
        document, [ConceptRelation(0, 1, "Causes"), ConceptRelation(0, 2, "Causes")]
    )
    codec = ConceptCodec(wordpiece, SEVERAL, max_length=80, overlap=40)
    features = codec.encode([gold])
    assert [example.pairs.tolist() for example in features.examples] == [[[0, 1]], [[0, 1]], [[0, 2]]]
    low, high = np.array([[0.0, -3.0, -9.0, -9.0]]), np.array([[1.0, 3.0, -9.0, -9.0]])
    for scores in ([low, high, low], [high, low, low]):
        (found,) = codec.decode(features, scores)
        (relation,) = concept_relations(found)
        assert (relation.head, relation.tail, relation.label) == (0, 1, "Causes")
        assert relation.score == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_what_no_sequence_can_say_is_counted(wordpiece: TextTokenizer) -> None:
    far = with_concept_relations(
        mentions(" ".join(["G1", *["the"] * 90, "D2"])), [ConceptRelation(0, 1, "Causes")]
    )
    wrong = with_concept_relations(mentions("D1 of G2"), [ConceptRelation(0, 1, "Causes")])
    nowhere = Document("fever", meta={"concept_relations": [["Causes", "7", "8"]]})
    codec = ConceptCodec(wordpiece, SEVERAL, max_length=80, overlap=40)
    assert reasons(codec.encode([far, wrong, nowhere]).unaligned) == {
        "no sequence holds a mention of both of its concepts": 1,
        "the task does not allow the types of its concepts": 1,
        "no mention refers to one of its concepts, or both are one": 1,
    }


def test_unknown_labels_are_refused(wordpiece: TextTokenizer) -> None:
    codec = ConceptCodec(wordpiece, SEVERAL)
    other = with_concept_relations(mentions("G1 D2"), [ConceptRelation(0, 1, "Eats")])
    with pytest.raises(
        ValueError, match="'Eats' relations, but the task 'several' knows Causes, Raises, Binds"
    ):
        codec.encode([other])
    with pytest.raises(ValueError, match="'Drug' mentions, but the task 'several' knows Gene, Disease"):
        codec.encode([Document("x", (Entity(0, 1, "Drug"),))])
    with pytest.raises(ValueError, match="the overlap must be from 0 to 77"):
        ConceptCodec(wordpiece, SEVERAL, max_length=80, overlap=78)
    with pytest.raises(ValueError, match="'threshold' is a chance above 0 and below 1, not 1"):
        ConceptCodec(wordpiece, SEVERAL, threshold=1)


def test_a_relation_is_found_from_a_chance_on(wordpiece: TextTokenizer) -> None:
    for threshold, expected in ((0.1, 2), (0.3, 1), (0.9, 0)):
        codec = ConceptCodec(wordpiece, SEVERAL, threshold=threshold)
        features = codec.encode([mentions("G1 D2")])
        scores = np.array([[1.0, 1.0 + np.log(0.6 / 0.4), 1.0 + np.log(0.2 / 0.8), 9.0]])
        (found,) = codec.decode(features, [scores])
        chances = {r.label: round(r.score, 6) for r in concept_relations(found)}
        assert chances == dict([("Causes", 0.6), ("Raises", 0.2)][:expected])


def test_of_relations_that_exclude_each_other_a_pair_has_the_likeliest(wordpiece: TextTokenizer) -> None:
    chances = np.array([[0.2, 0.35, 0.4, 0.05], [0.75, 0.05, 0.15, 0.05]])
    codec = ConceptCodec(wordpiece, SEVERAL, exclusive=True)
    features = codec.encode([mentions("G1 D2 D3")])
    (found,) = codec.decode(features, [np.log(chances) + 7])
    assert [(r.head, r.tail, r.label) for r in concept_relations(found)] == [(0, 1, "Raises")]
    assert concept_relations(found)[0].score == pytest.approx(0.4 / 0.95), "what cannot be does not count"


def test_more_labels_than_punctuation_have_markers_of_their_own(wordpiece: TextTokenizer) -> None:
    labels = [f"{letter}x" for letter in "abcdefghijklmnopqrs"]
    many = Schema("many", {name: EntityType() for name in labels}, {"R": RelationType(labels, labels)})
    document = Document(" ".join(labels), tuple(Entity(3 * i, 3 * i + 2, x) for i, x in enumerate(labels)))
    (example,) = ConceptCodec(wordpiece, many).encode([document]).examples
    starts = [example.input_ids[place : place + 2].tolist() for place, _ in example.marks]
    assert len({tuple(start) for start in starts}) == len(labels)


def test_padding_is_no_mention_and_no_pair(wordpiece: TextTokenizer) -> None:
    codec = ConceptCodec(wordpiece, SEVERAL)
    examples = codec.encode([mentions("G1 D2"), mentions("G1 D2 of D3 G4 and G1")]).examples
    batch = pad(examples, codec.pad_id)
    assert batch["marks"].shape == (2, 5, 2) and batch["pairs"].shape == (2, 6, 2)
    assert batch["labels"].shape == (2, 6, 4)
    assert (batch["marks"][0, 2:] == NO_MARK).all() and (batch["pairs"][0, 1:] == NO_PAIR).all()
    assert (batch["labels"][0, 1:] == IGNORE).all()
    assert [rows.shape for rows in unpad(np.zeros((2, 6, 4)), examples)] == [(1, 4), (6, 4)]

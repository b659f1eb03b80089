from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clinsynth_onnx.codec import Features, FloatArray
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.relation_codec import Marking, RelationCodec
from clinsynth_onnx.schema import EntityType, RelationType, Schema
from clinsynth_onnx.tokens import TextTokenizer
from tests.clinsynth_onnx.strategies import documents
from tests.conftest import byte_level_json, wordpiece_json

TOKENIZERS = [TextTokenizer(wordpiece_json()), TextTokenizer(byte_level_json())]


def certain(features: Features, classes: int) -> list[FloatArray]:
    """Logits of a network that knows the gold classes."""
    return [9.0 * np.eye(classes)[e.labels[0]] for e in features.examples]


@given(
    documents(),
    st.data(),
    st.sampled_from(TOKENIZERS),
    st.sampled_from(["mask", "markers"]),
    st.sampled_from([256, 60]),
)
def test_relations_of_candidate_pairs_come_back(
    schema: Schema,
    document: Document,
    data: st.DataObject,
    tokenizer: TextTokenizer,
    marking: Marking,
    length: int,
) -> None:
    pairs = list(schema.candidate_pairs(document))
    assume(pairs)
    chosen = data.draw(st.lists(st.sampled_from(pairs), unique=True))
    gold = Document(
        document.text, document.entities, tuple(Relation(*p, "Association") for p in sorted(chosen))
    )
    codec = RelationCodec(tokenizer, schema, marking, length)
    features = codec.encode([gold])
    assert len(features.examples) == len(pairs)
    assert all(len(e) <= length for e in features.examples)
    assert all(0 < a < len(e) - 1 for e in features.examples for a in e.anchors)
    assert codec.decode(features, certain(features, len(codec.classes))) == [gold]


def test_how_likely_pairs_are_related_is_told_of_those_that_are_not_too(wordpiece: TextTokenizer) -> None:
    types = {name: EntityType() for name in ("Gene", "Disease", "Drug")}
    either = {name: RelationType(["Gene"], ["Disease"]) for name in ("A", "B")}
    schema = Schema("t", types, {**either, "C": RelationType(["Drug"], ["Gene"])})
    entities = (Entity(0, 1, "Gene"), Entity(2, 3, "Disease"), Entity(4, 5, "Drug"))
    stale = {"title": 1, "concepts": ["1", "2", "3"], "concept_relations": [["A", "1", "2"]]}
    codec = RelationCodec(wordpiece, schema)
    features = codec.encode([Document("a b c", entities, meta=stale), Document("d")])
    assert [example.origin for example in features.examples] == [(0, 1), (2, 0)]
    logits = [np.log([0.5, 0.2, 0.1, 0.2]), np.log([0.1, 0.2, 0.3, 0.4])]
    chances, none = codec.related(features, logits)
    assert none == {} and chances == {(0, 1): pytest.approx(0.375), (2, 0): pytest.approx(0.8)}
    found, _ = codec.decode(features, logits)
    assert found.relations == (Relation(2, 0, "C"),), "what was given is no longer stated"
    assert found.relations[0].score == pytest.approx(0.8)
    assert found.meta == {"title": 1, "concepts": ["1", "2", "3"]}


def pair(text: str, head: str, tail: str) -> Document:
    h, t = text.index(head), text.index(tail)
    return Document(text, (Entity(h, h + len(head), "Gene"), Entity(t, t + len(tail), "Disease")))


@pytest.mark.parametrize(
    ("marking", "expected"),
    [
        ("mask", "@GENE$ and the @DISEASE$ of pain"),
        ("markers", "@ * gene * gene 1 @ and the # ^ disease ^ fever # of pain"),
    ],
)
def test_mentions_are_marked(
    schema: Schema, wordpiece: TextTokenizer, marking: Marking, expected: str
) -> None:
    codec = RelationCodec(wordpiece, schema, marking)
    (example,) = codec.encode([pair("gene 1 and the fever of pain", "gene 1", "fever")]).examples
    (tokens,) = wordpiece([expected])
    assert example.input_ids[1:-1].tolist() == tokens.ids.tolist()
    at = [expected.index("@"), expected.index("@DISEASE$" if marking == "mask" else "#")]
    assert tokens.offsets[example.anchors - 1, 0].tolist() == at


def test_masking_masked_text_changes_nothing(schema: Schema, wordpiece: TextTokenizer) -> None:
    text = "the @GENE$ of @DISEASE$"
    (example,) = RelationCodec(wordpiece, schema).encode([pair(text, "@GENE$", "@DISEASE$")]).examples
    (tokens,) = wordpiece([text])
    assert example.input_ids[1:-1].tolist() == tokens.ids.tolist()


def test_text_between_far_mentions_is_left_out_and_counted(schema: Schema, wordpiece: TextTokenizer) -> None:
    document = pair("gene " + "pain " * 200 + "fever" + " pain" * 200, "gene", "fever")
    features = RelationCodec(wordpiece, schema, "mask", 64).encode([document])
    (example,) = features.examples
    assert len(example) == 64
    assert [x.reason for x in features.unaligned] == ["its text is longer than a sequence"]
    at = wordpiece(["@"])[0].ids[0]
    assert example.input_ids[example.anchors].tolist() == [at, at]


def test_relations_that_cannot_be_learned_are_counted(wordpiece: TextTokenizer) -> None:
    types = {"Gene": EntityType(), "Disease": EntityType()}
    relations = {
        "Causes": RelationType(head=["Gene"], tail=["Disease"]),
        "Treats": RelationType(head=["Gene"], tail=["Disease"]),
        "Hides": RelationType(head=["Disease"], tail=["Gene"]),
    }
    document = pair("gene fever", "gene", "fever")
    told = (Relation(0, 1, "Causes"), Relation(0, 1, "Treats"), Relation(1, 0, "Causes"))
    codec = RelationCodec(wordpiece, Schema("t", types, relations))
    features = codec.encode([Document(document.text, document.entities, told)])
    assert [x.reason for x in features.unaligned] == [
        "its pair has another relation already",
        "the task does not allow the types of its entities",
    ]
    forbidden = [np.eye(4)[3], np.eye(4)[1]]  # Hides for (Gene, Disease), Causes for (Disease, Gene)
    assert codec.decode(features, forbidden)[0].relations == ()


def test_bad_use_is_an_error(schema: Schema, wordpiece: TextTokenizer) -> None:
    with pytest.raises(ValueError, match="has no relation types"):
        RelationCodec(wordpiece, Schema("t", {"Gene": EntityType()}))
    document = pair("gene fever", "gene", "fever")
    with pytest.raises(ValueError, match="has 'CID' relations"):
        RelationCodec(wordpiece, schema).encode(
            [Document(document.text, document.entities, (Relation(0, 1, "CID"),))]
        )

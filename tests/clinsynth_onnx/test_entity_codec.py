from __future__ import annotations

import itertools
import textwrap
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clinsynth_onnx.codec import Features, FloatArray
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.entity_codec import EntityCodec, Unit
from clinsynth_onnx.schema import Layout, Schema
from clinsynth_onnx.sentences import sentence_starts
from clinsynth_onnx.tokens import TextTokenizer
from tests.clinsynth_onnx.strategies import documents, texts
from tests.conftest import byte_level_json, wordpiece_json

TOKENIZERS = [TextTokenizer(wordpiece_json()), TextTokenizer(byte_level_json())]


def certain(features: Features, classes: int) -> list[FloatArray]:
    """Logits of a network that knows the gold tags."""
    return [9.0 * np.eye(classes)[np.maximum(e.labels, 0)] for e in features.examples]


TORN = Document("--na\u0308ive", (Entity(5, 8, "Gene"), Entity(0, 1, "Gene"), Entity(0, 5, "Gene")))


@given(
    documents(),
    st.sampled_from(TOKENIZERS),
    st.sampled_from(["sentence", "document"]),
    st.sampled_from([(512, 128), (12, 3), (5, 0), (4, 1)]),
)
@example(TORN, TOKENIZERS[0], "sentence", (512, 128))
def test_what_is_not_reported_lost_comes_back(
    schema: Schema, document: Document, tokenizer: TextTokenizer, unit: Unit, window: tuple[int, int]
) -> None:
    codec = EntityCodec(tokenizer, schema, unit, *window, abbreviations=False)
    features = codec.encode([document])
    (found,) = codec.decode(features, certain(features, len(codec.classes)))
    unaligned = sorted((x.start, x.end, x.label) for x in features.unaligned)
    gold = sorted((e.start, e.end, e.label) for e in document.entities)
    kept = list(gold)
    for span in unaligned:
        kept.remove(span)
    got = [(e.start, e.end, e.label) for e in found.entities]
    assert set(kept) <= set(got)
    assert len(got) <= len(gold)
    assert found.text == document.text
    for a, b in itertools.pairwise(found.entities):
        assert a.end <= b.start


@given(
    documents(),
    st.lists(st.integers(0, 60), max_size=3),
    st.sampled_from(TOKENIZERS),
    st.sampled_from(["sentence", "document"]),
    st.randoms(use_true_random=False),
)
def test_no_mention_goes_from_one_passage_into_the_next(
    schema: Schema,
    document: Document,
    cuts: list[int],
    tokenizer: TextTokenizer,
    unit: Unit,
    random: Random,
) -> None:
    cuts = sorted({0, len(document.text), *(cut for cut in cuts if cut < len(document.text))})
    passages = [[start, end, "passage"] for start, end in itertools.pairwise(cuts)]
    document = replace(document, meta={"passages": passages})
    codec = EntityCodec(tokenizer, schema, unit)
    features = codec.encode([document, document])
    crossing = [e for e in document.entities if any(e.start < cut < e.end for cut in cuts)]
    gold = certain(features, len(codec.classes))
    for found in codec.decode(features, gold):
        kept = list(document.entities)
        for missed in features.unaligned[: len(features.unaligned) // 2]:
            kept.remove(Entity(missed.start, missed.end, missed.label))
        assert set(kept) <= set(found.entities)
        assert not set(crossing) & set(kept)
    guessed = [np.array([[random.random() for _ in row] for row in rows]) for rows in gold]
    for found in codec.decode(features, guessed):
        assert not any(e.start < cut < e.end for e in found.entities for cut in cuts)


def test_a_title_without_a_full_stop_is_a_sentence(schema: Schema, wordpiece: TextTokenizer) -> None:
    text = "Gene and fever\nLeukemia of genes"
    passages = {"passages": [[0, 14, "title"], [15, 32, "abstract"]]}
    codec = EntityCodec(wordpiece, schema)
    assert [len(codec.encode([Document(text, meta=meta)]).examples) for meta in ({}, passages)] == [1, 2]
    across = Document(text, (Entity(9, 23, "Disease"),), id="3", meta=passages)
    (gold,) = codec.encode([across]).unaligned
    assert gold.reason == "it goes from one passage into the next"


@given(texts, st.sampled_from(TOKENIZERS))
def test_offsets_stay_in_the_text_and_hold_no_outer_white_space(text: str, tokenizer: TextTokenizer) -> None:
    (tokens,) = tokenizer([text])
    for start, end in tokens.offsets.tolist():
        assert 0 <= start <= end <= len(text)
        assert text[start:end] == text[start:end].strip()


@given(st.lists(texts, min_size=1, max_size=4), st.sampled_from(TOKENIZERS), st.integers(4, 20))
def test_windows_cover_each_token_within_their_length(
    schema: Schema, each: list[str], tokenizer: TextTokenizer, length: int
) -> None:
    codec = EntityCodec(tokenizer, schema, "document", length, (length - 2) // 2)
    features = codec.encode([Document(text) for text in each])
    assert max(map(len, features.examples)) <= length
    for i, tokens in enumerate(features.tokens):
        seen = {t for e in features.examples if e.document == i for t in range(*e.origin)}
        assert seen == set(range(len(tokens)))


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize(
    ("text", "mention"),
    [
        ("a cafe\u0301 fever", "cafe\u0301"),
        ("a cafe\u0301\r\nfever", "cafe\u0301"),
        ("\ufefffever", "fever"),
        ("fever\u00a0of gene", "fever\u00a0of"),
        ("the \U0001f469\u200d\u2695\ufe0f gene", "\U0001f469\u200d\u2695\ufe0f"),
        ("x\u7ef4\u751f\u7d20y", "\u7ef4\u751f\u7d20"),
        ("no. E. coli fever", "E. coli fever"),
    ],
)
def test_mentions_in_unicode_text_are_expressible(
    schema: Schema, tokenizer: TextTokenizer, text: str, mention: str
) -> None:
    start = text.index(mention)
    document = Document(text, (Entity(start, start + len(mention), "Disease"),))
    codec = EntityCodec(tokenizer, schema)
    features = codec.encode([document])
    assert features.unaligned == ()
    (found,) = codec.decode(features, certain(features, len(codec.classes)))
    assert found == document


def test_a_mention_over_a_window_border_is_whole(schema: Schema, wordpiece: TextTokenizer) -> None:
    text = "the " * 7 + "fever of the cancer gene pain" + " and" * 9
    document = Document(text, (Entity(28, 57, "Disease"),))
    codec = EntityCodec(wordpiece, schema, "document", max_length=12, overlap=4)
    features = codec.encode([document])
    assert len(features.examples) > 2
    assert codec.decode(features, certain(features, len(codec.classes))) == [document]


def test_what_cannot_be_expressed_says_why(schema: Schema, wordpiece: TextTokenizer) -> None:
    document = Document(
        "fever cancer \x00",
        (Entity(0, 5, "Disease"), Entity(0, 12, "Disease"), Entity(13, 14, "Gene"), Entity(7, 12, "Gene")),
    )
    unaligned = EntityCodec(wordpiece, schema).encode([document]).unaligned
    assert [x.reason for x in unaligned] == ["it overlaps another mention"] * 2 + ["no token stands for it"]
    (gold,) = EntityCodec(wordpiece, schema).encode([Document("fever", (Entity(1, 4, "Gene"),))]).unaligned
    assert gold.reason == "it begins or ends inside a token or a word"


def test_a_token_of_two_windows_is_read_where_it_has_more_context(
    schema: Schema, wordpiece: TextTokenizer
) -> None:
    codec = EntityCodec(wordpiece, schema, "document", max_length=12, overlap=6)
    features = codec.encode([Document("pain " * 14)])
    (first, second) = features.examples
    assert (first.origin, second.origin) == ((0, 10), (4, 14))
    logits = [np.zeros((12, len(codec.classes))) for _ in range(2)]
    logits[0][:, 1] = 9  # the first window sees a Gene in each token, the second none
    (found,) = codec.decode(features, logits)
    assert len(found.entities) == 7


def test_an_unknown_label_is_an_error(schema: Schema, wordpiece: TextTokenizer) -> None:
    with pytest.raises(ValueError, match="document '9' has 'Drug' entities"):
        EntityCodec(wordpiece, schema).encode([Document("drug", (Entity(0, 4, "Drug"),), id="9")])
    with pytest.raises(ValueError, match="the overlap must be from 0 to 9"):
        EntityCodec(wordpiece, schema, max_length=12, overlap=10)


def test_a_sentence_is_read_alike_alone_and_in_a_document(schema: Schema, wordpiece: TextTokenizer) -> None:
    sentences = ["The fever of E. coli.", "A gene (see Fig. 2) and pain!", "5 of 7 had leukemia."]
    text = " ".join(sentences)
    codec = EntityCodec(wordpiece, schema)
    whole = codec.encode([Document(text)]).examples
    alone = [codec.encode([Document(s)]).examples[0] for s in sentences]
    assert [e.input_ids.tolist() for e in whole] == [e.input_ids.tolist() for e in alone]


PARAGRAPH = (
    "She came with pain in the left leg, which had begun on the day before she was seen here. "
    "No fever. She took Tylenol at home and had a CT of the head, an EKG and blood cultures in the ED."
)
NOTE = f"HISTORY OF ILLNESS\n{PARAGRAPH}\nMEDICATIONS\n- Lasix\n- metoprolol\n\nHOME\nOxygen"


def pieces(text: str, layout: Layout) -> list[str]:
    starts = sentence_starts(text, layout=layout)
    return [" ".join(text[a:b].split()) for a, b in itertools.pairwise([*starts, len(text)])]


@pytest.mark.parametrize("width", [60, 72, 80, 132])
def test_a_line_ends_a_sentence_in_lines_unless_it_was_full(width: int) -> None:
    wrapped = "\n".join(textwrap.fill(line, width) for line in NOTE.split("\n"))
    expected = [
        "HISTORY OF ILLNESS",
        PARAGRAPH.split(" No fever")[0],
        "No fever.",
        PARAGRAPH.split("fever. ")[1],
        *("MEDICATIONS", "- Lasix", "- metoprolol", "HOME", "Oxygen"),
    ]
    assert pieces(NOTE, "lines") == pieces(wrapped, "lines") == expected
    assert len(wrapped.split("\n")) > len(NOTE.split("\n")) and len(pieces(NOTE, "prose")) == 5


def test_a_task_in_lines_is_encoded_line_by_line(schema: Schema, wordpiece: TextTokenizer) -> None:
    document = Document("PLAN\nfever\npain", (Entity(5, 10, "Disease"), Entity(11, 15, "Disease")))
    lines = EntityCodec(wordpiece, replace(schema, layout="lines"))
    features = lines.encode([document])
    assert [example.origin for example in features.examples] == [(0, 4), (4, 5), (5, 6)]
    assert lines.decode(features, certain(features, len(lines.classes))) == [document]
    assert len(EntityCodec(wordpiece, schema).encode([document]).examples) == 1


@given(texts, st.lists(st.integers(0, 60)), st.sampled_from(["prose", "lines"]))
def test_sentences_begin_in_order(text: str, passages: list[int], layout: Layout) -> None:
    passages = [start for start in passages if start <= len(text)]
    starts = sentence_starts(text, passages, layout)
    assert {*sentence_starts(text, (), layout), *passages} == set(starts)
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert starts[-1] <= len(text)


def test_a_mention_is_as_sure_as_its_tags_on_average(schema: Schema) -> None:
    codec = EntityCodec(TOKENIZERS[0], schema, abbreviations=False)
    features = codec.encode([Document("fever of gene")])
    begin, inside = codec.classes.index("B-Disease"), codec.classes.index("I-Disease")
    rows = np.full((5, len(codec.classes)), 0.1)
    rows[1, begin], rows[2, inside], rows[3, 0] = 0.6, 0.6, 0.6
    (document,) = codec.decode(features, [np.log(rows)])
    assert document.entities == (Entity(0, 8, "Disease"),)
    assert document.entities[0].score == pytest.approx(0.6)
    rows[2, inside], rows[2, begin] = 0.05, 0.05
    rows[2, inside] = 0.8
    rows[2] /= rows[2].sum()
    (document,) = codec.decode(features, [np.log(rows)])
    assert document.entities[0].score == pytest.approx((0.6 + rows[2, inside]) / 2)

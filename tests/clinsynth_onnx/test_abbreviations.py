from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth_onnx.abbreviations import agreeing, definitions
from clinsynth_onnx.bundle import describe
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.entity_codec import EntityCodec
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.tokens import TextTokenizer
from tests.conftest import wordpiece_json


def defined(text: str) -> list[tuple[str, str]]:
    """Short and long forms that a text defines."""
    return [(text[slice(*d.short)], text[slice(*d.long)]) for d in definitions(text)]


def found(text: str, *mentions: tuple[str, str], passages: list[list[object]] | None = None) -> list[str]:
    """What agrees with the abbreviations of a text, given the first places of some mentions."""
    entities = tuple(Entity(text.index(m), text.index(m) + len(m), label, 0.5) for m, label in mentions)
    document = Document(text, entities, meta={"passages": passages} if passages else {})
    return [f"{document.mention(e)} {e.start} {e.label}" for e in agreeing(document).entities]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He has myotonic dystrophy (DM).", [("DM", "myotonic dystrophy")]),
        ("Heat shock transcription factor (HSF)", [("HSF", "Heat shock transcription factor")]),
        ("We saw DM (dystrophia myotonica) twice.", [("DM", "dystrophia myotonica")]),
        ("Primary congenital glaucoma (PCG)", [("PCG", "Primary congenital glaucoma")]),
        ("cases of neurofibromatosis type 1 (NF-1)", [("NF-1", "neurofibromatosis type 1")]),
        ("Myotonic dystrophy (DM; MIM 160900) is", [("DM", "Myotonic dystrophy")]),
        ("familial polyposis [FP] and", [("FP", "familial polyposis")]),
        ("Muscles fail. Dystrophy (MD) is", []),  # not over the end of a sentence
        ("He improved (see Table 2) soon", []),
        ("Nothing (DM)", []),
        ("a (b", []),
    ],
)
def test_definitions(text: str, expected: list[tuple[str, str]]) -> None:
    assert defined(text) == expected


def test_a_short_form_is_what_its_long_form_is() -> None:
    text = "DM is rare. Myotonic dystrophy (DM), unlike ADM, is a disease. DMs, DM-like."
    assert found(text, ("Myotonic dystrophy", "Disease")) == [
        "DM 0 Disease",
        "Myotonic dystrophy 12 Disease",
        "DM 32 Disease",
        "DMs 63 Disease",
        "DM 68 Disease",
    ]


def test_a_short_form_is_nothing_where_its_long_form_is_nothing() -> None:
    assert found("The mean distance (MD) grew. MD fell.", ("MD", "Disease")) == []


def test_a_short_form_has_the_label_of_its_long_form() -> None:
    text = "PAN hurt. Puromycin aminonucleoside (PAN)"
    assert found(text, ("PAN", "Disease"), ("Puromycin aminonucleoside", "Chemical")) == [
        "PAN 0 Chemical",
        "Puromycin aminonucleoside 10 Chemical",
        "PAN 37 Chemical",
    ]


def test_a_longer_mention_with_the_same_end_stands_for_the_long_form() -> None:
    text = "severe autosomal dominant myotonic dystrophy (DM)"
    assert found(text, ("autosomal dominant myotonic dystrophy", "Disease"))[1:] == ["DM 46 Disease"]


def test_other_mentions_are_left_alone() -> None:
    text = "myotonic dystrophy (DM) and DM type 2"
    mentions = ("myotonic dystrophy", "Disease"), ("DM type 2", "Disease")
    assert found(text, *mentions) == ["myotonic dystrophy 0 Disease", "DM 20 Disease", "DM type 2 28 Disease"]


def test_no_short_form_goes_from_one_passage_into_the_next() -> None:
    text = "neuro fibromatosis (N F). About N F"
    passages: list[list[object]] = [[0, 33, "title"], [34, 35, "abstract"]]
    assert found(text, ("neuro fibromatosis", "Disease"), passages=passages)[1:] == ["N F 20 Disease"]


WORDS = st.lists(
    st.sampled_from(
        ["DM", "DMs", "NF", "NF 1", "(DM)", "(NF 1)", "[NF]", "(dystrophia myotonica)", "myotonic",
         "dystrophy", "neuro", "fibroma", "-", ".", "\n", "a\u0308", "Dm", "fibroma 1", "(N"]
    ),
    max_size=25,
)  # fmt: skip


@st.composite
def annotated(draw: st.DrawFn) -> Document:
    """Documents that define abbreviations, with entities anywhere that do not overlap."""
    text = draw(st.sampled_from([" ", ""])).join(draw(WORDS))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=12)))
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    entities = tuple(Entity(s, e, draw(st.sampled_from(["A", "B"])), 0.25) for s, e in pairs)
    return Document(text, entities)


@given(annotated())
def test_nothing_moves_or_overlaps_and_again_changes_nothing(document: Document) -> None:
    agreed = agreeing(document)
    assert agreed.text == document.text
    ends = [0, *(entity.end for entity in agreed.entities)]
    assert all(end <= e.start for end, e in zip(ends, agreed.entities, strict=False))
    assert agreeing(agreed) == agreed
    shorts = {agreed.text[slice(*d.short)] for d in definitions(document.text)}
    before = {(e.start, e.end) for e in document.entities}
    for entity in agreed.entities:
        mention = agreed.mention(entity)
        assert (
            (entity.start, entity.end) in before or mention in shorts or mention.removesuffix("s") in shorts
        )


@given(st.text(max_size=200))
def test_any_text_has_definitions_with_a_longer_long_form(text: str) -> None:
    for short, long in definitions(text):
        assert 0 <= short[0] < short[1] <= len(text) and 0 <= long[0] < long[1] <= len(text)
        assert long[1] - long[0] > short[1] - short[0]
        assert long[1] <= short[0] or short[1] <= long[0]


@pytest.mark.parametrize(
    "piece", ["(DM) ", "myotonic dystrophy (DM) ", "((((", "D" * 50, "a (AB [", "DM (d m) "]
)
def test_time_is_linear(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    document = Document(text, (Entity(0, 2, "A"),))
    begin = time.perf_counter()
    agreeing(document)
    assert time.perf_counter() - begin < 5


def test_a_codec_decodes_in_agreement_unless_told_not_to(schema: Schema) -> None:
    document = Document("renal failure (RF). RF is", (Entity(0, 13, "Disease"),))
    for abbreviations, count in ((True, 3), (False, 1)):
        codec = EntityCodec(TextTokenizer(wordpiece_json()), schema, abbreviations=abbreviations)
        features = codec.encode([document])
        logits = [9.0 * np.eye(len(codec.classes))[np.maximum(e.labels, 0)] for e in features.examples]
        (found,) = codec.decode(features, logits)
        assert len(found.entities) == count
        assert describe(codec)[1]["abbreviations"] is abbreviations


def test_a_short_form_is_as_sure_as_its_long_form() -> None:
    text = "PAN hurt. Puromycin aminonucleoside (PAN)"
    document = Document(text, (Entity(0, 3, "Disease", 0.9), Entity(10, 35, "Chemical", 0.4)))
    agreed = agreeing(document).entities
    assert [text[e.start : e.end] for e in agreed] == ["PAN", "Puromycin aminonucleoside", "PAN"]
    assert [e.score for e in agreed] == [0.4, 0.4, 0.4] and {e.label for e in agreed} == {"Chemical"}

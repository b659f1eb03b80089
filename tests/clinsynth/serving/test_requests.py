from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.serving.models import EXAMPLES
from clinsynth.serving.requests import RequestError, parse
from clinsynth_onnx.document import Document, Entity, Relation

SECRET = "Jane Roe"
LABELS = ("Gene", "Disease")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["documents", "text", "entities", "relations", "start", "end", "label", "meta"])
            | st.text(max_size=3),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def entity(**changes: Any) -> dict[str, Any]:
    return {
        "documents": ["a", {"text": SECRET, "entities": [{"start": 0, "end": 2, "label": "Gene"} | changes]}]
    }


@pytest.mark.parametrize(
    ("body", "where", "what"),
    [
        (b"", "", "not JSON"),
        (b'{"text": "Jane Roe', "", "not JSON"),
        (b'{"text": "\xff Jane Roe"}', "", "not JSON"),
        (b'{"text": "\\ud800 Jane Roe"}', "", "not JSON"),
        (b"[" * 100_000, "", "not JSON"),
        (b"9" * 100_000, "", "not JSON"),
        ([SECRET], "", "must be an object"),
        ({}, "", "either"),
        ({"text": SECRET, "documents": []}, "", "either"),
        ({"text": [SECRET]}, "text", "string"),
        ({"text": SECRET, SECRET: 1}, "", "unknown field"),
        ({"documents": SECRET}, "documents", "list"),
        ({"documents": [SECRET, 1]}, "documents[1]", "object"),
        ({"documents": [{"id": SECRET}]}, "documents[0]", "needs a 'text'"),
        ({"documents": [{"text": None}]}, "documents[0].text", "string"),
        ({"documents": [{"text": "", SECRET: SECRET}]}, "documents[0]", "unknown field"),
        ({"documents": [{"text": "", "id": [SECRET]}]}, "documents[0].id", "string"),
        ({"documents": [{"text": "", "meta": [SECRET]}]}, "documents[0].meta", "object"),
        (b'{"documents": [{"text": "", "meta": {"a": 1e999}}]}', "documents[0].meta", "too large"),
        ({"documents": [{"text": "", "entities": {}}]}, "documents[0].entities", "list"),
        ({"documents": [{"text": "", "entities": [SECRET]}]}, "documents[0].entities[0]", "object"),
        (entity(start=SECRET), "documents[1].entities[0].start", "whole number"),
        (entity(start=0.5), "documents[1].entities[0].start", "whole number"),
        (entity(start=True), "documents[1].entities[0].start", "whole number"),
        (entity(start=-1), "documents[1].entities[0].start", "whole number"),
        (entity(start=2), "documents[1].entities[0]", "not after its start"),
        (entity(end=9), "documents[1].entities[0]", "has 8 characters"),
        (entity(label=SECRET), "documents[1].entities[0].label", "knows Gene, Disease only"),
        (entity(label=""), "documents[1].entities[0].label", "empty"),
        (entity(score="1"), "documents[1].entities[0].score", "number"),
        (entity(score=10**400), "documents[1].entities[0].score", "number"),
        (entity(text=SECRET), "documents[1].entities[0].text", "another text there. Remedy: count char"),
        (entity(text=[SECRET]), "documents[1].entities[0].text", "string"),
        (entity(**{SECRET: 1}), "documents[1].entities[0]", "unknown field"),
        (
            {"documents": [{"text": "a", "relations": [{"head": 0, "tail": 1, "label": SECRET}]}]},
            "documents[0].relations[0]",
            "0 entities",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_without_text(body: Any, where: str, what: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(RequestError) as caught:
        parse(raw, 10, LABELS)
    assert caught.value.status == 422
    assert caught.value.where == where
    assert what in caught.value.what
    assert SECRET not in caught.value.what


def test_too_many_documents() -> None:
    body = json.dumps({"documents": ["a"] * 3}).encode()
    assert len(parse(body, 3, None)) == 3
    with pytest.raises(RequestError, match="more than 2") as caught:
        parse(body, 2, None)
    assert caught.value.status == 413


@pytest.mark.parametrize("mentions", [True, False])
def test_an_answer_is_a_request_again(mentions: bool) -> None:
    document = Document(
        "äö 😀 abc",
        (Entity(0, 2, "Gene", 0.5), Entity(5, 8, "Disease")),
        (Relation(0, 1, "Association", 0.25),),
        "7",
        {"passages": [1, {"a": None}]},
    )
    body = json.dumps({"documents": [document.to_json(mentions)]}).encode()
    (read,) = parse(body, 1, LABELS)
    assert read.to_json() == document.to_json()


def test_labels_are_of_no_interest_where_entities_are_ignored() -> None:
    assert parse(json.dumps(entity(label="Other")).encode(), 2, None)[1].entities[0].label == "Other"


@pytest.mark.parametrize("example", EXAMPLES.values())
def test_the_examples_of_the_documentation_are_right(example: Any) -> None:
    assert parse(json.dumps(example["value"]).encode(), 10, LABELS)


@given(JSON)
def test_any_json_is_read_or_refused(value: Any) -> None:
    for body in (value, {"documents": [value]}, {"documents": [{"text": "abc", "entities": [value]}]}):
        try:
            parse(json.dumps(body).encode(), 3, LABELS)
        except RequestError as error:
            assert error.status in (413, 422)

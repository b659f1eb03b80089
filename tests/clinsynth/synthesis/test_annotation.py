from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.llm.requests import Reply
from clinsynth.synthesis import annotation
from clinsynth.synthesis.annotation import (
    AnnotationSettings,
    entity_request,
    read_entities,
    read_relations,
    relation_request,
)
from clinsynth.synthesis.lenient_json import CUT
from clinsynth.synthesis.parse import BAD_RELATION
from clinsynth.synthesis.tagged import render
from clinsynth_onnx.concepts import concept_relations
from clinsynth_onnx.document import Document, Entity, Relation
from tests.clinsynth.synthesis.strategies import documents, markup, texts
from tests.clinsynth.synthesis.tasks import ENTITY_TASK, RELATION_TASK, reply

SETTINGS = AnnotationSettings("m")
TEXT = "VHL is old.  Gout is older. It hurts."
GOLD = Document(TEXT, (Entity(0, 3, "Gene"), Entity(13, 17, "Disease")), id="d")
PARTS = ["<Gene>VHL</Gene> is old.", "<Disease>Gout</Disease> is older.", "It hurts."]


def reasons(found: annotation.Annotation) -> list[str]:
    return [one.reason for one in found.rejects]


def test_entities_are_where_the_text_has_them() -> None:
    found = read_entities(reply({"sentences": PARTS}), Document(TEXT, id="d"), ENTITY_TASK)
    assert found == annotation.Annotation(GOLD)


def test_only_repeated_sentences_count() -> None:
    changed = [PARTS[0], "<Disease>Gout</Disease> is very old.", PARTS[2]]
    found = read_entities(reply({"sentences": changed}), Document(TEXT, id="d"), ENTITY_TASK)
    assert reasons(found) == [annotation.CHANGED, annotation.MISSING]
    assert [TEXT[e.start : e.end] for e in found.document.entities] == ["VHL"]


@given(documents())
def test_a_repeated_text_gives_its_entities(document: Document) -> None:
    solid = tuple(
        e
        for e in document.entities
        if not set(document.text[e.start : e.end])
        & set(" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u2028\u2029\u3000")
    )
    text = Document(document.text, solid)
    found = read_entities(
        reply({"sentences": [render(text, ENTITY_TASK)]}), Document(document.text), ENTITY_TASK
    )
    if not found.rejects:
        assert found.document == text


@given(markup, texts.filter(bool))
def test_no_answer_makes_it_fail(answer: str, text: str) -> None:
    for document in (Document(text), Document(text, (Entity(0, 1, "Gene"),))):
        found = read_entities(reply(answer), document, ENTITY_TASK)
        assert found.document.text == text
        read_relations(reply(answer), document, RELATION_TASK)


@given(st.text(min_size=1))
def test_the_text_is_sent_so_that_it_can_be_repeated(text: str) -> None:
    request = entity_request("r", text, ENTITY_TASK, SETTINGS)
    sent = json.loads(request.body["messages"][1]["content"])
    found = read_entities(reply(sent), Document(text), ENTITY_TASK)
    if not any("\ud800" <= c <= "\udfff" for c in text):
        assert not found.rejects or not text.strip()


def test_relations_between_given_entities() -> None:
    request = relation_request("r", GOLD, RELATION_TASK, SETTINGS)
    assert '<Gene id="1">VHL</Gene>' in request.body["messages"][1]["content"]
    stated = [
        {"label": "Association", "head": "1", "tail": "2"},
        {"label": "Association", "head": "2", "tail": "1"},
    ]
    found = read_relations(reply({"relations": stated}), GOLD, RELATION_TASK)
    assert found.document.relations == (Relation(0, 1, "Association"),)
    assert len(found.rejects) == 1


@pytest.mark.parametrize("bad", [Reply("r", 500), reply("no", "content_filter")])
def test_a_reply_that_is_none(bad: Reply) -> None:
    assert len(read_entities(bad, GOLD, ENTITY_TASK).rejects) == 1
    assert read_relations(bad, GOLD, RELATION_TASK).document.entities == GOLD.entities


def test_the_sentences_of_a_prompt_have_no_character_references() -> None:
    (_, user) = entity_request("r", "One flu. Two colds.\n", ENTITY_TASK, SETTINGS).body["messages"]
    assert json.loads(user["content"]) == {"sentences": ["One flu.", "Two colds."]}


def test_what_the_server_calls_the_longest_answer() -> None:
    settings = AnnotationSettings("m", max_tokens=7, max_tokens_field="max_completion_tokens")
    body = entity_request("r", "x", ENTITY_TASK, settings).body
    assert body["max_completion_tokens"] == 7 and "max_tokens" not in body


@pytest.mark.parametrize(
    ("text", "why", "relations"),
    [
        ("", [annotation.FAILED], 0),
        ("[]", [annotation.ALIEN, annotation.NOTHING], 0),
        (
            '{"relations": [{"label": "Association", "head": "1", "tail": "2"}, {"label',
            [CUT, BAD_RELATION],
            1,
        ),
    ],
)
def test_an_answer_without_relations_is_not_taken_to_deny_them(
    text: str, why: list[str], relations: int
) -> None:
    found = read_relations(reply(text), GOLD, RELATION_TASK)
    assert found.lost and len(found.document.relations) == relations
    assert reasons(found) == why


def test_a_text_in_lines_is_annotated_line_by_line() -> None:
    schema = replace(ENTITY_TASK, layout="lines")
    document = Document("HISTORY\nno gout. No fever\n\n- gout", (), id="d")
    request = entity_request("x", document.text, schema, AnnotationSettings("m"))
    sentences = json.loads(request.body["messages"][1]["content"])["sentences"]
    assert sentences == ["HISTORY", "no gout. No fever", "- gout"]
    answered = {"sentences": [line.replace("gout", "<Disease>gout</Disease>") for line in sentences]}
    found = read_entities(reply(answered), document, schema)
    assert [(e.start, e.end) for e in found.document.entities] == [(11, 15), (29, 33)] and not found.rejects


def test_a_mention_of_several_things_may_be_named_as_it_is_numbered() -> None:
    entities = (Entity(0, 3, "Gene"), Entity(4, 22, "Disease"))
    document = Document("AAA breast/ovary cancer", entities, id="1", meta={"concepts": ["G", "D1|D2"]})
    stated = {"relations": [{"label": "Association", "head": "1", "tail": "2|3"}]}
    found = read_relations(reply(stated), document, RELATION_TASK)
    assert found.rejects == ()
    assert [(r.head, r.tail) for r in concept_relations(found.document)] == [(0, 1), (0, 2)]

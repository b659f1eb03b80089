from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from clinsynth.llm.requests import Reply
from clinsynth.synthesis.annotate_texts import BLANK, UNKNOWN, read_all, requests_for
from clinsynth.synthesis.annotation import CHANGED, MISSING, AnnotationSettings
from clinsynth.synthesis.parse import REFUSED
from clinsynth_onnx.document import RELATIONS_NOT_STATED, Document, Entity, Relation
from tests.clinsynth.synthesis.tasks import ENTITY_TASK, RELATION_TASK, reply

ASKING = AnnotationSettings("m")
GOUT = "She had <Disease>gout</Disease>."


def answered(*sentences: str) -> Reply:
    return reply({"sentences": list(sentences)})


@given(st.text(min_size=1, max_size=80), st.data())
def test_labels_never_change_a_request(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    mentions = (Entity(start, end, "Disease"), Entity(0, len(text), "Gene"))
    meta = {"concepts": ["D006073", None], "secret": "gold"}
    labelled = Document(text, mentions, (Relation(1, 0, "Association"),), "a", meta)
    assert requests_for([labelled], RELATION_TASK, ASKING) == requests_for(
        [Document(text)], RELATION_TASK, ASKING
    )


def test_a_blank_text_is_not_asked_about_and_the_others_keep_their_numbers() -> None:
    asked = requests_for([Document("Gout."), Document(" \n"), Document("Mumps.")], ENTITY_TASK, ASKING)
    assert {i: request.custom_id for i, request in asked.items()} == {
        0: "letters-entities-000000",
        2: "letters-entities-000002",
    }


def test_found_mentions_replace_the_given_ones() -> None:
    text = Document(
        "She had gout.", (Entity(0, 3, "Disease"),), id="a", meta={"concepts": ["D1"], "source": "x"}
    )
    documents, rejects = read_all([text], {0: answered(GOUT)}, ENTITY_TASK)
    assert documents == [Document("She had gout.", (Entity(8, 12, "Disease"),), id="a", meta={"source": "x"})]
    assert rejects == []


def test_relations_of_a_task_that_has_them_are_not_stated() -> None:
    documents, _ = read_all([Document("She had gout.")], {0: answered(GOUT)}, RELATION_TASK)
    assert documents[0].meta == RELATIONS_NOT_STATED and not documents[0].states_relations


def test_texts_that_are_blank_or_refused_are_left_out_with_the_reason() -> None:
    texts = [
        Document("She had gout.", id="refused"),
        Document(" ", id="blank"),
        Document("Mumps.", id="good"),
    ]
    refusal = reply("", finish="content_filter")
    documents, rejects = read_all(texts, {0: refusal, 2: answered("Mumps.")}, ENTITY_TASK)
    assert [document.id for document in documents] == ["good"]
    assert [(reject.reason, reject.source) for reject in rejects] == [(REFUSED, "refused"), (BLANK, "blank")]


def test_a_lost_sentence_leaves_the_passages_of_a_text() -> None:
    text = Document("She had gout. It went.", id="a", meta={"passages": [[0, 13, "title"], [14, 22, "rest"]]})
    documents, rejects = read_all([text], {0: answered(GOUT)}, ENTITY_TASK)
    assert [(d.text.strip(), d.meta["passages"]) for d in documents] == [
        ("She had gout.", [[0, 13, "title"]])
    ]
    assert [(reject.reason, reject.raw) for reject in rejects] == [
        (MISSING, "It went."),
        (UNKNOWN, "It went."),
    ]


@given(st.lists(st.sampled_from(["kept", "changed", "missing"]), min_size=1, max_size=6))
def test_what_cannot_be_placed_goes_and_the_rest_keeps_its_mentions(fates: list[str]) -> None:
    sentences = [f"Patient number {i} had gout." for i in range(len(fates))]
    tagged = [sentence.replace("gout", "<Disease>gout</Disease>") for sentence in sentences]
    answer = [
        sentence.replace("Patient", "Person") if fate == "changed" else sentence
        for sentence, fate in zip(tagged, fates, strict=True)
        if fate != "missing"
    ]
    documents, rejects = read_all(
        [Document(" ".join(sentences), id="a")],
        {0: reply(json.dumps({"sentences": answer}))},
        ENTITY_TASK,
    )
    kept = [sentence for sentence, fate in zip(sentences, fates, strict=True) if fate == "kept"]
    assert [document.text.split() for document in documents] == ([" ".join(kept).split()] if kept else [])
    for document in documents:
        assert [document.mention(entity) for entity in document.entities] == ["gout"] * len(kept)
    lost = len(fates) - len(kept)
    reasons = [reject.reason for reject in rejects]
    assert reasons.count(CHANGED) == fates.count("changed") and reasons.count(MISSING) == lost
    assert {reject.source for reject in rejects} <= {"a"}

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.formats.rejects import Rejected
from clinsynth.llm.requests import Reply
from clinsynth.synthesis import items, lenient_json, parse, tagged
from clinsynth.synthesis.answer_form import Unit, answer
from clinsynth.synthesis.parse import parse_reply
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import Schema
from tests.clinsynth.synthesis.strategies import documents, markup, pairs
from tests.clinsynth.synthesis.tasks import ENTITY_TASK, RELATION_TASK, reply

GOUT = "<Disease>gout</Disease>"
READ = Document("gout", (Entity(0, 4, "Disease"),))


def usable(found: list[Document | Rejected]) -> list[Document]:
    return [item for item in found if isinstance(item, Document)]


def reasons(found: list[Document | Rejected]) -> list[str]:
    return [item.reason for item in found if isinstance(item, Rejected)]


def content(document: Document) -> tuple[object, ...]:
    return document.text, document.entities, document.relations


@given(st.lists(documents(), max_size=4), st.sampled_from(["sentence", "document"]))
def test_documents_read_back(written: list[Document], unit: Unit) -> None:
    found = parse_reply(reply(answer(written, ENTITY_TASK, unit)), ENTITY_TASK)
    assert [content(document) for document in usable(found)] == [content(document) for document in written]
    assert [document.id for document in usable(found)] == [f"r1.{i}" for i in range(len(written))]


@given(st.lists(documents(relations=True), min_size=1, max_size=3))
def test_documents_with_relations_read_back(written: list[Document]) -> None:
    found = parse_reply(reply(answer(written, RELATION_TASK, "document", relations=True)), RELATION_TASK)
    read = [content(item) for item in found if isinstance(item, Document)]
    assert read == [content(document) for document in written]


@given(st.lists(pairs(), min_size=1, max_size=3))
def test_pairs_read_back(written: list[Document]) -> None:
    found = parse_reply(reply(answer(written, RELATION_TASK, "pair")), RELATION_TASK)
    read = [content(item) for item in found if isinstance(item, Document)]
    assert read == [content(document) for document in written]


@given(st.lists(documents(), min_size=1, max_size=4), st.data())
def test_what_was_whole_before_the_cut_is_kept(written: list[Document], data: st.DataObject) -> None:
    def sentences(count: int) -> str:
        return json.dumps(answer(written[:count], ENTITY_TASK, "sentence"))

    cut = data.draw(st.integers(0, len(sentences(len(written))) - 1))
    found = usable(parse_reply(reply(sentences(len(written))[:cut], "length"), ENTITY_TASK))
    whole = [i for i in range(len(written)) if len(sentences(i + 1)) - len("]}") <= cut]
    assert [content(item) for item in found] == [content(written[i]) for i in whole]


@given(
    st.one_of(st.binary().map(lambda b: b.decode("utf-8", "surrogateescape")), markup, st.text()),
    st.sampled_from([ENTITY_TASK, RELATION_TASK]),
    st.sampled_from(["stop", "length", "content_filter"]),
)
def test_no_answer_makes_it_fail(text: str, schema: Schema, finish: str) -> None:
    found = parse_reply(reply(text, finish), schema)
    assert found
    for document in usable(found):
        assert all(document.mention(entity) for entity in document.entities)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), markup),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(
                st.sampled_from(
                    ["text", "sentences", "documents", "relations", "label", "head", "title", "x"]
                ),
                inner,
                max_size=4,
            ),
        ),
        max_leaves=12,
    )
)
def test_no_json_makes_it_fail(value: object) -> None:
    for schema in (ENTITY_TASK, RELATION_TASK):
        assert parse_reply(reply(json.dumps(value)), schema)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"sentences": ["{GOUT}"]}}',
        f'```json\n{{"sentences": ["{GOUT}"]}}\n```',
        f'Here you are [1]:\n\n{{"sentences": ["{GOUT}"]}}\n\nAnything else?',
        f'<think>{{"sentences": ["x"]}}</think>["{GOUT}"]',
        f'{{"text": "{GOUT}"}}',
        f'{{"answer": {{"documents": [["{GOUT}"]]}}}}',
        f'[{{"sentence": "{GOUT}"}}]',
        f"1. {GOUT}",
        f"- {GOUT}\n",
        f'  2) "{GOUT}",',
        GOUT,
        '{"sentences": ["' + GOUT + '", "cut',
        '{"sentences": ["' + GOUT + '",',
        f"- [ ] {GOUT}",
        f'{{"sentence": "{GOUT}", "sentence": ""}}',
    ],
)
def test_forms_of_an_answer(text: str) -> None:
    (read,) = usable(parse_reply(reply(text), ENTITY_TASK))
    assert content(read) == content(READ)


def test_what_is_left_of_a_text_is_more_than_its_title() -> None:
    """A document of one word would teach that words stand alone."""
    found = parse_reply(reply(f'{{"documents": [["{GOUT}", "cut of', "length"), ENTITY_TASK)
    assert reasons(found) == [items.CUT_TITLE, lenient_json.CUT] and not usable(found)
    found = parse_reply(reply(f'{{"documents": [["{GOUT}", "Is {GOUT}.", "cut of', "length"), ENTITY_TASK)
    assert [document.text for document in usable(found)] == ["gout Is gout."]
    assert reasons(found) == [lenient_json.CUT]


@pytest.mark.parametrize(
    "text",
    [
        f'{{"documents": [{{"title": "{GOUT}", "sentences": ["cut of',
        f'{{"documents": [{{"text": ["{GOUT}", "cut of',
        f'{{"documents": [["{GOUT}"',
        f'{{"title": "{GOUT}"',
    ],
)
def test_no_form_of_a_text_leaves_its_title_alone(text: str) -> None:
    found = parse_reply(reply(text, "length"), ENTITY_TASK)
    assert not usable(found) and items.CUT_TITLE in reasons(found)


def test_the_last_line_of_a_list_that_is_cut_off_is_no_sentence() -> None:
    found = parse_reply(reply(f"- {GOUT}\n- Hepat", "length"), ENTITY_TASK)
    assert [document.text for document in usable(found)] == ["gout"] and reasons(found) == [lenient_json.CUT]


def test_drafts_in_thoughts_are_no_documents() -> None:
    draft, final = '{"sentences": ["A <Gene>draft</Gene>."]}', f'{{"sentences": ["{GOUT}"]}}'
    found = parse_reply(reply(f"Draft: {draft} No.\n</think>\n{final}"), ENTITY_TASK)
    assert [content(item) for item in found if isinstance(item, Document)] == [content(READ)]
    assert len(found) == 1
    (reject,) = parse_reply(reply(f"<think>Draft: {draft}"), ENTITY_TASK)
    assert isinstance(reject, Rejected)
    assert (reject.reason, reject.detail) == (parse.FAILED, "the thoughts in the answer are never closed")
    assert draft in reject.raw


def test_title_and_sentences_are_one_text() -> None:
    (found,) = parse_reply(reply({"documents": [["Title.", f"Has {GOUT}."]]}), ENTITY_TASK)
    assert found == Document("Title. Has gout.", (Entity(11, 15, "Disease"),), id="r1.0")
    (same,) = parse_reply(reply({"title": "Title.", "sentences": [f"Has {GOUT}."]}), ENTITY_TASK)
    assert same == found


LINES = replace(ENTITY_TASK, layout="lines")


def test_the_pieces_of_a_text_in_lines_are_lines() -> None:
    (found,) = parse_reply(reply({"documents": [["HISTORY:", "", f"{GOUT} x2", "- no fever"]]}), LINES)
    assert found == Document("HISTORY:\ngout x2\n- no fever", (Entity(9, 13, "Disease"),), id="r1.0")


@given(st.lists(documents(), min_size=1, max_size=3))
def test_texts_in_lines_read_back_but_for_space_around_lines(written: list[Document]) -> None:
    found = parse_reply(reply(answer(written, LINES, "document")), LINES)
    assert len(usable(found)) == len(written)
    for document, read in zip(written, usable(found), strict=True):
        assert read.text.split() == document.text.split()
        assert [read.mention(e).split() for e in read.entities] == [
            document.mention(e).split() for e in sorted(document.entities, key=lambda e: e.start)
        ]


def test_a_bad_sentence_costs_only_itself() -> None:
    found = parse_reply(reply({"documents": [["One.", "<Disease>bad", GOUT]]}), ENTITY_TASK)
    assert reasons(found) == [tagged.UNCLOSED]
    assert [document.text for document in usable(found)] == ["One. gout"]


def test_a_relation_that_breaks_json_is_not_left_out_in_silence() -> None:
    text = (
        '{"documents": [{"text": ["<Gene id=1>VHL</Gene> <Disease id=2>gout</Disease>"], "relations": [\n'
        'broken,\n{"label": "Association", "head": "1", "tail": "2"}\n]}]}'
    )
    assert reasons(parse_reply(reply(text), RELATION_TASK)) == [parse.CUT_TEXT, lenient_json.CUT]


def test_prose_with_a_tag_is_not_left_out_in_silence() -> None:
    found = parse_reply(reply(f'See:\n- {GOUT}\n["{GOUT}"]\nand {GOUT}.'), ENTITY_TASK)
    assert [document.text for document in usable(found)] == ["gout"]
    assert reasons(found) == [lenient_json.OUTSIDE] * 2


def test_a_key_that_occurs_twice_has_both_values() -> None:
    found = parse_reply(reply(f'{{"sentence": "{GOUT}", "sentence": "{GOUT} too"}}'), ENTITY_TASK)
    assert [document.text for document in usable(found)] == ["gout gout too"]


def test_a_pair_that_breaks_json_costs_only_itself() -> None:
    pair = '{"text": "<Gene>A</Gene> in <Disease>B</Disease>", "label": "Association"}'
    broken = '{"text": "he said "no" to <Gene>A</Gene>", "label": "Association"}'
    found = parse_reply(reply(f'{{"examples": [{pair}, {broken}, {pair}]}}'), RELATION_TASK)
    assert [document.text for document in usable(found)] == ["A in B"] * 2
    assert lenient_json.CUT in reasons(found)


def test_lines_that_break_json() -> None:
    text = f'{{"sentences": [\n"{GOUT}",\n"say "no"",\n"a \\alpha b",\n"{GOUT}"\n]}}'
    found = parse_reply(reply(text), ENTITY_TASK)
    assert [document.text for document in usable(found)] == ["gout", "a \\alpha b", "gout"]
    assert reasons(found) == [lenient_json.CUT]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"text": "<Gene>A</Gene> and <Disease>B</Disease>", "label": "Other"}, parse.NO_LABEL),
        ({"text": "<Gene>A</Gene> alone", "label": 1}, parse.NO_PAIR),
        ({"text": "<Gene>A</Gene> <Gene>C</Gene> <Disease>B</Disease>", "label": 1}, parse.NO_PAIR),
        ({"text": "<Gene>A <Disease>B</Disease>", "label": 1}, tagged.NESTED),
    ],
)
def test_pairs_that_cannot_be_used(item: object, reason: str) -> None:
    assert reasons(parse_reply(reply({"examples": [item]}), RELATION_TASK)) == [reason]


def test_masked_pairs() -> None:
    pairs = [{"text": "@DISEASE$ and @GENE$.", "label": 0}, {"text": "@GENE$ in @DISEASE$", "label": 1}]
    none, one = parse_reply(reply({"examples": pairs}), RELATION_TASK)
    assert none == Document(
        "@DISEASE$ and @GENE$.", (Entity(0, 9, "Disease"), Entity(14, 20, "Gene")), id="r1.0"
    )
    assert isinstance(one, Document) and one.relations == (Relation(0, 1, "Association"),)


def related(relations: object) -> list[Document | Rejected]:
    text = ['<Gene id="1">VHL</Gene> and <Disease id="2">gout</Disease>.']
    return parse_reply(reply({"documents": [{"text": text, "relations": relations}]}), RELATION_TASK)


def test_relations_by_number() -> None:
    (found,) = related([{"label": "Association", "head": 1, "tail": "2"}])
    assert isinstance(found, Document) and found.relations == (Relation(0, 1, "Association"),)
    (without,) = related([])
    assert isinstance(without, Document) and "relations" not in without.meta


@pytest.mark.parametrize(
    ("relation", "reason"),
    [
        ({"label": "Association", "head": "2", "tail": "1"}, parse.UNFIT),
        ({"label": "Cause", "head": "1", "tail": "2"}, parse.UNKNOWN_RELATION),
        ({"label": "Association", "head": "1", "tail": "7"}, parse.NO_MENTION),
        ({"label": "Association", "head": "1"}, parse.BAD_RELATION),
        ("VHL-gout", parse.BAD_RELATION),
    ],
)
def test_a_bad_relation_leaves_a_document_without_stated_relations(relation: object, reason: str) -> None:
    found = related([relation])
    assert reasons(found) == [reason]
    (document,) = usable(found)
    assert not document.states_relations and len(document.entities) == 2


def test_a_text_with_relations_that_is_cut_off_is_refused() -> None:
    whole = json.dumps({"documents": [{"text": ["<Gene>VHL</Gene>"], "relations": [{"label": "x"}]}]})
    assert usable(parse_reply(reply(whole[:-6], "length"), RELATION_TASK)) == []


def test_what_is_no_answer() -> None:
    assert reasons(parse_reply(Reply("r", 500, {}), ENTITY_TASK)) == [parse.FAILED]
    assert reasons(parse_reply(reply("I cannot", "content_filter"), ENTITY_TASK)) == [parse.REFUSED]
    assert reasons(parse_reply(reply("  "), ENTITY_TASK)) == [parse.FAILED]
    assert reasons(parse_reply(reply("{}"), ENTITY_TASK)) == [parse.NOTHING]
    assert reasons(parse_reply(reply("Sorry, no."), ENTITY_TASK)) == [lenient_json.OUTSIDE]
    for depth in (9, 400, 900, 100_000):
        for text in ("[" * depth + '"', "[" * depth + '"x"' + "]" * depth, '{"a": [1, ' * depth):
            assert reasons(parse_reply(reply(text), ENTITY_TASK))

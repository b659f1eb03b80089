from __future__ import annotations

from dataclasses import replace

from clinsynth.curation.flaws import without
from clinsynth.synthesis.second_pass import DISAGREES, UNCHECKED, disagreements, read_again, unconfirmed
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import EntityType, RelationType, Schema
from tests.clinsynth.synthesis.tasks import ENTITY_TASK, RELATION_TASK, reply


def test_the_second_pass_takes_out_what_it_does_not_confirm() -> None:
    first = Document("Has gout. Has mumps.", (Entity(4, 8, "Disease"), Entity(14, 19, "Disease")))
    second = Document(first.text, (Entity(4, 8, "Disease"),))
    kept, (reject,) = without([first], disagreements(0, first, second, ENTITY_TASK))
    assert [document.text for document in kept] == ["Has gout. "]
    assert (reject.reason, reject.detail) == (DISAGREES, "only the first pass has Disease at [14, 19)")
    assert list(disagreements(0, first, first, ENTITY_TASK)) == []


def test_a_relation_of_another_mention_of_the_concept_is_the_same() -> None:
    spans = [Entity(0, 2, "Gene"), Entity(6, 10, "Disease"), Entity(15, 17, "Gene")]
    text = Document(
        "A1 in gout and A1.", tuple(spans), (Relation(0, 1, "R"),), meta={"concepts": ["1", "2", "1"]}
    )
    again = replace(text, relations=(Relation(2, 1, "R"),))
    assert list(disagreements(0, text, again, RELATION_TASK)) == []
    bare = replace(text, meta={}), replace(again, meta={})
    assert len(list(disagreements(0, *bare, RELATION_TASK))) == 1


def test_a_relation_without_direction_is_the_same_in_either() -> None:
    text = Document("A1 and B2.", (Entity(0, 2, "Gene"), Entity(7, 9, "Gene")), (Relation(0, 1, "Binds"),))
    turned = replace(text, relations=(Relation(1, 0, "Binds"),))
    for symmetric, differences in ((True, 0), (False, 1)):
        binds = RelationType(["Gene"], ["Gene"], symmetric=symmetric)
        task = Schema("t", {"Gene": EntityType()}, {"Binds": binds})
        assert len(list(disagreements(0, text, turned, task))) == differences


def test_what_has_no_second_annotation_is_not_confirmed() -> None:
    first = Document("Has gout. Has mumps.", (Entity(4, 8, "Disease"), Entity(14, 19, "Disease")), id="a")
    half = reply({"sentences": ["Has <Disease>gout</Disease>."]})
    told = [
        (flaw.document, flaw.start, flaw.reason)
        for flaw in unconfirmed([first] * 2, read_again([first] * 2, [half, None], ENTITY_TASK), ENTITY_TASK)
    ]
    assert told == [(0, 10, UNCHECKED), (1, 0, UNCHECKED)]


def test_relations_are_judged_where_they_are_stated() -> None:
    pair = Document(
        "VHL in gout.", (Entity(0, 3, "Gene"), Entity(7, 11, "Disease")), (Relation(0, 1, "Association"),)
    )
    answer = reply({"relations": []})
    (flaw,) = unconfirmed([pair], read_again([pair], [answer], RELATION_TASK), RELATION_TASK)
    assert (flaw.reason, flaw.detail) == (DISAGREES, "the relations differ")
    bare = [replace(pair, relations=())]
    assert unconfirmed(bare, read_again(bare, [answer], RELATION_TASK), RELATION_TASK) == []

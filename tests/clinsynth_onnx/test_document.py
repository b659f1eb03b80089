from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth_onnx.document import RELATIONS_NOT_STATED, Document, Entity, Relation
from tests.clinsynth_onnx.strategies import documents


@given(documents(), st.floats(0, 1))
def test_json_gives_back_the_document(document: Document, score: float) -> None:
    entities = tuple(Entity(e.start, e.end, e.label, score) for e in document.entities)
    relations = (Relation(0, 1, "Association", score),) if len(entities) > 1 else ()
    whole = Document(document.text, entities, relations, "id", {"concepts": ["D1", None]})
    read = Document.from_json(json.loads(json.dumps(whole.to_json())))
    assert read == whole
    assert [e.score for e in read.entities] == [e.score for e in whole.entities]


def test_score_does_not_take_part_in_equality() -> None:
    assert Entity(0, 3, "Gene", 0.4) == Entity(0, 3, "Gene", 0.9)
    assert Entity(0, 3, "Gene") != Entity(0, 3, "Disease")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Entity(3, 3, "Gene"), "empty or reversed"),
        (lambda: Entity(-1, 3, "Gene"), "empty or reversed"),
        (lambda: Entity(0, 1, ""), "empty label"),
        (lambda: Relation(1, 1, "CID"), "two different"),
        (lambda: Document("abc", (Entity(0, 4, "Gene"),), id="7"), "document '7'.*3 characters"),
        (lambda: Document("abc", (Entity(0, 1, "Gene"),), (Relation(0, 1, "CID"),)), "not there"),
        (lambda: Document.from_json({"text": 3}), "'text'"),
        (lambda: Document.from_json({"text": "", "entity": []}), "unknown field 'entity'"),
        (lambda: Document.from_json({"text": "abc", "entities": [{"start": "0"}]}), "'start'"),
        (lambda: Document.from_json({"text": "abc", "entities": {}}), "list of objects"),
    ],
)
def test_values_check_themselves(build: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()  # type: ignore[operator]


def test_new_annotations_leave_the_meta_of_old_ones_behind() -> None:
    document = Document("ab", (Entity(0, 1, "Gene"),), id="7", meta={"title": 1, "concepts": ["D1"]})
    assert document.annotated((Entity(1, 2, "Gene"),)) == Document(
        "ab", (Entity(1, 2, "Gene"),), id="7", meta={"title": 1}
    )


@pytest.mark.parametrize(
    ("given_passages", "passages"),
    [
        ([[0, 3, "title"], [4, 7, "abstract"]], ((0, 3, "title"), (4, 7, "abstract"))),
        (None, ()),
        (3, ()),
        ([1, {"a": None}], ()),
        ([[0, 3, "title"], [2, 7, "abstract"]], ()),
        ([[0, 8, "title"]], ()),
        ([[True, 3, "title"]], ()),
    ],
)
def test_passages_are_spans_of_the_text_or_not_known(
    given_passages: object, passages: tuple[tuple[int, int, str], ...]
) -> None:
    assert Document("abc def", meta={"passages": given_passages}).passages == passages


def test_a_label_without_a_new_name_is_told() -> None:
    document = Document("ab", (Entity(0, 1, "Modifier"),), id="5")
    assert document.relabelled({"Modifier": "Disease"}).entities[0].label == "Disease"
    with pytest.raises(ValueError, match=r"'5'.*'Modifier'.*known are X"):
        document.relabelled({"X": "Disease"})


@pytest.mark.parametrize("more", [{}, {"concepts": ["D1"], "source": "a"}])
def test_a_document_states_its_relations_unless_its_meta_says_otherwise(more: dict[str, object]) -> None:
    assert Document("ab", meta=more).states_relations
    assert not Document("ab", meta={**RELATIONS_NOT_STATED, **more}).states_relations

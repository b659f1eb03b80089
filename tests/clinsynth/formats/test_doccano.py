"""doccano's JSONL: exports with and without relations, and what can be wrong with them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.formats import registry
from clinsynth.formats.errors import CorpusError
from clinsynth_onnx.document import Document, Entity, Relation
from tests.clinsynth_onnx.strategies import documents

TEXT = "Zorvexin for fever"
SPANS = {"id": 5, "text": TEXT, "label": [[0, 8, "Drug"], [13, 18, "Symptom"]], "Comments": [], "ward": "B"}
RELATED = {
    "id": 6,
    "text": TEXT,
    "entities": [
        {"id": 71, "label": "Drug", "start_offset": 0, "end_offset": 8},
        {"id": 72, "label": "Symptom", "start_offset": 13, "end_offset": 18},
    ],
    "relations": [{"id": 3, "from_id": 71, "to_id": 72, "type": "Treats"}],
    "Comments": [],
}
ENTITIES = (Entity(0, 8, "Drug"), Entity(13, 18, "Symptom"))


def test_exports_are_read(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    for value in (SPANS, RELATED):
        path.write_text(json.dumps(value) + "\n", encoding="utf-8")
        assert registry.detect(path) == "doccano"
    path.write_text(f"{json.dumps(SPANS)}\n{json.dumps(RELATED)}\n", encoding="utf-8")
    assert list(registry.read(path)) == [
        Document(TEXT, ENTITIES, id="5", meta={"ward": "B"}),
        Document(TEXT, ENTITIES, (Relation(0, 1, "Treats"),), "6"),
    ]


def test_what_was_corrected_is_read_with_the_id_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    document = Document(TEXT, ENTITIES, id="n1", meta={"ward": "B", "concepts": ["D1", None]})
    assert registry.write(path, [document], "doccano") == ["n1"]
    corrected = json.loads(path.read_text()) | {"id": 99, "label": [[0, 8, "Treatment"]], "Comments": []}
    path.write_text(json.dumps(corrected) + "\n")
    assert list(registry.read(path)) == [
        Document(TEXT, (Entity(0, 8, "Treatment"),), id="n1", meta={"ward": "B"})
    ]


@given(drawn=st.lists(documents(), min_size=1, max_size=3), related=st.booleans())
def test_what_is_written_is_read_back(
    drawn: list[Document], related: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if related:
        relation = (Relation(1, 0, "R"),)
        drawn = [replace(d, relations=relation if len(d.entities) > 1 else ()) for d in drawn]
    path = tmp_path_factory.mktemp("doccano") / "x.jsonl"
    assert registry.write(path, drawn, "doccano") == []
    assert list(registry.read(path)) == drawn and registry.detect(path) == "doccano"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"label": [[0, 99, "Drug"]]}, "not inside the text"),
        ({"label": [[0, 8]]}, "not a start, an end and a label"),
        ({"label": [["0", 8, "Drug"]]}, "'0', not a whole number"),
        ({"label": [[0, 8, ""]]}, "has to be a string"),
        ({"label": ["positive"]}, "sequence labelling"),
        ({"label": "positive"}, "sequence labelling"),
        ({"entities": ["x"]}, "'entities' is not a list of objects"),
        ({"entities": [], "relations": [{"from_id": 1, "to_id": 2, "type": "R"}]}, "1, which is not there"),
        ({**RELATED, "relations": [{"from_id": 71, "to_id": 71, "type": "R"}]}, "to itself"),
        ({"text": None}, "with a text"),
    ],
)
def test_a_malformed_line_is_told(tmp_path: Path, value: dict[str, object], says: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f"{json.dumps(SPANS)}\n{json.dumps({'text': TEXT, **value})}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"x\.jsonl:2: .*Remedy") as caught:
        list(registry.read(path, "doccano"))
    assert says in str(caught.value)

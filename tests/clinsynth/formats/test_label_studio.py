"""Label Studio's JSON: an export as its documentation shows it, and what can be wrong with it."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.formats import registry
from clinsynth.formats.errors import CorpusError
from clinsynth_onnx.document import Document, Entity, Relation
from tests.clinsynth_onnx.strategies import documents

TEXT = "\U0001f469 took zorvexin for fever."


def region(name: str, start: object, end: int, text: str | None, label: str) -> dict[str, Any]:
    value = {"start": start, "end": end, "text": text, "labels": [label]}
    names = {"from_name": "label", "to_name": "text", "type": "labels", "origin": "manual"}
    return {"value": value, "id": name, **names}


def relation(head: str, tail: str, **more: object) -> dict[str, Any]:
    return {"type": "relation", "from_id": head, "to_id": tail, **more}


TASK: dict[str, Any] = {
    "id": 7,
    "annotations": [
        {
            "id": 1001,
            "completed_by": 1,
            "was_cancelled": False,
            "ground_truth": False,
            "result": [
                region("a1", 7, 15, "zorvexin", "Drug"),
                region("b2", 20, 25, "fever", "Symptom"),
                {
                    "from_id": "b2",
                    "to_id": "a1",
                    "type": "relation",
                    "direction": "left",
                    "labels": ["Treats"],
                },
                {
                    "value": {"choices": ["good"]},
                    "from_name": "c",
                    "to_name": "text",
                    "type": "choices",
                    "id": "c3",
                },
            ],
            "lead_time": 4.2,
        }
    ],
    "predictions": [],
    "data": {"text": TEXT, "ward": "B"},
    "created_at": "2024-01-01T00:00:00Z",
    "project": 3,
}
ENTITIES = (Entity(7, 15, "Drug"), Entity(20, 25, "Symptom"))


def read(path: Path, *tasks: object) -> list[Document]:
    path.write_text(json.dumps(list(tasks)), encoding="utf-8")
    return list(registry.read(path))


def changed(task: dict[str, Any], **annotation: Any) -> dict[str, Any]:
    made = copy.deepcopy(task)
    made["annotations"][0] |= annotation
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "project-3-at-2024.json"


def test_an_export_is_read(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (document,) = read(path, TASK)
    assert registry.detect(path) == "label-studio"
    assert document == Document(TEXT, ENTITIES, (Relation(0, 1, "Treats"),), "7", {"ward": "B"})
    assert "1 results are left out, of the types: choices" in caplog.text


def test_offsets_of_older_versions_count_utf_16_units(path: Path) -> None:
    older = changed(
        TASK, result=[region("a1", 8, 16, "zorvexin", "Drug"), region("b2", 21, 26, "fever", "Symptom")]
    )
    (document,) = read(path, older)
    assert document.entities == ENTITIES
    wrong = changed(TASK, result=[region("a1", 9, 17, "zorvexin", "Drug")])
    with pytest.raises(CorpusError, match=r"task 1: \[9, 17\) is 'rvexin f', not 'zorvexin'.*Remedy"):
        read(path, wrong)


def test_of_several_annotations_the_ground_truth_counts(path: Path) -> None:
    other = {"result": [], "was_cancelled": False, "ground_truth": False}
    two = copy.deepcopy(TASK)
    two["annotations"].append(other)
    with pytest.raises(CorpusError, match=r"task 1: it has 2 annotations.*ground truth"):
        read(path, two)
    other["ground_truth"] = True
    assert read(path, two)[0].entities == ()
    other["was_cancelled"] = True
    assert read(path, two)[0].entities == ENTITIES


def test_predictions_are_read_where_nobody_annotated_and_told(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    document = Document(TEXT, (Entity(7, 15, "Drug", 0.5), ENTITIES[1]), id="n1", meta={"ward": "B"})
    assert registry.write(path, [document], "label-studio") == []
    (task,) = json.loads(path.read_text(encoding="utf-8"))
    assert "annotations" not in task
    (back,) = registry.read(path)
    assert back == document and [e.score for e in back.entities] == [0.5, 1.0]
    assert "1 tasks have predictions only" in caplog.text
    task["annotations"] = [{"result": [region("x", 20, 25, "fever", "Finding")]}]
    (corrected,) = read(path, task)
    assert corrected.id == "n1" and corrected.entities == (Entity(20, 25, "Finding"),)


def test_meta_of_entities_does_not_outlive_them(path: Path) -> None:
    document = Document(
        "fever", (Entity(0, 5, "S"),), id="1", meta={"concepts": ["D1"], "passages": [[0, 5, "t"]]}
    )
    assert registry.write(path, [document], "label-studio") == ["1"]
    (back,) = registry.read(path)
    assert back.meta == {"passages": [[0, 5, "t"]]}


@given(drawn=st.lists(documents(), min_size=1, max_size=3), related=st.booleans())
def test_what_is_written_is_read_back(
    drawn: list[Document], related: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if related:
        between = (Relation(1, 0, "R"),)
        drawn = [replace(d, relations=between if len(d.entities) > 1 else ()) for d in drawn]
    path = tmp_path_factory.mktemp("label-studio") / "x.json"
    try:
        assert registry.write(path, drawn, "label-studio") == []
    except ValueError as error:
        assert "surrogate" in str(error)
    else:
        assert list(registry.read(path)) == drawn


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ([region("a", 7, 99, None, "Drug")], "not inside the text"),
        ([region("a", 7, 7, None, "Drug")], "not inside the text"),
        ([region("a", "7", 8, None, "Drug")], "'7', not a whole number"),
        (
            [{**region("a", 7, 15, None, "Drug"), "value": {"start": 7, "end": 15, "labels": []}}],
            "'a' has no label",
        ),
        ([relation("a", "b", labels=["X"])], "'a', which is not there"),
        ([region("a", 7, 15, None, "D"), relation("a", "a")], "to itself"),
        (
            [*TASK["annotations"][0]["result"][:2], relation("a1", "b2")],
            "relation has no label. Remedy: label it; a project names labels in <Relations>",
        ),
        ("x", "'result' is not a list"),
    ],
)
def test_a_malformed_task_is_told(path: Path, result: object, says: str) -> None:
    with pytest.raises(CorpusError, match=r"task 2: .*Remedy") as caught:
        read(path, TASK, changed(TASK, result=result))
    assert says in str(caught.value)


def test_other_json_is_told(path: Path) -> None:
    with pytest.raises(CorpusError, match="not as JSON_MIN"):
        read(path, TASK, {"text": TEXT, "label": []})
    with pytest.raises(CorpusError, match=r"no field 'text'.*: a, b"):
        read(path, {**TASK, "data": {"a": "x", "b": "y"}})
    assert read(path, {**TASK, "data": {"note": TEXT}})[0].text == TEXT
    path.write_text("[{", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"json:1: the JSON is broken"):
        list(registry.read(path, "label-studio"))
    path.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(CorpusError, match="nested"):
        list(registry.read(path, "label-studio"))


def test_what_is_said_of_a_region_is_no_region(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Choices and texts of a region come with its place, and with its id."""
    said = [
        {"type": kind, "id": "b2", "value": {"start": 20, "end": 25, "text": "fever", kind: ["negated"]}}
        for kind in ("choices", "taxonomy", "textarea")
    ]
    regions = [region("a1", 7, 15, "zorvexin", "Drug"), region("b2", 20, 25, "fever", "Symptom")]
    (document,) = read(path, changed(TASK, result=[*regions, *said]))
    assert document.entities == ENTITIES
    assert "3 results are left out" in caplog.text

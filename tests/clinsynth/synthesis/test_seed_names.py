from __future__ import annotations

import json
from pathlib import Path

import pytest

from clinsynth.formats.errors import CorpusError
from clinsynth.synthesis.plan import PlanSettings, plan
from clinsynth.synthesis.seed_names import names_for, read_seeds, write_seeds
from tests.clinsynth.synthesis.tasks import ENTITY_TASK


def test_names_go_with_their_subject(tmp_path: Path) -> None:
    seeds = {topic: {"Disease": [f"{topic}-itis"]} for topic in "ab"}
    write_seeds(tmp_path / "seeds.json", seeds)
    assert read_seeds(tmp_path / "seeds.json", ENTITY_TASK) == seeds
    for request in plan(ENTITY_TASK, PlanSettings(size=6, seeds=tmp_path / "seeds.json")):
        told = request.body["messages"][1]["content"]
        topic = told.removeprefix("Subject: ")[0]
        assert [name for name in ("a-itis", "b-itis", "c-itis") if name in told] == (
            [] if topic == "c" else [f"{topic}-itis"]
        )


def test_names_without_a_subject_go_with_any(tmp_path: Path) -> None:
    (tmp_path / "seeds.json").write_text('{"Disease": ["gout"]}')
    assert names_for("b", read_seeds(tmp_path / "seeds.json", ENTITY_TASK)) == {"Disease": ["gout"]}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([], "not a JSON object"),
        ({"Drug": ["x"]}, "no entity type 'Drug'"),
        ({"d": {"Gene": ["x"]}}, "no topic 'd'"),
        ({"a": {"Drug": ["x"]}}, "no entity type 'Drug'"),
        ({"a": {"Gene": ["x"]}, "b": ["x"]}, "the names of a subject are not"),
        ({"a": {"Gene": ["x", " "]}}, "not a list of strings"),
        ({"Gene": "x"}, "not a list of strings"),
    ],
)
def test_a_bad_file_is_told(tmp_path: Path, value: object, told: str) -> None:
    (tmp_path / "seeds.json").write_text(json.dumps(value))
    with pytest.raises(CorpusError, match=told):
        read_seeds(tmp_path / "seeds.json", ENTITY_TASK)

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clinsynth.formats import jsonl
from clinsynth.formats.errors import CorpusError
from clinsynth.synthesis.parse import parse_reply
from clinsynth.synthesis.plan import PlanSettings, plan
from clinsynth_onnx.document import Document, Entity
from tests.clinsynth.synthesis.tasks import ENTITY_TASK, RELATION_TASK, reply


def texts(request: Any) -> str:
    return "\n".join(message["content"] for message in request.body["messages"])


def test_a_larger_plan_begins_with_the_smaller() -> None:
    small, large = (
        plan(ENTITY_TASK, PlanSettings(size=size, unit="sentence", per_request=4)) for size in (10, 40)
    )
    assert len(small) == 3 and len(large) == 10
    assert large[:3] == small
    assert len({request.key for request in large}) == 10


def test_topics_are_crossed_with_emphases() -> None:
    subjects = {texts(request).split("Subject: ")[1] for request in plan(ENTITY_TASK, PlanSettings(size=6))}
    assert len(subjects) == 6


def test_a_prompt_tells_the_whole_task() -> None:
    (request,) = plan(ENTITY_TASK, PlanSettings(size=1))
    for part in ("letters", "<Gene>", "A disease.", "Not symptoms.", "gout", "Never reproduce"):
        assert part in texts(request)
    assert request.body["response_format"]["json_schema"]["strict"] is True


def test_pairs_are_asked_for_where_only_pairs_are_judged() -> None:
    (request,) = plan(RELATION_TASK, PlanSettings(size=1, unit="pair", response_format="none"))
    assert "NoAssociation" in texts(request) and "response_format" not in request.body
    with pytest.raises(ValueError, match="no relations"):
        plan(ENTITY_TASK, PlanSettings(unit="pair"))


def test_seeds_and_examples_are_drawn(tmp_path: Path) -> None:
    seeds, examples = tmp_path / "seeds.json", tmp_path / "examples.jsonl"
    seeds.write_text(json.dumps({"Disease": ["gout", "mumps", "rickets"]}))
    written = Document("Has ague.", (Entity(4, 8, "Disease"),), id="mine")
    jsonl.write(examples, [written])
    settings = PlanSettings(size=2, seeds=seeds, seeds_per_request=2, examples=examples)
    for request in plan(ENTITY_TASK, settings):
        user = request.body["messages"][1]["content"]
        assert sum(name in user for name in ("gout", "mumps", "rickets")) == 2
        shown = request.body["messages"][0]["content"].splitlines()[-1]
        (read,) = parse_reply(reply(shown), ENTITY_TASK)
        assert isinstance(read, Document) and (read.text, read.entities) == (written.text, written.entities)


@pytest.mark.parametrize("text", ["{", "[]", '{"Drug": ["x"]}', '{"Gene": "x"}', '{"Gene": [1]}'])
def test_bad_seed_files(tmp_path: Path, text: str) -> None:
    (tmp_path / "seeds.json").write_text(text)
    with pytest.raises(CorpusError, match=r"seeds\.json"):
        plan(ENTITY_TASK, PlanSettings(seeds=tmp_path / "seeds.json"))


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match="'size'"):
        PlanSettings(size=0)


def test_every_setting_of_the_model_can_be_left_to_the_server() -> None:
    requests = plan(
        ENTITY_TASK,
        PlanSettings(size=7, seed=None, temperature=None, max_tokens=None, response_format="none"),
    )
    assert all(request.body.keys() == {"model", "messages"} for request in requests)
    assert len({request.key for request in requests}) == 7  # the same prompt again is a further draw


@pytest.mark.parametrize("wrong", [{"untagged": 1.5}, {"shortest": 0}, {"longest": 0}])
def test_numbers_that_no_text_can_have(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        PlanSettings(**wrong)  # type: ignore[arg-type]


def test_a_text_cannot_be_longer_at_least_than_at_most() -> None:
    with pytest.raises(ValueError, match="'longest'"):
        plan(ENTITY_TASK, PlanSettings(size=1, shortest=9, longest=3))
    (request,) = plan(ENTITY_TASK, PlanSettings(size=1, longest=3))
    assert " 3 sentences" in request.body["messages"][0]["content"]


def test_a_symmetric_relation_is_not_asked_for_by_pairs() -> None:
    directed = RELATION_TASK.relations["Association"]
    either = replace(RELATION_TASK, relations={"Association": replace(directed, symmetric=True)})
    with pytest.raises(ValueError, match=r"is symmetric.*Remedy: --plan\.unit document"):
        plan(either, PlanSettings(size=1, unit="pair"))
    assert plan(either, PlanSettings(size=1, unit="document", relations=True))

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from clinsynth.llm.cache import ReplyCache
from clinsynth.llm.explain import NEW, explain
from clinsynth.synthesis.plan import PlanSettings, plan
from clinsynth_onnx.schema import Schema
from tests.clinsynth.synthesis.tasks import ENTITY_TASK, reply

SETTINGS = PlanSettings(size=6)


def reasons(
    cache: ReplyCache, settings: PlanSettings = SETTINGS, schema: Schema = ENTITY_TASK
) -> dict[str, int]:
    return dict(explain(plan(schema, settings), cache))


def test_every_miss_has_its_reason(tmp_path: Path) -> None:
    with ReplyCache(tmp_path) as cache:
        assert reasons(cache) == {NEW: 6}
        requests = plan(ENTITY_TASK, SETTINGS)
        cache.add([(request, reply("x", custom_id=request.custom_id)) for request in requests[1:]])
        cache.add([(requests[0], reply("x", "length"))] * 2)
        assert reasons(cache) == {
            "it has no whole answer: the answer is cut off (finish_reason length), 2 times": 1
        }
        colder = reasons(cache, replace(SETTINGS, temperature=0.5))
        assert colder == {"temperature is 0.5, the cached reply has 1.0": 6}
        assert reasons(cache, replace(SETTINGS, response_format="none")) == {
            "response_format is another one": 6
        }
        other = replace(ENTITY_TASK, genre="notes")
        (told,) = reasons(cache, schema=other)
        assert told.startswith("the system prompt")
        assert reasons(cache, replace(SETTINGS, size=8)).keys() == {
            "it has no whole answer: the answer is cut off (finish_reason length), 2 times",
            "seed is 6, the cached reply has 0",
            "seed is 7, the cached reply has 1",
        }


def test_a_further_draw(tmp_path: Path) -> None:
    (request,) = plan(ENTITY_TASK, PlanSettings(size=1))
    with ReplyCache(tmp_path) as cache:
        cache.add([(request, reply("x"))])
        (told,) = explain([replace(request, draw=1)], cache)
        assert told == "it is draw 1 of the same request, the cached reply is draw 0"

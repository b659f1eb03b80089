from __future__ import annotations

import json
from typing import Any

import pytest

from clinsynth.llm.errors import read_error, retry_after

CANARY = "His temperature rose; seed corn and the seed were given. canary4714"
SENT = ["temperature", "max_tokens", "seed", "top_p"]
LOCATED = [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs", "input": CANARY}]


@pytest.mark.parametrize(
    ("body", "reason", "named"),
    [
        ({"param": "max_tokens", "code": "unsupported_parameter", "message": CANARY},
         "status 400 (unsupported_parameter, parameter max_tokens)", ["max_tokens"]),
        ({"param": None, "code": None, "type": "invalid_request_error",
          "message": "Unrecognized request argument supplied: seed"},
         "status 400 (invalid_request_error)", ["seed"]),
        ({"object": "error", "message": {"detail": LOCATED}, "param": None},
         "status 400 (extra_forbidden, parameter seed)", ["seed"]),
        ({"detail": LOCATED}, "status 400 (extra_forbidden, parameter seed)", ["seed"]),
        ({"message": str([{"loc": ("body", "top_p"), "msg": "Extra inputs", "input": "seed"}])},
         "status 400", ["top_p"]),
        ({"message": "Provider error", "code": 400, "metadata": {
            "raw": json.dumps({"error": {"param": "temperature", "code": "unsupported_value"}})}},
         "status 400 (unsupported_value, parameter temperature)", ["temperature"]),
        ("`temperature` is not supported by this model", "status 400", ["temperature"]),
        ('Invalid JSON payload received. Unknown name "seed": Cannot find field.', "status 400", ["seed"]),
        ("Argument not supported on this model: temperature", "status 400", ["temperature"]),
        ("property 'top_p' is unsupported", "status 400", ["top_p"]),
        ({"param": "prompt", "code": "content_filter", "message": "'seed' is bad"},
         "status 400 (content_filter, parameter prompt)", []),
        ({"message": CANARY, "code": CANARY, "param": CANARY}, "status 400", []),
        ({"detail": [{"msg": "bad", "input": {"seed": 1, "messages": [CANARY]}}]}, "status 400", []),
        ({"message": "x" * 500 + "'seed' is text that the server repeats"}, "status 400", []),
        (None, "status 400", []),
        ({"detail": [{"loc": "seed", "msg": ["a"]}], "error": [[]]}, "status 400", []),
    ],
)  # fmt: skip
def test_what_an_error_is_about_without_what_it_quotes(body: Any, reason: str, named: list[str]) -> None:
    problem = read_error(400, body)
    assert (problem.reason, problem.parameters(SENT)) == (reason, named)
    assert "canary" not in repr(problem)


@pytest.mark.parametrize(
    ("status", "passing"), [(400, False), (402, False), (422, False), (429, True), (503, True)]
)
def test_errors_that_pass(status: int, passing: bool) -> None:
    assert read_error(status, {}).passing == passing


def test_milliseconds_to_wait_come_before_seconds() -> None:
    assert retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert retry_after({"retry-after": "9"}) == 9 and retry_after({"retry-after": "soon"}) is None

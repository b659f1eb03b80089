"""``clinsynth generate`` against servers that each do a thing in a way of their own, twice each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from clinsynth.cli import generate as command
from clinsynth.formats import jsonl
from tests.clinsynth.llm.server import Act, Script, ScriptedServer, completion
from tests.clinsynth.synthesis.tasks import ENTITY_TASK

SIZE = 4
DRAFT = (
    'A title first: {"documents": [["DRAFT <Disease>patients</Disease>", "DRAFT two."]]} No, not "patients".'
)
CANARY = "Never tell: canary 4713"


def good(seed: int) -> str:
    word = "abcdefgh"[seed % 8] * 4
    sentences = [
        f"On <Disease>{word} fever</Disease> in {seed + 3} towns",
        f"We saw {word} in {seed * 17} people.",
    ]
    return json.dumps(
        {"documents": [[*sentences, f"Here <Disease>{word} gout</Disease> was number {seed}."]]}
    )


def message(content: Any, finish: str = "stop", **more: Any) -> dict[str, Any]:
    found = completion("", finish)
    found["choices"][0]["message"] = {"role": "assistant", "content": content, **more}
    return found


def seed_of(body: Mapping[str, Any]) -> int:
    return int(body.get("seed", json.dumps(body["messages"]).__hash__() % 1000))


Answer = Callable[[int], dict[str, Any]]
ODD_ANSWERS: dict[str, Answer] = {
    "parts": lambda i: message(
        [
            {"type": "thinking", "thinking": [{"type": "text", "text": DRAFT}]},
            {"type": "text", "text": good(i)},
        ]
    ),
    "a part": lambda i: message([{"type": "text", "text": good(i)}]),
    "closing mark": lambda i: message(f"{DRAFT}\n</think>\n\n{good(i)}"),
    "thinking": lambda i: message(f"<thinking>{DRAFT}</thinking>\n{good(i)}"),
    "channels": lambda i: message(
        f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>{good(i)}"
    ),
    "a field": lambda i: message(good(i), reasoning_content=DRAFT),
    "tool call": lambda i: message(
        None,
        "tool_calls",
        tool_calls=[{"id": "c", "type": "function", "function": {"name": "json", "arguments": good(i)}}],
    ),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("clinsynth.llm.limits.random.uniform", lambda low, high: 0.001)
    Path("task.yaml").write_text(yaml.safe_dump(ENTITY_TASK.to_json()))


def generate(script: Script, *more: str) -> tuple[int, int]:
    """Exit code and number of requests of a run."""
    with ScriptedServer(script) as server:
        given = ["--task=task.yaml", "--out=out", f"--plan.size={SIZE}", "--server.base_url", server.url]
        try:
            command.main([*given, *more])
        except SystemExit as end:
            return int(end.code or 0), server.count
        return 0, server.count


def always(answer: Answer) -> Script:
    return lambda number, body: Act(body=answer(seed_of(body)))


def corpus() -> list[str]:
    return (
        [document.text for document in jsonl.read(Path("out/corpus.jsonl"))]
        if Path("out/corpus.jsonl").stat().st_size
        else []
    )


def ledger() -> list[Any]:
    return [json.loads(line) for line in Path("out/rejects.jsonl").read_text().splitlines()]


def card() -> Any:
    return json.loads(Path("out/card.json").read_text())


@pytest.mark.parametrize("kind", ODD_ANSWERS)
def test_the_answer_is_read_wherever_it_stands(kind: str) -> None:
    script = always(ODD_ANSWERS[kind])
    assert generate(script) == (0, SIZE)
    assert len(corpus()) == SIZE and not any("DRAFT" in text for text in corpus()) and ledger() == []
    assert generate(script) == (0, 0)


def broken(_: int) -> dict[str, Any]:
    found = message("")
    found["choices"][0].update(finish_reason="error", error={"code": 502, "message": CANARY})
    return found


def test_an_error_in_the_choice_is_a_failure_that_is_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate(always(broken)) == (3, 2 * SIZE)  # an answer that is paid for is asked for twice
    assert (
        corpus() == [] and [reject["detail"] for reject in ledger()] == ["error in the answer (502)"] * SIZE
    )
    told = capsys.readouterr().out
    assert f"{SIZE} requests failed: error in the answer (502); start again" in told
    assert "the corpus is empty" in told and CANARY not in told
    assert card()["tokens"]["replies_counted"] == 2 * SIZE
    assert generate(always(ODD_ANSWERS["a part"])) == (0, SIZE) and len(corpus()) == SIZE and ledger() == []


def test_an_error_that_passes_is_made_good_in_the_same_run() -> None:
    script: Script = lambda n, body: Act(body=broken(0) if n < 2 else message(good(seed_of(body))))  # noqa: E731
    assert generate(script) == (0, SIZE + 2) and len(corpus()) == SIZE
    assert generate(script) == (0, 0)


@pytest.mark.parametrize("content", ["", None, [], "<think>Hm.</think>", f"<think>{DRAFT}"])
def test_an_answer_that_holds_nothing_is_asked_for_again(content: Any) -> None:
    script: Script = lambda n, body: Act(  # noqa: E731
        body=message(content) if seed_of(body) == 1 else message(good(seed_of(body)))
    )
    assert generate(script) == (3, SIZE + 1)
    (reject,) = ledger()
    assert (
        reject["reason"] == "the request failed" and "the" in reject["detail"] and len(corpus()) == SIZE - 1
    )
    assert generate(always(ODD_ANSWERS["a part"])) == (0, 1) and len(corpus()) == SIZE


def test_answers_that_are_cut_off_are_told_and_can_be_forgotten(capsys: pytest.CaptureFixture[str]) -> None:
    def cut(number: int, body: Mapping[str, Any]) -> Act:
        seed = seed_of(body)
        return Act(body=message(good(seed)[:60], "max_tokens") if seed < 2 else message(good(seed)))

    assert generate(cut) == (3, SIZE + 2)
    assert len(corpus()) == SIZE - 2  # nothing of a text of which there is only the title
    assert {reject["reason"] for reject in ledger()} == {"the answer is cut off or its JSON is broken here"}
    assert (
        "2 requests have no whole answer: the answer is cut off (finish_reason max_tokens)"
        in capsys.readouterr().out
    )
    assert generate(cut) == (3, 0)  # asked as often as they may be
    command.main(["forget", "--task=task.yaml", f"--plan.size={SIZE}"])
    assert "4  the answer is cut off (finish_reason max_tokens)" in capsys.readouterr().out
    command.main(["forget", "--task=task.yaml", f"--plan.size={SIZE}", "--reason=cut off"])
    assert "4 replies to 2 requests forgotten" in capsys.readouterr().out
    assert generate(always(ODD_ANSWERS["a part"])) == (0, 2) and len(corpus()) == SIZE


def test_a_whole_answer_of_no_use_can_be_forgotten_by_reason_or_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    script: Script = lambda n, body: Act(  # noqa: E731
        body=message("I cannot." if seed_of(body) == 1 else good(seed_of(body)))
    )
    assert generate(script) == (0, SIZE) and len(corpus()) == SIZE - 1
    given = ["forget", "--task=task.yaml", f"--plan.size={SIZE}"]
    command.main([*given, "--reason", "NOT PART of a list"])
    assert "1 replies to 1 requests forgotten" in capsys.readouterr().out
    assert generate(script) == (0, 1)
    names = [json.loads(line)["custom_id"] for line in Path("out/plan.jsonl").read_text().splitlines()]
    command.main([*given, f"--request=[{names[0]},{names[2]}]"])
    assert generate(script) == (0, 2)
    with pytest.raises(ValueError, match="no request 'who'"):
        command.main([*given, "--request=who"])


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (Act(body={"error": {"message": CANARY, "code": 429}}), "error in the response (429)"),
        (Act(body={**completion(), "choices": []}), "the response is no chat completion"),
        (
            Act(
                400,
                {"error": {"message": CANARY, "param": "prompt", "code": "content_filter", "status": 400}},
            ),
            "status 400 (content_filter, parameter prompt)",
        ),
    ],
)
def test_a_response_without_an_answer_is_a_failure_with_its_reason(
    act: Act, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = generate(lambda n, b: act, "--server.retries=1")
    told = capsys.readouterr().out
    assert code == 3 and f"{SIZE} requests failed: {reason}; " in told and CANARY not in told
    assert [reject["detail"] for reject in ledger()] == [reason] * SIZE and corpus() == []
    assert ("will fail again" in told) == (act.status == 400)
    assert generate(always(ODD_ANSWERS["a part"])) == (0, SIZE) and len(corpus()) == SIZE


def no_seed(number: int, body: Mapping[str, Any]) -> Act:
    if "seed" in body:
        detail = [
            {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs", "input": CANARY}
        ]
        return Act(422, {"object": "error", "message": {"detail": detail}, "param": None, "code": None})
    return Act(body=message(good(number)))


def o_series(number: int, body: Mapping[str, Any]) -> Act:
    for name, instead in (("max_tokens", " Use 'max_completion_tokens' instead."), ("temperature", "")):
        if name in body:
            told = f"Unsupported parameter: '{name}' is not supported with this model.{instead}"
            return Act(400, {"error": {"message": told, "param": name, "code": "unsupported_parameter"}})
    assert body["max_completion_tokens"] == 4096
    return Act(body=message(good(seed_of(body))))


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (no_seed, ["seed: going on without"]),
        (o_series, ["max_tokens: going on with max_completion_tokens", "temperature: going on without"]),
    ],
)
def test_a_parameter_that_a_server_does_not_take_is_given_up_once(
    script: Script, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    code, count = generate(script, "--server.concurrency=1")
    assert (code, count) == (0, SIZE + len(told)) and len(corpus()) == SIZE
    assert [
        record.getMessage().removeprefix("the server does not take ") for record in caplog.records
    ] == told
    assert generate(script) == (0, 0)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/event-stream", "data: {}\n\ndata: [DONE]\n\n"),
        ("text/html", "<!DOCTYPE html><p>Please sign in"),
    ],
)
def test_a_body_that_is_no_json_is_told_by_its_content_type(content_type: str, body: str) -> None:
    act = Act(200, body, {"Content-Type": content_type + "; charset=utf-8"})
    with pytest.raises(ValueError, match=rf"gave no answer of use: .*\({content_type}\)\. Remedy"):
        generate(lambda n, b: act)
    assert generate(always(ODD_ANSWERS["a part"])) == (0, SIZE) and len(corpus()) == SIZE

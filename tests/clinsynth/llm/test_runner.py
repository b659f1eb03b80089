"""Every request gets a reply, or a failure with its name, whatever the server does."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from clinsynth.llm.cache import ReplyCache
from clinsynth.llm.limits import Backoff, RateLimiter
from clinsynth.llm.requests import Request
from clinsynth.llm.runner import NOT_TO_ASK, RequestRunner, run_requests
from clinsynth.llm.server import Server
from clinsynth.llm.summary import missing
from tests.clinsynth.llm.server import (
    CANARY,
    Act,
    Script,
    ScriptedServer,
    answers,
    completion,
    faulty,
    requests,
)

ROOT = Path(__file__).parents[3]


def once(act: Act) -> Script:
    """The act for the first request, answers for all others."""
    return lambda number, body: act if number == 0 else answers(number, body)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clinsynth.llm.limits.random.uniform", lambda low, high: 0.001)


def test_every_request_gets_a_reply_once(tmp_path: Path) -> None:
    with ScriptedServer(latency=0.005) as server, ReplyCache(tmp_path) as cache:
        summary = run_requests(requests(50), cache, Server(server.url, concurrency=8))
        assert (summary.replies, summary.failures, summary.left, server.count) == (50, [], 0, 50)
        assert server.most_at_once <= 8
        assert (summary.prompt_tokens, summary.answer_tokens) == (5000, 2500)
        assert run_requests(requests(60), cache, Server(server.url)).cached == 50
        assert server.count == 60


@pytest.mark.parametrize(
    "act",
    [
        Act(429, {"error": {}}, {"Retry-After": "0.01"}),
        Act(429, {"error": {}}, {"Retry-After": "soon"}),
        Act(429, {"error": {}}),
        Act(500, "oops", {"Content-Type": "text/plain"}),
        Act(200, completion(), cut=True),
        Act(200, '{"choices": ['),
        Act(200, "<html></html>", {"Content-Type": "text/html"}),
        Act(200, [1, 2]),
        Act(200, {"choices": None}),
        Act(hang=True),
    ],
)
def test_a_passing_fault_costs_a_repetition(tmp_path: Path, act: Act) -> None:
    with ScriptedServer(once(act)) as server, ReplyCache(tmp_path) as cache:
        summary = run_requests(requests(1), cache, Server(server.url, timeout=0.3))
        assert (summary.replies, summary.failures, server.count) == (1, [], 2)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (Act(503, {"error": {"code": "overloaded"}}), "status 503 (overloaded)"),
        (Act(400, {"error": {"code": "content_filter", "message": CANARY}}), "status 400 (content_filter)"),
        (Act(400, {"error": {"code": CANARY + " " + CANARY}}), "status 400"),
        (Act(200, [1]), "the response is no chat completion"),
    ],
)
def test_a_lasting_fault_is_a_named_failure(tmp_path: Path, act: Act, reason: str) -> None:
    with ScriptedServer(lambda n, b: act) as server, ReplyCache(tmp_path) as cache:
        summary = run_requests(requests(2), cache, Server(server.url, timeout=0.2, retries=1))
        assert [failure.reason for failure in summary.failures] == [reason] * 2
        assert len(missing(requests(2), cache, 2)) == 2  # asked again next time


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (Act(200, "{"), "the answer is no JSON, or is cut off"),
        (Act(200, completion(), cut=True), "the exchange broke off (ReadError)"),
        (Act(hang=True), "no answer in time"),
    ],
)
def test_a_fault_of_some_requests_only(tmp_path: Path, act: Act, reason: str) -> None:
    script: Script = lambda n, b: act if b["seed"] == 1 else answers(n, b)  # noqa: E731
    with ScriptedServer(script) as server, ReplyCache(tmp_path) as cache:
        summary = run_requests(requests(3), cache, Server(server.url, timeout=0.2, retries=1))
        assert [(failure.custom_id, failure.reason) for failure in summary.failures] == [("r1", reason)]


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with ReplyCache(tmp_path) as cache, pytest.raises(ValueError, match=r"127\.0\.0\.1:9 gave no answer"):
        run_requests(requests(100), cache, Server("http://127.0.0.1:9/v1", retries=1))


def test_nothing_is_asked_where_that_is_not_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with ScriptedServer() as server, ReplyCache(tmp_path) as cache:
        run_requests(requests(2), cache, Server(server.url))
        summary = RequestRunner(Server()).run(requests(5), cache, replay=True)
        assert (summary.cached, summary.left, summary.stopped) == (2, 3, NOT_TO_ASK)
        assert RequestRunner(Server()).run(requests(2), cache, replay=True).stopped == ""


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_a_full_disk_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    def full(*_: object) -> None:
        time.sleep(seconds)  # all requests have ended by then
        raise OSError("no space left")

    with ScriptedServer() as server, ReplyCache(tmp_path) as cache:
        monkeypatch.setattr(cache, "add", full)
        with pytest.raises(OSError, match="no space left"):
            run_requests(requests(3), cache, Server(server.url))


def test_json_of_another_content_type_is_read(tmp_path: Path) -> None:
    act = Act(200, completion(), {"Content-Type": "text/plain"})
    with ScriptedServer(lambda n, b: act) as server, ReplyCache(tmp_path) as cache:
        assert run_requests(requests(1), cache, Server(server.url)).replies == server.count == 1


def test_a_request_that_the_server_repeats_does_not_change_the_form_of_all(tmp_path: Path) -> None:
    """As FastAPI does, with the whole request under ``input``."""

    def script(number: int, body: Mapping[str, Any]) -> Act:
        return (
            Act(422, {"detail": [{"msg": "bad", "input": body}]}) if body["seed"] == 0 else answers(0, body)
        )

    form = {"response_format": {"type": "json_schema", "json_schema": {}}}
    with ScriptedServer(script) as server, ReplyCache(tmp_path) as cache:
        summary = run_requests(requests(3, **form), cache, Server(server.url, concurrency=1))
        assert (summary.replies, summary.response_format) == (2, "json_schema")
        assert [failure.reason for failure in summary.failures] == ["status 422"]


def test_retry_after_holds_for_all(tmp_path: Path) -> None:
    date = formatdate(time.time() + 2, usegmt=True)
    for value, least in (("0.4", 0.35), (date, 0.5)):
        act = Act(429, {"error": {}}, {"Retry-After": value})
        with ScriptedServer(once(act)) as server, ReplyCache(tmp_path / value) as cache:
            begin = time.monotonic()
            run_requests(requests(30), cache, Server(server.url, concurrency=2))
            assert time.monotonic() - begin > least


def test_with_faults_every_request_ends(tmp_path: Path) -> None:
    with ScriptedServer(faulty(0.2)) as server, ReplyCache(tmp_path) as cache:
        summary = run_requests(requests(300), cache, Server(server.url, concurrency=32, retries=1))
        assert summary.replies + len(summary.failures) == 300
        assert 0 < len(summary.failures) < 60
        asked = server.count
        again = run_requests(requests(300), cache, Server(server.url, concurrency=32, retries=20))
        assert (again.cached, again.failures) == (300 - len(summary.failures), [])
        assert server.count > asked
        assert run_requests(requests(300), cache, Server(server.url)).cached == 300


def test_answers_that_are_cut_off_or_refused_are_asked_again_but_not_for_ever(tmp_path: Path) -> None:
    def script(number: int, body: Mapping[str, Any]) -> Act:
        if body["seed"] == 0:
            return Act(body=completion(finish="length"))
        return Act(body=completion("", refusal="no")) if number < 2 else answers(number, body)

    with ScriptedServer(script) as server, ReplyCache(tmp_path) as cache:
        run_requests(requests(2), cache, Server(server.url, concurrency=2))
        outcomes = [[reply.outcome for reply in cache.replies(request)] for request in requests(2)]
        assert outcomes == [["truncated"] * 2, ["refused", "complete"]]
        assert run_requests(requests(2), cache, Server(server.url)).cached == 2
        assert run_requests(requests(2), cache, Server(server.url, attempts=3)).replies == 1


def test_it_falls_back_where_a_form_is_not_supported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def script(number: int, body: Mapping[str, Any]) -> Act:
        form = body.get("response_format", {}).get("type")
        if form:
            status = 500 if form == "json_schema" else 422  # llama-cpp-python answers 500
            return Act(status, {"error": {"message": f"response_format {form} is not supported"}})
        return answers(number, body)

    form = {"response_format": {"type": "json_schema", "json_schema": {}}}
    with ScriptedServer(script) as server, ReplyCache(tmp_path) as cache:
        summary = run_requests(requests(5, **form), cache, Server(server.url, concurrency=3))
        assert (summary.replies, summary.failures, summary.response_format) == (5, [], "none")
        assert len(missing(requests(5, **form), cache, 2)) == 0
    assert [
        r.getMessage().split("response_format ")[1] for r in caplog.records if "going on" in r.getMessage()
    ] == [
        "json_schema: going on with json_object",
        "json_object: going on with none",
    ]


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (Act(401, {"error": {"message": f"bad key {CANARY}"}}), "the key is missing or wrong"),
        (Act(403, {"error": {}}), "no right"),
        (Act(404, {"error": {}}), "no such model"),
        (Act(402, {"error": {}}), "no credit"),
        (Act(429, {"error": {"code": "insufficient_quota"}}), "no credit"),
    ],
)
def test_what_no_request_can_pass_stops_at_once(tmp_path: Path, act: Act, told: str) -> None:
    script: Script = lambda n, b: answers(n, b) if n < 5 else act  # noqa: E731
    with ScriptedServer(script) as server, ReplyCache(tmp_path) as cache:
        with pytest.raises(ValueError, match=told) as error:
            run_requests(requests(100), cache, Server(server.url, concurrency=4))
        assert "5 replies came before" in str(error.value) and len(cache) == 5
        assert server.count < 20


def test_keys_and_texts_are_not_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    key = "sk-canary-4712"
    monkeypatch.setenv("MY_KEY", key)
    caplog.set_level(logging.INFO)
    told = []
    for act in (
        Act(401, {"error": {"message": f"{key} {CANARY}", "code": CANARY}}),
        Act(400, {"error": {"message": CANARY}}),
    ):
        with ScriptedServer(lambda n, b, act=act: act) as server, ReplyCache(tmp_path) as cache:  # type: ignore[misc]
            try:
                told.append(repr(run_requests(requests(3), cache, Server(server.url, "MY_KEY"))))
            except ValueError as error:
                told.append(str(error))
            assert f"Bearer {key}" in server.headers[0]
    told += [caplog.text, *capfd.readouterr()]
    assert not [line for line in told if key in line or CANARY in line]
    assert not any(key.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_key_is_needed_where_no_server_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with ReplyCache(tmp_path) as cache, pytest.raises(ValueError, match="OPENAI_API_KEY"):
        run_requests(requests(1), cache, Server())


def test_azure_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_KEY", "k")
    with ScriptedServer() as server, ReplyCache(tmp_path) as cache:
        endpoint = server.url.removesuffix("/v1")
        run_requests(requests(1), cache, Server(endpoint, "AZURE_KEY", api_version="2024-10-21"))
        assert "POST /openai/deployments/m/chat/completions?api-version=2024-10-21" in server.headers[0]
        assert "api-key: k" in server.headers[0]


def test_the_same_request_twice_is_asked_once(tmp_path: Path) -> None:
    one, other = (Request(name, {"model": "m", "messages": []}) for name in ("one", "other"))
    with ScriptedServer() as server, ReplyCache(tmp_path) as cache:
        run_requests([one, other], cache, Server(server.url))
        assert server.count == 1 and cache.reply(other)


def test_limits_spread_requests() -> None:
    async def run() -> float:
        pace = RateLimiter(6000)  # one in 10 ms
        begin = time.monotonic()
        await asyncio.gather(*(pace.wait() for _ in range(21)))
        return time.monotonic() - begin

    assert 0.19 < asyncio.run(run()) < 1
    assert asyncio.run(RateLimiter(None).wait()) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_paid_is_lost_when_it_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    code = (
        "import sys; from pathlib import Path; from clinsynth.llm.cache import ReplyCache;"
        "from clinsynth.llm.runner import run_requests; from clinsynth.llm.server import Server;"
        "from tests.clinsynth.llm.server import requests;"
        "run_requests(requests(200), ReplyCache(Path(sys.argv[2])), Server(sys.argv[1], concurrency=4))"
    )
    with ScriptedServer(latency=0.05) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", code, server.url, str(tmp_path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
        )
        while server.count < 40:
            time.sleep(0.01)
        process.send_signal(number)
        process.communicate(timeout=30)
        assert process.returncode != 0
        before = server.count
        with ReplyCache(tmp_path) as cache:
            kept = len(cache)
            assert kept >= before - 4 if number == signal.SIGKILL else kept == before
            summary = run_requests(requests(200), cache, Server(server.url, concurrency=16))
            assert (summary.cached, len(cache), server.count - before) == (kept, 200, 200 - kept)


def test_what_waits_for_its_turn_is_not_sent_after_a_stop(tmp_path: Path) -> None:
    """The first answer ends it; the others would follow, one in a second."""
    refused = Act(401, {"error": {"code": "invalid_api_key"}})
    with ScriptedServer(lambda n, b: refused) as server, ReplyCache(tmp_path) as cache:
        limited = Server(server.url, requests_per_minute=60, concurrency=8)
        begin = time.monotonic()
        with pytest.raises(ValueError, match="the key is missing or wrong"):
            run_requests(requests(8), cache, limited)
        assert server.count == 1 and time.monotonic() - begin < 5


def test_an_address_that_is_none_is_told(tmp_path: Path) -> None:
    with ReplyCache(tmp_path) as cache, pytest.raises(ValueError, match=r"address .* is none\. Remedy: see"):
        run_requests(requests(1), cache, Server("http://localhost:8OOO/v1"))


def test_pauses_double_up_to_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    longest: list[float] = []

    def none(low: float, high: float) -> float:
        longest.append(high)
        return low

    async def run() -> None:
        for tries in range(1, 9):
            await Backoff().pause(tries)

    monkeypatch.setattr("clinsynth.llm.limits.random.uniform", none)
    asyncio.run(run())
    assert longest == [1, 2, 4, 8, 16, 32, 60, 60]


def test_tokens_of_a_minute_are_kept_to(tmp_path: Path) -> None:
    """A request is estimated at 212 tokens: ten may go in a second."""
    with ScriptedServer() as server, ReplyCache(tmp_path) as cache:
        begin = time.monotonic()
        run_requests(requests(5, max_tokens=200), cache, Server(server.url, tokens_per_minute=212 * 600))
        assert time.monotonic() - begin > 0.35

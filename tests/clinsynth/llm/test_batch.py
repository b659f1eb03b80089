from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from clinsynth.formats.errors import CorpusError
from clinsynth.llm.batch import read_plan, read_replies, set_aside, write_plan, write_replies
from clinsynth.llm.requests import Reply
from clinsynth.synthesis.plan import PlanSettings, plan
from tests.clinsynth.synthesis.tasks import ENTITY_TASK, reply


@pytest.mark.parametrize("name", ["plan.jsonl", "plan.jsonl.gz"])
def test_a_plan_reads_back(tmp_path: Path, name: str) -> None:
    requests = plan(ENTITY_TASK, PlanSettings(size=3))
    write_plan(tmp_path / name, requests)
    first = (tmp_path / name).read_bytes()
    assert read_plan(tmp_path / name) == requests
    write_plan(tmp_path / name, requests)
    assert (tmp_path / name).read_bytes() == first


@pytest.mark.parametrize("name", ["replies.jsonl", "replies.jsonl.gz"])
def test_replies_read_back(tmp_path: Path, name: str) -> None:
    replies = [reply("a"), Reply("b", 429, {"error": {}}, "rate_limit"), Reply("c", 0, {}, "timeout")]
    write_replies(tmp_path / name, replies)
    assert list(read_replies(tmp_path / name)) == replies


def test_an_error_file_of_the_batch_api(tmp_path: Path) -> None:
    path = tmp_path / "errors.jsonl"
    line = {"id": "b", "custom_id": "x", "response": None, "error": {"code": "batch_expired", "message": "m"}}
    path.write_text(json.dumps(line) + "\n")
    (found,) = read_replies(path)
    assert (found.outcome, found.error) == ("failed", "batch_expired")


BODY = {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    "line",
    [
        {"response": {"status_code": 200, "body": BODY}},
        {"response": {"body": BODY}},
        {"response": {"status_code": "200", "body": BODY}, "error": {}},
        {"response": {"status_code": 200, "body": json.dumps(BODY)}, "error": None},
    ],
)
def test_lines_as_several_servers_write_them(tmp_path: Path, line: dict[str, object]) -> None:
    (tmp_path / "output.jsonl").write_text(json.dumps({"custom_id": "a", **line}))
    assert list(read_replies(tmp_path / "output.jsonl")) == [Reply("a", 200, BODY, batch=True)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"response": {"status_code": 400, "body": {"error": {"code": "content_filter", "message": "m"}}}},
         "status 400 (content_filter)"),
        ({"response": {"status_code": 400, "body": '{"error": {"param": "seed"}}'}},
         "status 400 (parameter seed)"),
        ({"response": None, "error": {"code": "batch_expired", "message": "m"}}, "batch_expired"),
        ({"response": None, "error": {"message": "m"}}, "failed"),
        ({"response": None, "error": {}}, "there is no response"),
        ({"response": {"body": {"error": {"code": "overloaded", "message": "m"}}}},
         "error in the response (overloaded)"),
        ({"response": {"body": "no JSON"}, "error": None}, "there is no response"),
    ],
)  # fmt: skip
def test_lines_that_failed_have_their_reason(tmp_path: Path, line: dict[str, object], reason: str) -> None:
    (tmp_path / "output.jsonl").write_text(json.dumps({"custom_id": "a", **line}))
    (found,) = read_replies(tmp_path / "output.jsonl")
    assert (found.outcome, found.reason) == ("failed", reason)


def test_marks_of_the_byte_order_and_line_ends_of_windows(tmp_path: Path) -> None:
    line = json.dumps({"custom_id": "a", "response": {"status_code": 200, "body": BODY}, "error": None})
    (tmp_path / "output.jsonl").write_bytes(f"\ufeff{line}\r\n\r\n\ufeff{line}\r\n\ufeff".encode())
    assert [reply.custom_id for reply in read_replies(tmp_path / "output.jsonl")] == ["a", "a"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("{", ":1: the line is not JSON"),
        ("[]", ":1: the line is not a JSON object"),
        ('{"body": {}}', ":1: the line has no 'custom_id'"),
        (
            '{"custom_id": "a", "body": {"messages": []}}\n{"custom_id": "a", "body": {"messages": []}}',
            ":2: .*twice",
        ),
        ('{"custom_id": "a", "url": "/v1/embeddings", "body": {}}', "no chat completion"),
        ('{"custom_id": "a", "body": {}}', "no body with messages"),
    ],
)
def test_bad_plans(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "plan.jsonl").write_text(text)
    with pytest.raises(CorpusError, match=problem):
        read_plan(tmp_path / "plan.jsonl")


def test_a_plan_is_no_reply_file(tmp_path: Path) -> None:
    write_plan(tmp_path / "plan.jsonl", plan(ENTITY_TASK, PlanSettings(size=1)))
    with pytest.raises(CorpusError, match="is it a plan"):
        list(read_replies(tmp_path / "plan.jsonl"))
    (tmp_path / "x.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(CorpusError, match="cannot be read"):
        read_plan(tmp_path / "x.jsonl.gz")
    with pytest.raises(FileNotFoundError):
        read_plan(tmp_path / "absent.jsonl")


def test_answers_that_are_nowhere_else_are_not_written_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "replies.jsonl"
    set_aside(path, [])
    for told in ("has 1 answers", "could not be read"):
        write_replies(path, [reply("a"), replace(reply("a"), custom_id="b"), Reply("c", 0, {}, "timeout")])
        set_aside(path, {"r1", "b", "a"})
        assert path.exists(), "all answers are known"
        if told == "could not be read":
            path.write_bytes(path.read_bytes()[:-20])
        before = path.read_bytes()
        set_aside(path, {"b"})
        assert not path.exists() and told in caplog.text
        assert before in [aside.read_bytes() for aside in tmp_path.glob("replies.*.jsonl")]
    assert len(list(tmp_path.iterdir())) == 2

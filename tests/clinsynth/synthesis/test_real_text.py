from __future__ import annotations

import pytest

from clinsynth.llm.requests import Reply, Request
from clinsynth.llm.server import Server
from clinsynth.llm.summary import Failure, RunSummary
from clinsynth.synthesis.real_text import check_allowed, request_name, settled


def test_the_refusal_names_what_would_go_where_and_the_switch_but_no_password() -> None:
    server = Server(base_url="https://user:secret@llm.example.org:8000/v1")
    with pytest.raises(
        ValueError, match=r"this sends 3 texts to the server llm\.example\.org, as they are"
    ) as told:
        check_allowed(False, "this sends 3 texts", server, "--allow_real_text")
    assert "say so with --allow_real_text true" in str(told.value) and "secret" not in str(told.value)
    check_allowed(True, "this sends 3 texts", server, "--allow_real_text")


def test_the_server_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere:1/v1")
    with pytest.raises(ValueError, match="to the server elsewhere,"):
        check_allowed(False, "this sends texts", Server(), "--allow")
    monkeypatch.delenv("OPENAI_BASE_URL")
    with pytest.raises(ValueError, match="to the server of OpenAI,"):
        check_allowed(False, "this sends texts", Server(), "--allow")


def test_a_request_without_a_reply_has_a_failed_one_that_says_why() -> None:
    requests = [Request(request_name("letters", "entities", i), {}) for i in range(3)]
    given = Reply(requests[0].custom_id, 200, {"choices": []})
    summary = RunSummary(failures=[Failure("letters-entities-000001", "status 400")], stopped="no money left")
    replies = settled(requests, [given, None, None], summary)
    assert replies[0] is given
    assert [(reply.outcome, reply.reason) for reply in replies[1:]] == [
        ("failed", "status 400"),
        ("failed", "no money left"),
    ]

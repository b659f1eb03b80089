"""What the two parts that send given text to a language model share: leave to do so, names, replies."""

from __future__ import annotations

import os
from collections.abc import Sequence
from urllib.parse import urlsplit

from clinsynth.llm.requests import Reply, Request
from clinsynth.llm.server import Server
from clinsynth.llm.summary import RunSummary

REFUSAL = (
    "{what} to the server {host}, as they are. Remedy: if that is allowed for these texts, say so with "
    "{option} true"
)


def check_allowed(allowed: bool, what: str, server: Server, option: str) -> None:
    """Refuses to send given text unless that was allowed.

    Args:
        allowed: What the user said.
        what: Words that say what would leave the machine, up to "to the server".
        server: Where it would go.
        option: Name of the switch that allows it.

    Raises ``ValueError`` if it is not allowed.
    """
    if not allowed:
        raise ValueError(REFUSAL.format(what=what, host=host(server), option=option))


def host(server: Server) -> str:
    """Where text would go; without user and password, which an address may hold."""
    address = server.base_url or os.environ.get("OPENAI_BASE_URL")
    return (urlsplit(address).hostname if address else None) or "of OpenAI"


def request_name(task: str, finds: str, index: int) -> str:
    """The ``custom_id`` of the request for a text: what is asked for, and the number of the text, from 0."""
    return f"{task}-{finds}-{index:06d}"


def settled(requests: Sequence[Request], replies: Sequence[Reply | None], summary: RunSummary) -> list[Reply]:
    """A reply to every request: where there is none, a failed one that says why.

    Args:
        requests: What was asked.
        replies: The best reply to each, if there is any.
        summary: What came of asking.
    """
    failed = {failure.custom_id: failure.reason for failure in summary.failures}
    return [
        reply or Reply(request.custom_id, 0, {}, failed.get(request.custom_id, summary.stopped))
        for request, reply in zip(requests, replies, strict=True)
    ]

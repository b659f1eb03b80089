"""What there is to ask, and what came of asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from clinsynth.llm.cache import ReplyCache
from clinsynth.llm.dialect import FORMS
from clinsynth.llm.requests import Request


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without an answer, or without a whole one.

    Args:
        custom_id: Name of the request.
        reason: Why, without any text of the exchange.
        lasting: Whether the same request will fail again.
    """

    custom_id: str
    reason: str
    lasting: bool = False


@dataclass(slots=True)
class RunSummary:
    """What came of asking.

    Args:
        cached: Requests that needed no asking.
        replies: Replies that were paid for, repeated answers included.
        failures: Requests that ended without an answer.
        incomplete: Requests whose best answer is cut off or refused, asked now or before.
        left: Requests that were not asked, because it stopped before.
        stopped: Why it stopped; empty if it did not.
        response_format: The form of answer that the server took.
        prompt_tokens: Tokens of prompts, as the server counted, or estimated where it did not.
        answer_tokens: Tokens of answers, counted likewise.
        money: Cost by the price list; ``None`` if a price is not known.
    """

    cached: int = 0
    replies: int = 0
    failures: list[Failure] = field(default_factory=list)
    incomplete: list[Failure] = field(default_factory=list)
    left: int = 0
    stopped: str = ""
    response_format: str = FORMS[0]
    prompt_tokens: int = 0
    answer_tokens: int = 0
    money: float | None = 0.0

    def __add__(self, later: RunSummary) -> RunSummary:
        """The sum with a run that was made after this one."""
        return RunSummary(
            self.cached + later.cached,
            self.replies + later.replies,
            self.failures + later.failures,
            self.incomplete + later.incomplete,
            self.left + later.left,
            later.stopped or self.stopped,
            later.response_format,
            self.prompt_tokens + later.prompt_tokens,
            self.answer_tokens + later.answer_tokens,
            None if self.money is None or later.money is None else self.money + later.money,
        )


def missing(requests: Sequence[Request], cache: ReplyCache, attempts: int) -> list[tuple[Request, int]]:
    """Requests without a whole answer that may be asked, and how many answers each has that count.

    An answer that is cut off or refused counts, one that holds nothing does not. Requests for the same
    (``Request.key``) are answered together, so only the first of them is missing.
    """
    found: dict[str, tuple[Request, int]] = {}
    for request in requests:
        outcomes = [reply.outcome for reply in cache.replies(request)]
        counted = len(outcomes) - outcomes.count("failed")
        if counted < attempts and "complete" not in outcomes:
            found.setdefault(request.key, (request, counted))
    return list(found.values())


def incomplete(requests: Sequence[Request], cache: ReplyCache) -> list[Failure]:
    """Requests whose best answer is cut off or refused."""
    best = ((request, cache.reply(request)) for request in requests)
    return [
        Failure(request.custom_id, reply.reason)
        for request, reply in best
        if reply is not None and reply.outcome in ("truncated", "refused")
    ]

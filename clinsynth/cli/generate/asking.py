"""What commands that ask a language model have in common: Ctrl-C, and what is told at the end."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from clinsynth.llm.budget import Budget, forecast, read_prices, shown_money
from clinsynth.llm.cache import ReplyCache
from clinsynth.llm.requests import Request
from clinsynth.llm.summary import Failure, RunSummary, missing
from clinsynth.runs.exits import INCOMPLETE, INTERRUPTED
from clinsynth.synthesis.generate import REJECTS, Written


@contextmanager
def interruptible() -> Iterator[None]:
    """Ends the command with its exit code after Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        print("Interrupted. What was paid for is kept: start again to go on.", file=sys.stderr)
        sys.exit(INTERRUPTED)


AGAIN = "start again to ask them once more"
SAME_AGAIN = "the same requests will fail again: change the plan, the task or the server"
NOT_WHOLE = "give them more room ({option}), or let them be asked again (clinsynth generate forget)"


def tell(written: Written, out: Path, room: str = "--plan.max_tokens") -> None:
    """Says what was asked and paid, and ends the command with its exit code if something is missing.

    Args:
        written: What came of writing.
        out: The folder that was written to.
        room: Name of the option that limits the length of an answer.
    """
    summary = written.summary
    spent = f"{summary.prompt_tokens + summary.answer_tokens} tokens"
    if summary.money:
        spent += f", {shown_money(summary.money)}"
    print(f"{summary.cached} requests answered from the cache, {summary.replies} replies paid for ({spent})")
    if summary.stopped:
        print(f"stopped: {summary.stopped}; {summary.left} requests were not asked")
    _tell_failures("failed", [failure for failure in summary.failures if not failure.lasting], AGAIN)
    _tell_failures("failed", [failure for failure in summary.failures if failure.lasting], SAME_AGAIN)
    _tell_failures("have no whole answer", summary.incomplete, NOT_WHOLE.format(option=room))
    print(f"{out}: corpus.jsonl, card.md, and what was left out in rejects.jsonl")
    if not written.documents:
        print(f"the corpus is empty: {out / REJECTS} says why")
        sys.exit(INCOMPLETE)
    exit_if_incomplete(summary)


def exit_if_incomplete(summary: RunSummary) -> None:
    """Ends the command with its exit code if a request has no whole answer."""
    if summary.failures or summary.left or summary.incomplete:
        sys.exit(INCOMPLETE)


def _tell_failures(what: str, failures: Sequence[Failure], remedy: str) -> None:
    for reason, number in Counter(failure.reason for failure in failures).most_common():
        print(f"{number} requests {what}: {reason}; {remedy}")


def tell_forecast(requests: Sequence[Request], cache: Path, attempts: int, budget: Budget) -> None:
    """Says what asking would cost."""
    with ReplyCache(cache) as kept:
        wanted = [request for request, _ in missing(requests, kept, attempts)]
        seen = [reply for request in requests if (reply := kept.reply(request))]
        found = forecast(requests, wanted, seen, read_prices(budget.prices))
    money = (
        "cost not known: the model is in no price list" if found.money is None else shown_money(found.money)
    )
    print(
        f"{found.requests} requests, {found.cached} answered from the cache\n"
        f"to ask: {found.requests - found.cached}, about {found.prompt_tokens} tokens of prompts and "
        f"{found.answer_tokens} of answers, {money}"
    )

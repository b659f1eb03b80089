"""What commands that ask a language model have in common: Ctrl-C, and what is told at the end."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from clinsynth.cli.exits import INCOMPLETE, INTERRUPTED
from clinsynth.llm.budget import Budget, forecast, read_prices
from clinsynth.llm.cache import ReplyCache
from clinsynth.llm.fill import Filled, missing
from clinsynth.llm.requests import Request


@contextmanager
def interruptible() -> Iterator[None]:
    """Ends the command with its exit code after Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        print("Interrupted. What was paid for is kept: start again to go on.", file=sys.stderr)
        sys.exit(INTERRUPTED)


def tell(summary: Filled, out: Path) -> None:
    """Says what was asked and paid, and ends the command with its exit code if something is missing."""
    spent = f"{summary.prompt_tokens + summary.answer_tokens} tokens"
    if summary.money:
        spent += f", {summary.money:.2f} USD"
    print(f"{summary.cached} requests answered from the cache, {summary.replies} replies paid for ({spent})")
    if summary.stopped:
        print(f"stopped: {summary.stopped}; {summary.left} requests were not asked")
    for reason, number in Counter(failure.reason for failure in summary.failures).most_common():
        print(f"{number} requests failed: {reason}; start again to ask them once more")
    print(f"{out}: corpus.jsonl, card.md, and what was left out in rejects.jsonl")
    exit_if_incomplete(summary)


def exit_if_incomplete(summary: Filled) -> None:
    """Ends the command with its exit code if a request has no reply."""
    if summary.failures or summary.left:
        sys.exit(INCOMPLETE)


def tell_forecast(requests: Sequence[Request], cache: Path, attempts: int, budget: Budget) -> None:
    """Says what asking would cost."""
    with ReplyCache(cache) as kept:
        wanted = [request for request, _ in missing(requests, kept, attempts)]
        seen = [reply for request in requests if (reply := kept.reply(request))]
        found = forecast(requests, wanted, seen, read_prices(budget.prices))
    money = (
        "cost not known: the model is in no price list" if found.money is None else f"{found.money:.2f} USD"
    )
    print(
        f"{found.requests} requests, {found.cached} answered from the cache\n"
        f"to ask: {found.requests - found.cached}, about {found.prompt_tokens} tokens of prompts and "
        f"{found.answer_tokens} of answers, {money}"
    )

"""What requests cost, and where to stop."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from clinsynth.formats.errors import CorpusError
from clinsynth.formats.lines import read_text
from clinsynth.llm.requests import Reply, Request

CHARACTERS_PER_TOKEN = 4  # of English text, about
BATCH_PRICE = 0.5  # of the price: https://platform.openai.com/docs/guides/batch
GUESSED_ANSWER = 600  # tokens, where nothing better is known

Prices = Mapping[str, tuple[float, float]]
"""USD per million tokens of prompt and answer, by model."""


@dataclass(frozen=True)
class Budget:
    """Where to stop asking.

    Args:
        tokens: Tokens of prompts and answers together at most; no limit if not given.
        money: Money at most, in the currency of the price list; no limit if not given.
        prices: A price list of your own, in the form of clinsynth/llm/prices.json.
    """

    tokens: int | None = None
    money: float | None = None
    prices: Path | None = None


def read_prices(path: Path | None = None) -> Prices:
    """A price list; the one that comes with the package if no other is named. Raises ``CorpusError``."""
    used = path or Path(str(resources.files("clinsynth.llm") / "prices.json"))
    try:
        models = json.loads(read_text(used))["models"]
        return {name: (float(price["input"]), float(price["output"])) for name, price in models.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(
            used, None, "this is no price list", 'write {"models": {NAME: {"input": USD, "output": USD}}}'
        ) from error


class Spending:
    """What was spent, and whether the next request still fits the budget.

    A request counts with an estimate while it is under way, and with what the server says it used
    afterwards. The estimate is its characters by 4 and the longest answer that it allows, so that a budget
    is not exceeded however many requests are under way.
    """

    def __init__(self, budget: Budget, prices: Prices) -> None:
        self.prompt_tokens = self.answer_tokens = 0
        self.money: float | None = 0.0
        self._budget = budget
        self._prices = prices
        self._reserved: dict[int, tuple[int, float]] = {}

    def check(self, requests: Iterable[Request]) -> None:
        """Raises ``ValueError`` if money is limited and a model has no price."""
        models = {str(request.body.get("model")) for request in requests}
        unknown = sorted(models - self._prices.keys())
        if self._budget.money is not None and unknown:
            raise ValueError(
                f"the price of {unknown[0]!r} is not known, so that a budget of money cannot be kept. "
                "Remedy: add it to a price list, named with --budget.prices, or limit --budget.tokens"
            )

    def reserve(self, request: Request) -> bool:
        """Takes the estimate of a request out of the budget; ``False`` if it does not fit."""
        prompt, answer = estimate(request)
        tokens, money = prompt + answer, self._cost(request, prompt, answer) or 0.0
        held = self._reserved.values()
        if self._budget.tokens is not None:
            spent = self.prompt_tokens + self.answer_tokens + sum(tokens for tokens, _ in held)
            if spent + tokens > self._budget.tokens:
                return False
        if self._budget.money is not None:
            spent_money = (self.money or 0.0) + sum(money for _, money in held)
            if spent_money + money > self._budget.money:
                return False
        if self._budget.tokens is not None or self._budget.money is not None:
            self._reserved[id(request)] = (tokens, money)
        return True

    @property
    def under_way(self) -> bool:
        """Whether estimates are held that may turn out too high."""
        return bool(self._reserved)

    def release(self, request: Request) -> None:
        """Gives the estimate back once a request has ended."""
        self._reserved.pop(id(request), None)

    def add(self, request: Request, reply: Reply) -> None:
        """Counts a reply: what its server says, or the estimate if it does not say."""
        used = reply.tokens
        prompt, answer = used or (estimate(request)[0], len(reply.text) // CHARACTERS_PER_TOKEN)
        self.prompt_tokens += prompt
        self.answer_tokens += answer
        cost = self._cost(request, prompt, answer)
        if cost is not None and reply.batch:
            cost *= BATCH_PRICE
        self.money = None if cost is None or self.money is None else self.money + cost

    def _cost(self, request: Request, prompt: int, answer: int) -> float | None:
        price = self._prices.get(str(request.body.get("model")))
        return None if price is None else (prompt * price[0] + answer * price[1]) / 1e6


def shown_money(usd: float) -> str:
    """An amount as people read it, in whole cents."""
    return f"{usd:.2f} USD" if usd == 0 or usd >= 0.005 else "less than 0.01 USD"


def estimate(request: Request) -> tuple[int, int]:
    """Tokens of the prompt, about, and of the answer, at most."""
    messages = request.body.get("messages") or []
    characters = sum(len(str(message.get("content") or "")) for message in messages)
    limit = request.body.get("max_tokens") or request.body.get("max_completion_tokens") or GUESSED_ANSWER
    return characters // CHARACTERS_PER_TOKEN + 8, int(limit)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What asking a plan would cost, about.

    Args:
        requests: Number of requests of the plan.
        cached: Number of these that have a reply on disk.
        prompt_tokens: Tokens of the requests to ask.
        answer_tokens: Tokens of their answers.
        money: Cost of both, or ``None`` if a price is not known.
    """

    requests: int
    cached: int
    prompt_tokens: int
    answer_tokens: int
    money: float | None


def forecast(
    requests: Iterable[Request], missing: Iterable[Request], seen: Iterable[Reply], prices: Prices
) -> Forecast:
    """Prices only what is missing; answers as long as the mean of those seen, or as ``GUESSED_ANSWER``."""
    lengths = [used[1] for reply in seen if (used := reply.tokens)]
    answer = sum(lengths) // len(lengths) if lengths else GUESSED_ANSWER
    spending = Spending(Budget(), prices)
    total = sum(1 for _ in requests)
    count = 0
    for request in missing:
        count += 1
        prompt = estimate(request)[0]
        usage = {"prompt_tokens": prompt, "completion_tokens": answer}
        spending.add(request, Reply(request.custom_id, 200, {"usage": usage}))
    return Forecast(total, total - count, spending.prompt_tokens, spending.answer_tokens, spending.money)

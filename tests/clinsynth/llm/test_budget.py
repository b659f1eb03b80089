"""What may be spent is counted as it was spent, and kept to."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinsynth.llm.budget import Budget, Spending, forecast, read_prices, shown_money
from clinsynth.llm.cache import ReplyCache
from clinsynth.llm.requests import Reply
from clinsynth.llm.runner import BUDGET, RequestRunner, run_requests
from clinsynth.llm.server import Server
from clinsynth.llm.summary import missing
from tests.clinsynth.llm.server import Act, ScriptedServer, completion, requests


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clinsynth.llm.limits.random.uniform", lambda low, high: 0.001)


def test_a_budget_of_tokens_is_kept(tmp_path: Path) -> None:
    with ScriptedServer() as server, ReplyCache(tmp_path) as cache:
        limited = Server(server.url, concurrency=4)
        summary = run_requests(requests(100, max_tokens=50), cache, limited, Budget(tokens=1000))
        assert summary.stopped == BUDGET and not summary.failures
        assert 4 <= summary.replies <= 11 and summary.replies + summary.left == 100
        assert summary.prompt_tokens + summary.answer_tokens == 150 * summary.replies


def test_a_budget_counts_what_requests_really_cost(tmp_path: Path) -> None:
    """Three at once do not fit by the estimate of 4,000 tokens each; each costs 150."""
    with ScriptedServer(latency=0.01) as server, ReplyCache(tmp_path) as cache:
        limited = Server(server.url, concurrency=3)
        summary = run_requests(requests(20, max_tokens=4000), cache, limited, Budget(tokens=8000))
        assert (summary.replies, summary.stopped, summary.left) == (20, "", 0)


def test_a_budget_holds_over_all_calls(tmp_path: Path) -> None:
    with ScriptedServer() as server, ReplyCache(tmp_path) as cache:
        model = RequestRunner(Server(server.url, concurrency=1), Budget(tokens=1000))
        both = model.run(requests(4, max_tokens=50), cache) + model.run(requests(20, max_tokens=50), cache)
        # the 7th reply costs more than its short prompt lets expect
        assert (both.stopped, both.replies, both.left, both.cached) == (BUDGET, 7, 13, 4)
        assert server.count == 7 and both.prompt_tokens + both.answer_tokens == 7 * 150


def test_a_budget_of_money_needs_a_price(tmp_path: Path) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"models": {"m": {"input": 100, "output": 1000}}}')
    with ScriptedServer() as server, ReplyCache(tmp_path / "cache") as cache:
        one_at_a_time = Server(server.url, concurrency=1)
        with pytest.raises(ValueError, match="price of 'm'"):
            run_requests(requests(5), cache, one_at_a_time, Budget(money=1))
        summary = run_requests(
            requests(50, max_tokens=50), cache, one_at_a_time, Budget(money=0.3, prices=prices)
        )
        assert summary.stopped == BUDGET and summary.money is not None and 0.2 < summary.money <= 0.3


def test_a_forecast_prices_only_what_is_missing(tmp_path: Path) -> None:
    plan = requests(10, model="gpt-4o")
    with ScriptedServer() as server, ReplyCache(tmp_path) as cache:
        run_requests(plan[:4], cache, Server(server.url))
        seen = [reply for request in plan if (reply := cache.reply(request))]
        found = forecast(plan, [request for request, _ in missing(plan, cache, 2)], seen, read_prices())
    assert (found.requests, found.cached, found.answer_tokens) == (10, 4, 300)
    assert found.money == pytest.approx((found.prompt_tokens * 2.5 + 300 * 10) / 1e6)


def test_a_reply_of_a_batch_counts_at_its_price(tmp_path: Path) -> None:
    (request,) = requests(1, model="gpt-4o")
    spent: list[float] = []
    for batch in (False, True):
        spending = Spending(Budget(), read_prices())
        spending.add(request, Reply("r0", 200, completion(), batch=batch))
        spent.append(spending.money or 0.0)
    assert spent[0] == pytest.approx((100 * 2.5 + 50 * 10) / 1e6) and spent[1] == pytest.approx(spent[0] / 2)
    with ReplyCache(tmp_path) as cache:
        cache.take([request], [Reply("r0", 200, completion(), batch=True)])
        assert cache.replies(request)[0].batch


@pytest.mark.parametrize(
    ("usd", "shown"),
    [(0.0, "0.00 USD"), (0.0063599, "0.01 USD"), (0.001, "less than 0.01 USD"), (3.456, "3.46 USD")],
)
def test_money_is_shown_in_cents(usd: float, shown: str) -> None:
    assert shown_money(usd) == shown


def test_tokens_of_answers_without_use_are_counted(tmp_path: Path) -> None:
    act = Act(body={**completion(), "choices": []})
    with ScriptedServer(lambda n, b: act) as server, ReplyCache(tmp_path) as cache:
        summary = run_requests(requests(1), cache, Server(server.url, retries=1))
    assert (summary.prompt_tokens, summary.answer_tokens) == (200, 100)


@pytest.mark.parametrize("limit", ["tokens", "money"])
def test_requests_under_way_count(tmp_path: Path, limit: str) -> None:
    """Each is estimated at 212 tokens and costs 150; sixteen at once would be too many."""
    prices = tmp_path / "prices.json"
    prices.write_text('{"models": {"m": {"input": 1000, "output": 1000}}}')
    budget = Budget(tokens=1000) if limit == "tokens" else Budget(money=1.0, prices=prices)
    with ScriptedServer(latency=0.05) as server, ReplyCache(tmp_path / "cache") as cache:
        many = Server(server.url, concurrency=16)
        summary = run_requests(requests(100, max_tokens=200), cache, many, budget)
    assert summary.stopped == BUDGET and summary.replies >= 4
    assert summary.prompt_tokens + summary.answer_tokens <= 1000

"""Asks for whatever the cache lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import openai
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clinsynth.llm.budget import Budget, Spending, read_prices
from clinsynth.llm.cache import ReplyCache
from clinsynth.llm.interrupts import Interrupts
from clinsynth.llm.requests import Reply, Request
from clinsynth.llm.server import FORMS, Asker, Server, ServerError, connect

STAGGER = 0.0005  # seconds between the first requests; all at once they would stay in step, and wait together

STOPPING = "Stopping after the requests under way, whose answers are paid for. Ctrl-C again ends at once."
NOT_TO_ASK = "nothing was to be asked"
BUDGET = "the budget has no room for a further request"


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that ended without a reply."""

    custom_id: str
    reason: str


@dataclass(slots=True)
class Filled:
    """What came of asking.

    Args:
        cached: Requests that needed no asking.
        replies: Replies that were paid for, repeated answers included.
        failures: Requests that ended without a reply.
        left: Requests that were not asked, because it stopped before.
        stopped: Why it stopped; empty if it did not.
        response_format: The form of answer that the server took.
        prompt_tokens: As the server counted, or estimated where it did not.
        answer_tokens: The same of answers.
        money: By the price list; ``None`` if a price is not known.
    """

    cached: int = 0
    replies: int = 0
    failures: list[Failure] = field(default_factory=list)
    left: int = 0
    stopped: str = ""
    response_format: str = FORMS[0]
    prompt_tokens: int = 0
    answer_tokens: int = 0
    money: float | None = 0.0

    def __add__(self, later: Filled) -> Filled:
        """Of both; ``later`` was asked after this."""
        return Filled(
            self.cached + later.cached,
            self.replies + later.replies,
            self.failures + later.failures,
            self.left + later.left,
            later.stopped or self.stopped,
            later.response_format,
            self.prompt_tokens + later.prompt_tokens,
            self.answer_tokens + later.answer_tokens,
            None if self.money is None or later.money is None else self.money + later.money,
        )


def missing(requests: Sequence[Request], cache: ReplyCache, attempts: int) -> list[tuple[Request, int]]:
    """Those without a complete reply that were asked less often than they may be, and how often they were.

    Requests for the same (``Request.key``) are answered together, so only the first of them is missing.
    """
    found: dict[str, tuple[Request, int]] = {}
    for request in requests:
        replies = cache.replies(request)
        if len(replies) < attempts and not any(one.outcome == "complete" for one in replies):
            found.setdefault(request.key, (request, len(replies)))
    return list(found.values())


class LanguageModel:
    """A server and a budget for it. Limits, money and what the server takes hold over all calls."""

    def __init__(self, server: Server, budget: Budget | None = None) -> None:
        budget = budget or Budget()
        self._spending = Spending(budget, read_prices(budget.prices))
        self._asker = Asker(server)

    def fill(self, requests: Sequence[Request], cache: ReplyCache) -> Filled:
        """Asks what is missing; each reply is on disk before it counts.

        A first Ctrl-C (or SIGTERM) lets the requests under way end, a second one does not.

        Raises:
            ValueError: No key, an unknown price, or a server that answers no request (401, 403, 404).
            KeyboardInterrupt: After Ctrl-C, once everything that came is on disk.
        """
        attempts = self._asker.server.attempts
        if not attempts:
            left = sum(cache.reply(one) is None for one in requests)
            return Filled(len(requests) - left, left=left, stopped=NOT_TO_ASK if left else "")
        wanted = missing(requests, cache, attempts)
        self._spending.check(request for request, _ in wanted)
        filled = Filled(cached=len(requests) - len(wanted))
        spent = self._spending
        prompt, answer, money = spent.prompt_tokens, spent.answer_tokens, spent.money
        if wanted:
            asyncio.run(_Filling(wanted, cache, self._asker, spent, filled).run())
        filled.prompt_tokens = spent.prompt_tokens - prompt
        filled.answer_tokens = spent.answer_tokens - answer
        filled.money = None if money is None or spent.money is None else spent.money - money
        return filled


def fill(
    requests: Sequence[Request], cache: ReplyCache, server: Server, budget: Budget | None = None
) -> Filled:
    """``LanguageModel.fill``, once."""
    return LanguageModel(server, budget).fill(requests, cache)


class _Filling:
    def __init__(
        self,
        wanted: list[tuple[Request, int]],
        cache: ReplyCache,
        asker: Asker,
        spending: Spending,
        filled: Filled,
    ) -> None:
        self._waiting = iter(wanted)
        self._total = len(wanted)
        self._ended = 0
        self._cache = cache
        self._asker = asker
        self._server = asker.server
        self._spending = spending
        self._filled = filled
        self._interrupts = Interrupts()
        self._fatal: ServerError | None = None
        self._arrived: asyncio.Queue[tuple[Request, Reply]] = asyncio.Queue(2 * self._server.concurrency)
        self._released = asyncio.Event()
        self._shown: Callable[[], None] = lambda: None

    async def run(self) -> None:
        filled = self._filled
        client = connect(self._server)
        with self._interrupts.watched(STOPPING), self._progress(), ThreadPoolExecutor(1) as disk:
            writer = asyncio.create_task(self._write(disk))
            workers = asyncio.create_task(self._workers(client))
            try:
                await asyncio.wait({writer, workers}, return_when=asyncio.FIRST_COMPLETED)
                if workers.done():
                    workers.result()
            except asyncio.CancelledError:  # a second Ctrl-C
                raise KeyboardInterrupt from None
            finally:
                workers.cancel()
                written = asyncio.create_task(self._arrived.join())
                await asyncio.wait({writer, written}, return_when=asyncio.FIRST_COMPLETED)
                written.cancel()
                writer.cancel()
                await client.close()
                if writer.done() and not writer.cancelled():
                    writer.result()  # raises as above
        filled.left = self._total - self._ended
        filled.response_format = FORMS[self._asker.form]
        if self._fatal is not None:
            raise ValueError(
                f"{self._fatal}. {filled.replies} replies came before that and are kept"
            ) from self._fatal
        if self._interrupts.stopping:
            raise KeyboardInterrupt

    async def _workers(self, client: openai.AsyncOpenAI) -> None:
        workers = []
        for _ in range(min(self._server.concurrency, self._total)):
            workers.append(asyncio.create_task(self._worker(client)))
            await asyncio.sleep(STAGGER)
        try:
            await asyncio.gather(*workers)
        finally:
            for one in workers:
                one.cancel()

    async def _worker(self, client: openai.AsyncOpenAI) -> None:
        for request, asked in self._waiting:
            if self._interrupts.stopping or self._filled.stopped:
                return
            if not await self._settle(request, asked, client):
                return
            self._ended += 1

    async def _settle(self, request: Request, asked: int, client: openai.AsyncOpenAI) -> bool:
        """Asks until there is a complete reply, a failure, or nothing left to spend; whether it ended."""
        for _ in range(asked, self._server.attempts):
            if not await self._afford(request):
                return False
            try:
                reply = await self._asker.ask(request, client)
                if reply.outcome != "failed":
                    self._spending.add(request, reply)
            except ServerError as stop:
                self._fatal = stop
                self._filled.stopped = str(stop)
                return False
            finally:
                self._spending.release(request)
                self._released.set()
            if reply.outcome == "failed":
                self._filled.failures.append(Failure(request.custom_id, reply.error or "no usable answer"))
                return True
            await self._arrived.put((request, reply))
            self._filled.replies += 1
            self._shown()
            if reply.outcome == "complete" or self._interrupts.stopping:
                break
        return True

    async def _afford(self, request: Request) -> bool:
        """Whether the budget has room for a request, once those under way have told what they really cost."""
        while not self._spending.reserve(request):
            if not self._spending.under_way:
                self._filled.stopped = BUDGET
            if self._interrupts.stopping or self._filled.stopped:
                return False
            self._released.clear()
            await self._released.wait()
        return True

    async def _write(self, disk: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = [await self._arrived.get()]
            while not self._arrived.empty():
                batch.append(self._arrived.get_nowait())
            await loop.run_in_executor(disk, self._cache.add, batch)
            for _ in batch:
                self._arrived.task_done()

    @contextmanager
    def _progress(self) -> Iterator[None]:
        console = Console(stderr=True)
        columns = (
            TextColumn("asking"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[about]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("", total=self._total, about="")
            loop = asyncio.get_running_loop()
            begin = loop.time()

            def show() -> None:
                rate = self._filled.replies / (loop.time() - begin + 1e-9)
                spent = self._spending
                money = f", {spent.money:.2f} USD" if spent.money else ""
                tokens = spent.prompt_tokens + spent.answer_tokens
                about = f"{rate:.1f}/s, {tokens} tokens{money}, {len(self._filled.failures)} failed"
                bar.update(task, completed=self._ended, about=about)

            if console.is_terminal:
                self._shown = show
            yield

"""Requests are run: whatever the cache lacks is asked, and every reply is on disk before it counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from clinsynth.llm.budget import Budget, Spending, read_prices
from clinsynth.llm.cache import ReplyCache
from clinsynth.llm.client import ChatClient, ServerError
from clinsynth.llm.interrupts import Interrupts
from clinsynth.llm.progress import progress
from clinsynth.llm.requests import Reply, Request
from clinsynth.llm.server import Server
from clinsynth.llm.summary import Failure, RunSummary, incomplete, missing

if TYPE_CHECKING:
    import openai

STAGGER = 0.0005  # seconds between the first requests; all at once they would stay in step, and wait together

STOPPING = "Stopping after the requests under way, whose answers are paid for. Ctrl-C again ends at once."
NOT_TO_ASK = "nothing was to be asked"
BUDGET = "the budget has no room for a further request"


class RequestRunner:
    """A server and a budget for it. Limits, money and what the server takes hold over all runs."""

    def __init__(self, server: Server, budget: Budget | None = None) -> None:
        budget = budget or Budget()
        self._server = server
        self._spending = Spending(budget, read_prices(budget.prices))
        self._client = ChatClient(server, self._spending)

    def run(self, requests: Sequence[Request], cache: ReplyCache, replay: bool = False) -> RunSummary:
        """Asks what is missing; each reply is on disk before it counts.

        A first Ctrl-C (or SIGTERM) lets the requests under way end, a second one does not.

        Args:
            requests: What to ask.
            cache: Where the replies are kept.
            replay: Whether to ask nothing and make do with the replies in the cache.

        Raises:
            ValueError: No key, an unknown price, or a server that answers no request (401, 402, 403, 404).
            KeyboardInterrupt: After Ctrl-C, once everything that came is on disk.
        """
        if replay:
            left = sum(not cache.answered(request) for request in requests)
            stopped = NOT_TO_ASK if left else ""
            return RunSummary(
                len(requests) - left, left=left, stopped=stopped, incomplete=incomplete(requests, cache)
            )
        wanted = missing(requests, cache, self._server.attempts)
        spent = self._spending
        spent.check(request for request, _ in wanted)
        summary = RunSummary(cached=len(requests) - len(wanted))
        prompt, answer, money = spent.prompt_tokens, spent.answer_tokens, spent.money
        if wanted:
            asyncio.run(_Run(wanted, cache, self._client, spent, summary).run())
        summary.response_format = self._client.dialect.response_format
        summary.incomplete = incomplete(requests, cache)
        summary.prompt_tokens = spent.prompt_tokens - prompt
        summary.answer_tokens = spent.answer_tokens - answer
        summary.money = None if money is None or spent.money is None else spent.money - money
        return summary


def run_requests(
    requests: Sequence[Request], cache: ReplyCache, server: Server, budget: Budget | None = None
) -> RunSummary:
    """``RequestRunner.run``, once."""
    return RequestRunner(server, budget).run(requests, cache)


class _Run:
    """Workers that ask, and a writer that keeps what they get."""

    def __init__(
        self,
        wanted: list[tuple[Request, int]],
        cache: ReplyCache,
        client: ChatClient,
        spending: Spending,
        summary: RunSummary,
    ) -> None:
        self._waiting = iter(wanted)
        self._total = len(wanted)
        self._ended = 0
        self._cache = cache
        self._client = client
        self._server = client.server
        self._spending = spending
        self._summary = summary
        self._interrupts = Interrupts()
        self._fatal: ServerError | None = None
        self._arrived: asyncio.Queue[tuple[Request, Reply]] = asyncio.Queue(2 * self._server.concurrency)
        self._released = asyncio.Event()
        self._show: Callable[[int, int, int], None] = lambda ended, replies, failures: None

    async def run(self) -> None:
        from clinsynth.llm.connection import connect  # openai takes half a second to import

        summary = self._summary
        connection = connect(self._server)
        with (
            self._interrupts.watched(STOPPING),
            progress(self._total, self._spending) as self._show,
            ThreadPoolExecutor(1) as disk,
        ):
            writer = asyncio.create_task(self._write(disk))
            workers = asyncio.create_task(self._workers(connection))
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
                await connection.close()
                if writer.done() and not writer.cancelled():
                    writer.result()  # raises as above
        summary.left = self._total - self._ended
        if self._fatal is not None:
            raise ValueError(
                f"{self._fatal}. {summary.replies} replies came before that and are kept"
            ) from self._fatal
        if self._interrupts.stopping:
            raise KeyboardInterrupt

    async def _workers(self, connection: openai.AsyncOpenAI) -> None:
        workers = []
        for _ in range(min(self._server.concurrency, self._total)):
            workers.append(asyncio.create_task(self._worker(connection)))
            await asyncio.sleep(STAGGER)
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()

    async def _worker(self, connection: openai.AsyncOpenAI) -> None:
        for request, asked in self._waiting:
            if self._is_over():
                return
            if not await self._settle(request, asked, connection):
                return
            self._ended += 1

    async def _settle(self, request: Request, asked: int, connection: openai.AsyncOpenAI) -> bool:
        """Asks until there is a whole answer, a failure, or nothing left to spend; whether it ended."""
        reply: Reply | None = None
        for attempt in range(asked, self._server.attempts):
            if reply is not None and reply.outcome == "failed":
                await self._client.backoff.pause(attempt)
            if not await self._afford(request):
                return False
            try:
                answer = await self._client.ask(request, connection, self._is_over)
            except ServerError as stop:
                self._fatal = stop
                self._summary.stopped = str(stop)
                return False
            finally:
                self._spending.release(request)
                self._released.set()
            if answer is None:
                return False
            reply = answer
            if reply.paid:
                await self._arrived.put((request, reply))
                self._summary.replies += 1
            self._show(self._ended, self._summary.replies, len(self._summary.failures))
            if reply.outcome == "complete" or not reply.paid or self._interrupts.stopping:
                break
        if reply is not None and reply.outcome == "failed":
            self._summary.failures.append(Failure(request.custom_id, reply.reason, reply.lasting))
        return True

    def _is_over(self) -> bool:
        """Whether no further request is to be sent."""
        return self._interrupts.stopping or bool(self._summary.stopped)

    async def _afford(self, request: Request) -> bool:
        """Whether the budget has room for a request, once those under way have told what they really cost."""
        while not self._spending.reserve(request):
            if not self._spending.under_way:
                self._summary.stopped = BUDGET
            if self._is_over():
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

"""How near the ideal the asking comes: ours and the plain openai client, against a server with a fixed delay.

The ideal is concurrency / latency. Ours keeps every reply on disk; the plain client keeps nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import openai

from clinsynth.llm.cache import ReplyCache
from clinsynth.llm.requests import Request
from clinsynth.llm.runner import run_requests
from clinsynth.llm.server import Server

ROOT = Path(__file__).parents[1]
T = TypeVar("T")
SYSTEM = "You write training data for a text-mining model. " * 80


def plan(count: int, first: int = 0) -> list[Request]:
    """Requests with prompts as long as real ones."""
    return [
        Request(
            f"r{i}",
            {
                "model": "scripted",
                "messages": [
                    {"role": "system", "content": SYSTEM},
                    {"role": "user", "content": f"Subject: {i}."},
                ],
                "temperature": 1.0,
                "max_tokens": 1000,
            },
        )
        for i in range(first, first + count)
    ]


async def plain(url: str, requests: list[Request], concurrency: int) -> int:
    """What the client's documentation suggests: a task a request and a semaphore; counts the replies."""
    client = openai.AsyncOpenAI(base_url=url, api_key="none")
    free = asyncio.Semaphore(concurrency)

    async def one(request: Request) -> bool:
        async with free:
            try:
                await client.chat.completions.create(**request.body)
            except (openai.OpenAIError, ValueError):
                return False
        return True

    async with client:
        return sum(await asyncio.gather(*map(one, requests)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds")
    options = parser.parse_args()
    ideal = options.concurrency / options.latency
    print(f"{options.requests} requests, {options.concurrency} at once, {options.latency * 1000:.0f} ms each")
    print(f"ideal: {ideal:.0f} requests/s\n")
    for faults in (0.0, 0.2):
        command = [sys.executable, "-m", "tests.clinsynth.llm.server"]
        command += ["--latency", str(options.latency), "--faults", str(faults)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            try:
                compare(url, options.requests, options.concurrency, ideal, faults)
            finally:
                process.kill()


def compare(url: str, count: int, concurrency: int, ideal: float, faults: float) -> None:
    """Times both, best of three with a cache that is new each time, and prints the ratio."""
    print(f"faults in {faults:.0%} of the requests")
    requests = plan(count)
    theirs, replies = max(
        timed(count, lambda: asyncio.run(plain(url, requests, concurrency))) for _ in range(3)
    )
    print(
        f"  plain openai client   {theirs:7.0f} requests/s  {theirs / ideal:4.0%} of ideal  {replies} replies"
    )
    server = Server(base_url=url, concurrency=concurrency)
    ours = 0.0
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder, ReplyCache(Path(folder)) as cache:
            rate, filled = timed(count, lambda: run_requests(plan(count), cache, server))
            if len(cache) + len(filled.failures) != count:
                raise SystemExit("a request ended neither as a reply nor as a failure")
            ours = max(ours, rate)
            again = timed(count, lambda: run_requests(plan(count), cache, server))
            if not faults and ours == rate:
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                run_requests(plan(10 * count, count), cache, server)
                after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"  clinsynth, on disk    {ours:7.0f} requests/s  {ours / ideal:4.0%} of ideal  "
        f"{filled.replies} replies, {len(filled.failures)} named failures  {ours / theirs:.2f}x"
    )
    print(f"  the same again: {again[1].cached} of {count} from disk in {count / again[0]:.2f} s")
    if not faults:
        print(f"  {10 * count} more requests: memory {before // 1024} -> {after // 1024} MiB")


def timed(count: int, run: Callable[[], T]) -> tuple[float, T]:
    """Requests/s, and what it returned."""
    begin = time.perf_counter()
    result = run()
    return count / (time.perf_counter() - begin), result


if __name__ == "__main__":
    main()

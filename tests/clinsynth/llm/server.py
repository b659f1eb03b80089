"""A server of the OpenAI protocol that does what a script says: answers, errors, hangs, broken bodies.

``python -m tests.clinsynth.llm.server`` runs one in a process of its own and prints its address.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from clinsynth.llm.requests import Request

CANARY = "canary-text-4711"
ANSWER = '{"documents": [["A title.", "Has <Disease>gout</Disease>."]]}'


def requests(count: int, **more: Any) -> list[Request]:
    """So many requests, each with a seed of its own, and a text that must not be told."""
    messages = [{"role": "user", "content": CANARY}]
    return [Request(f"r{i}", {"model": "m", "messages": messages, "seed": i, **more}) for i in range(count)]


@dataclass(frozen=True)
class Act:
    """What the server does with a request.

    Args:
        status: Of HTTP.
        body: Sent as JSON, or as it is if it is a string.
        headers: Further ones, or others.
        delay: Seconds before the answer, on top of the server's latency.
        cut: Whether the connection closes in the middle of the body.
        hang: Whether no answer ever comes.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: bool = False
    hang: bool = False


def completion(
    content: str = ANSWER, finish: str = "stop", refusal: str | None = None, **more: Any
) -> dict[str, Any]:
    """A chat completion."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
        **more,
    }


def answers(_number: int, _body: Mapping[str, Any]) -> Act:
    """The script of a server that always answers."""
    return Act(body=completion())


Script = Callable[[int, Mapping[str, Any]], Act]
"""From the number of the request, from 0, and its body to what is done with it."""


class ScriptedServer:
    """A context in which the server runs on loopback, in a thread of its own.

    Args:
        script: What it does.
        latency: Seconds before every answer.
        keep: Whether requests are kept in ``bodies`` and ``headers``.
    """

    def __init__(self, script: Script = answers, latency: float = 0.0, keep: bool = True) -> None:
        self.script = script
        self.latency = latency
        self.keep = keep
        self.count = 0
        self.at_once = self.most_at_once = 0
        self.bodies: list[Mapping[str, Any]] = []
        self.headers: list[str] = []
        self.port = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self.listen())
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def listen(self) -> asyncio.Server:
        """Begins to listen on a free port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        return server


class _Connection(asyncio.Protocol):
    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self._data = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].decode("latin-1")
            length = next(
                (int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")),
                0,
            )
            if len(self._data) < end + 4 + length:
                return
            body = json.loads(self._data[end + 4 : end + 4 + length] or b"{}")
            self._data = self._data[end + 4 + length :]
            self._take(head, body)

    def _take(self, head: str, body: Mapping[str, Any]) -> None:
        server = self._server
        if server.keep:
            server.bodies.append(body)
            server.headers.append(head)
        act = server.script(server.count, body)
        server.count += 1
        server.at_once += 1
        server.most_at_once = max(server.most_at_once, server.at_once)
        if not act.hang:
            asyncio.get_running_loop().call_later(server.latency + act.delay, self._answer, act)

    def _answer(self, act: Act) -> None:
        self._server.at_once -= 1
        if self._transport.is_closing():
            return
        content = act.body if isinstance(act.body, str) else json.dumps(act.body)
        data = content.encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(data)), **act.headers}
        lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        self._transport.write(f"HTTP/1.1 {act.status} X\r\n{lines}\r\n".encode())
        self._transport.write(data[: len(data) // 2] if act.cut else data)
        if act.cut:
            self._transport.close()


def faulty(share: float, seed: int = 0) -> Script:
    """A script in which this share of requests ends in a fault of every kind, drawn by the seed."""
    chance = random.Random(seed)
    faults = [
        Act(429, {"error": {"code": "rate_limit_exceeded"}}, {"Retry-After": "0.05"}),
        Act(429, {"error": {}}),
        Act(500, "oops", {"Content-Type": "text/plain"}),
        Act(503, {"error": {"code": "overloaded"}}),
        Act(200, completion(), cut=True),
        Act(200, '{"choices": [', {}),
        Act(200, "<html></html>", {"Content-Type": "text/html"}),
        Act(200, {"no": "choices"}),
    ]

    def script(number: int, body: Mapping[str, Any]) -> Act:
        return chance.choice(faults) if chance.random() < share else answers(number, body)

    return script


async def _serve(server: ScriptedServer) -> None:
    listening = await server.listen()
    print(server.url, flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--faults", type=float, default=0.0, help="share of requests that fail in some way")
    options = parser.parse_args()
    asyncio.run(_serve(ScriptedServer(faulty(options.faults), options.latency, keep=False)))

"""Replies that were paid for, on disk: asked once, kept for good."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import diskcache
from diskcache.core import MODE_PICKLE

from clinsynth.llm.requests import Reply, Request, canonical

CACHE = Path(".clinsynth/replies")
PICKLED = (
    "the cache of replies holds a pickle, which clinsynth never writes. Remedy: get it from where you trust"
)
LARGEST = 2**30  # bytes; SQLite holds a little less
RANK = {"complete": 3, "truncated": 2, "refused": 1, "failed": 0}


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of replies that were read from a file.

    Args:
        added: New to the cache.
        known: There already.
        failed: Reasons why replies hold no answer, with their numbers; these requests are still to be asked.
        unknown_ids: ``custom_id`` of replies to requests that the plan does not have.
    """

    added: int
    known: int
    failed: Mapping[str, int]
    unknown_ids: tuple[str, ...]


class _PlainDisk(diskcache.JSONDisk):  # type: ignore[misc]
    """JSON only: ``diskcache`` would unpickle, and so run, a row that says that it is a pickle."""

    def fetch(self, mode: int, filename: str, value: Any, read: bool) -> Any:
        if mode == MODE_PICKLE:
            raise ValueError(PICKLED)
        return super().fetch(mode, filename, value, read)

    def get(self, key: Any, raw: bool) -> Any:
        if not raw:
            raise ValueError(PICKLED)
        return super().get(key, raw)


class ReplyCache:
    """A folder with one entry a request: its body, and every reply that it ever got.

    An entry's key is ``Request.key``, so that a request of another plan, folder or machine finds it too.
    JSON in SQLite, no pickle; nothing is ever evicted. Several processes may use it at once, though two that
    ask the same at the same time both pay. What was added survives the death of the process.

    Raises ``ValueError`` where the database is damaged or locked.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self._cache = diskcache.Cache(
                str(folder),
                disk=_PlainDisk,
                # all in the database: a file of its own would be removed before what takes its place is kept
                disk_min_file_size=LARGEST,
                eviction_policy="none",
                statistics=0,
                tag_index=0,
            )
            len(self._cache)
        except (sqlite3.DatabaseError, diskcache.Timeout) as error:
            raise ValueError(
                f"{folder}: the cache of replies cannot be opened ({error}). Remedy: if another process has "
                "it, wait; if it is damaged, repair it with sqlite3's .recover, or name another folder"
            ) from error

    def __enter__(self) -> ReplyCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the database."""
        self._cache.close()

    def __len__(self) -> int:
        return len(self._cache)

    def replies(self, request: Request) -> list[Reply]:
        """Every reply that a request got, the first one first."""
        entry = self._cache.get(request.key)
        return [] if entry is None else [_reply(request.custom_id, kept) for kept in entry["replies"]]

    def reply(self, request: Request) -> Reply | None:
        """The best reply so far: complete before truncated before refused, and the earlier first."""
        return best(self.replies(request))

    def answered(self, request: Request) -> bool:
        """Whether there is a reply with an answer, be it whole or not."""
        reply = self.reply(request)
        return reply is not None and reply.outcome != "failed"

    def add(self, given: Iterable[tuple[Request, Reply]]) -> None:
        """Keeps replies; on return they are on disk. Raises ``OSError`` if that cannot be."""
        try:
            with self._cache.transact(retry=True):
                for request, reply in given:
                    self._keep(request, reply)
        except sqlite3.Error as error:
            raise OSError(
                f"{self.folder}: replies cannot be kept ({error}). Remedy: make room, and start again"
            ) from error

    def _keep(self, request: Request, reply: Reply) -> None:
        kept: dict[str, Any] = {"status_code": reply.status_code, "body": reply.body}
        if reply.batch:
            kept["batch"] = True
        entry = {"body": request.body, "draw": request.draw, "replies": [kept]}
        if not self._cache.add(request.key, entry):
            entry = self._cache[request.key]
            self._cache[request.key] = {**entry, "replies": [*entry["replies"], kept]}

    def take(self, requests: Sequence[Request], replies: Iterable[Reply]) -> Imported:
        """Keeps the replies of a Batch output file; the same reply twice is kept once."""
        wanted = {request.custom_id: request for request in requests}
        new: list[tuple[Request, Reply]] = []
        seen: set[tuple[str, str]] = set()
        known = 0
        failed: Counter[str] = Counter()
        unknown: list[str] = []
        for reply in replies:
            request = wanted.get(reply.custom_id)
            if request is None:
                unknown.append(reply.custom_id)
            elif reply.outcome == "failed":
                failed[reply.reason] += 1
            else:
                mark = (request.key, canonical(reply.body))
                if mark in seen or any(
                    canonical(earlier.body) == mark[1] for earlier in self.replies(request)
                ):
                    known += 1
                else:
                    new.append((request, reply))
                seen.add(mark)
        self.add(new)
        return Imported(len(new), known, dict(failed), tuple(unknown))

    def forget(self, request: Request, chosen: Callable[[Reply], bool]) -> list[Reply]:
        """Takes chosen replies to a request out and returns them; the others stay."""
        with self._cache.transact(retry=True):
            entry = self._cache.get(request.key)
            if entry is None:
                return []
            told = [(kept, _reply(request.custom_id, kept)) for kept in entry["replies"]]
            stay = [kept for kept, reply in told if not chosen(reply)]
            if not stay:
                del self._cache[request.key]
            elif len(stay) < len(told):
                self._cache[request.key] = {**entry, "replies": stay}
        return [reply for kept, reply in told if kept not in stay]

    def bodies(self) -> Iterator[tuple[Mapping[str, Any], int]]:
        """Body and draw number of every request that has an entry."""
        for key in self._cache:
            entry = self._cache.get(key)
            if entry is not None:
                yield entry["body"], entry["draw"]


def best(replies: Iterable[Reply]) -> Reply | None:
    """The reply that is most whole, and of equal ones the first."""
    return max(replies, key=lambda reply: RANK[reply.outcome], default=None)


def _reply(custom_id: str, value: Mapping[str, Any]) -> Reply:
    return Reply(custom_id, value["status_code"], value["body"], batch=bool(value.get("batch")))

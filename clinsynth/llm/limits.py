"""How fast requests may follow each other."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

LONGEST_PAUSE = 300.0  # seconds, whatever a server asks for
LONGEST_BACKOFF = 60.0  # seconds between two tries
LOOK = 1.0  # seconds after which who waits looks whether that still makes sense


class RateLimiter:
    """Spreads costs evenly over time: ``rate`` a minute, or as fast as it goes if ``None``.

    Virtual scheduling as in the generic cell rate algorithm (ITU-T I.371) without a burst, so that no
    minute, wherever it begins, holds more than its share.
    """

    def __init__(self, rate: int | None) -> None:
        self._seconds = 60 / rate if rate else 0.0
        self._free = 0.0

    async def wait(self, cost: float = 1.0, stopping: Callable[[], bool] = lambda: False) -> None:
        """Returns when it is this caller's turn, or soon after no turn is wanted any more."""
        if not self._seconds:
            return
        clock = asyncio.get_running_loop().time
        turn = max(clock(), self._free)
        self._free = turn + cost * self._seconds
        while (left := turn - clock()) > 0 and not stopping():
            await asyncio.sleep(min(left, LOOK))


class Backoff:
    """Pauses: those that the server asks for hold for all requests, those between two tries for one."""

    def __init__(self) -> None:
        self._until = 0.0

    async def wait(self, stopping: Callable[[], bool] = lambda: False) -> None:
        """Returns when no pause is on that the server asked for, or soon after that is of no matter."""
        while (left := self._until - asyncio.get_running_loop().time()) > 0 and not stopping():
            await asyncio.sleep(min(left, LOOK))

    async def pause(self, tries: int, asked: float | None = None) -> None:
        """Waits before the next try.

        Args:
            tries: Number of tries that failed so far.
            asked: Seconds that the server asked to wait, if it did.
        """
        if asked is not None:
            until = asyncio.get_running_loop().time() + min(asked, LONGEST_PAUSE)
            self._until = max(self._until, until)
            await self.wait()
        # full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter
        # also after a pause that was asked for, or all would come back at once
        await asyncio.sleep(random.uniform(0, min(LONGEST_BACKOFF, 2.0 ** (tries - 1))))

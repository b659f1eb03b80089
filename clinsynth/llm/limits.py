"""How fast requests may follow each other."""

from __future__ import annotations

import asyncio
import random

LONGEST_PAUSE = 300.0  # seconds, whatever a server asks for
LONGEST_BACKOFF = 60.0  # seconds between two tries


class RateLimiter:
    """Spreads costs evenly over time: ``rate`` a minute, or as fast as it goes if ``None``.

    Virtual scheduling as in the generic cell rate algorithm (ITU-T I.371) without a burst, so that no
    minute, wherever it begins, holds more than its share.
    """

    def __init__(self, rate: int | None) -> None:
        self._seconds = 60 / rate if rate else 0.0
        self._free = 0.0

    async def wait(self, cost: float = 1.0) -> None:
        """Returns when it is this caller's turn."""
        if not self._seconds:
            return
        now = asyncio.get_running_loop().time()
        turn = max(now, self._free)
        self._free = turn + cost * self._seconds
        await asyncio.sleep(turn - now)


class Backoff:
    """Pauses: those that the server asks for hold for all requests, those between two tries for one."""

    def __init__(self) -> None:
        self._until = 0.0

    async def wait(self) -> None:
        """Returns when no pause is on that the server asked for."""
        while (left := self._until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(left)

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

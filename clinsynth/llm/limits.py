"""How fast requests may follow each other."""

from __future__ import annotations

import asyncio


class Pace:
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


class Gate:
    """Closed for a while when the server asks for a pause; it holds for all requests."""

    def __init__(self) -> None:
        self._until = 0.0

    def close(self, seconds: float) -> None:
        """Lets nobody through for this long, or as long as it was closed before."""
        self._until = max(self._until, asyncio.get_running_loop().time() + seconds)

    async def wait(self) -> None:
        """Returns when the gate is open."""
        while (left := self._until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(left)

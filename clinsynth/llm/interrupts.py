"""Ctrl-C in two steps: the first lets what is under way end, the second does not."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Interrupts:
    """Whether a run was asked to stop, by Ctrl-C or SIGTERM."""

    def __init__(self) -> None:
        self.stopping = False

    @contextmanager
    def watched(self, notice: str) -> Iterator[None]:
        """Takes the signals inside of the block; a second one cancels the task that entered it.

        Args:
            notice: What people are told after the first signal.
        """
        loop = asyncio.get_running_loop()
        main = asyncio.current_task()

        def stop() -> None:
            if self.stopping:
                if main is not None:
                    main.cancel()
                return
            self.stopping = True
            print(f"\n{notice}", file=sys.stderr)

        numbers: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
        try:
            for number in numbers:
                loop.add_signal_handler(number, stop)
        except (ValueError, RuntimeError, NotImplementedError):  # not in the main thread, or Windows
            numbers = ()
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

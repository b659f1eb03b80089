"""Commands that run at the same time, share the cores and are stopped together."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

from clinsynth.runs.exits import INTERRUPTED
from clinsynth.runs.folder import SHARED
from clinsynth_onnx.machine import cores

THREADS = "OMP_NUM_THREADS"


class Commands:
    """What is run for a table.

    Args:
        lock: An open file that is locked as long as this process or a command that it started lives.
        at_once: How many commands run at the same time: each computes with its share of the cores, unless
            the environment says otherwise.
    """

    def __init__(self, lock: IO[str], at_once: int) -> None:
        self._lock = lock
        self._environment = {name: value for name, value in os.environ.items() if name != SHARED}
        if at_once > 1:
            self._environment.setdefault(THREADS, str(max(1, cores() // at_once)))
        self._guard = threading.RLock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(self, arguments: list[str], log: Path) -> int:
        """Runs a command and returns its exit code.

        Args:
            arguments: The command.
            log: File that its output is added to.

        Raises:
            KeyboardInterrupt: It was interrupted, and has ended; or all were, before it began.
        """
        with log.open("a", encoding="utf-8") as output:
            output.write(f"$ {shlex.join(arguments)}\n")
            output.flush()
            with self._guard:
                if self._stopped:
                    raise KeyboardInterrupt
                process = subprocess.Popen(
                    arguments,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=self._environment,
                    pass_fds=[self._lock.fileno()],
                )
                self._running.add(process)
            code = process.wait()
        with self._guard:
            self._running.discard(process)
            if self._stopped or code == INTERRUPTED:
                raise KeyboardInterrupt
        return code

    @contextmanager
    def stopped_together(self) -> Iterator[None]:
        """Whatever ends the work within ends the commands: a training that is told so writes its checkpoint.

        SIGTERM raises ``KeyboardInterrupt`` within, as Ctrl-C does.
        """
        number = signal.SIGINT  # where the terminal has not sent it to all

        def terminate(received: int, frame: FrameType | None) -> None:
            nonlocal number
            number = signal.SIGTERM
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGTERM, terminate)
        try:
            yield
        except BaseException:
            with self._guard:
                self._stopped = True
                for process in self._running:
                    process.send_signal(number)
            raise
        finally:
            signal.signal(signal.SIGTERM, before)

"""The steps of a cell: each is run once, and one that was stopped goes on."""

from __future__ import annotations

import fcntl
import json
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from clinsynth.reproducing.commands import Commands
from clinsynth.reproducing.steps import RUN_FOLDER, Step
from clinsynth.runs.folder import CHECKPOINTS

LOG, ATTEMPTS = "log.txt", "attempts.jsonl"
LAST_LINES = 3


class StepError(Exception):
    """A command that ended with an error; its output is in the log."""


@contextmanager
def locked(folder: Path, say: Callable[[str], None]) -> Iterator[IO[str]]:
    """Waits until nothing else fills the table in a folder.

    A command may outlive the process that started it: it inherits the open file, and so the lock, until it
    ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process, or a command that it started, is at work in {folder}: waiting for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield stream


def perform(folder: Path, step: Step, commands: Commands) -> None:
    """Runs a command unless it was run before; a training that was stopped goes on from its last checkpoint.

    Args:
        folder: Folder of the cell; output goes to its log.
        step: The command.
        commands: What runs it.

    Raises:
        StepError: It ended with an error.
        KeyboardInterrupt: It was interrupted, after it has ended.
    """
    if any(attempt["step"] == step.name and attempt.get("seconds") for attempt in attempts(folder)):
        return
    arguments = list(step.arguments)
    last = folder / RUN_FOLDER / CHECKPOINTS / "last.ckpt"
    if step.name == "fit" and last.exists():
        arguments.append("--ckpt_path=last")
    if step.made is not None and step.made.exists():
        shutil.rmtree(step.made)
    note(folder, {"step": step.name, "command": command(arguments), "started": time.time()})
    start = time.monotonic()
    code = commands.run([sys.executable, "-m", "clinsynth", *arguments], folder / LOG)
    if code not in step.done:
        raise StepError(
            f"{step.name} ended with exit code {code}: {_tail(folder / LOG)} (see {folder / LOG})"
        )
    note(folder, {"step": step.name, "ended": time.time(), "seconds": time.monotonic() - start})


def command(arguments: list[str]) -> str:
    """What a user types."""
    return shlex.join(["clinsynth", *arguments])


def attempts(folder: Path) -> list[dict[str, Any]]:
    """Every start and end of a command of a cell, in their order."""
    path = folder / ATTEMPTS
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.endswith("}")]


def minutes(folder: Path, step: str) -> float | None:
    """Minutes that a command took, start-up included; ``None`` where it was stopped by force in between."""
    mine = [attempt for attempt in attempts(folder) if attempt["step"] == step]
    if sum("started" in attempt for attempt in mine) != 1:
        return None
    return next((attempt["seconds"] / 60 for attempt in mine if "seconds" in attempt), None)


def note(folder: Path, value: dict[str, Any]) -> None:
    """Adds to what ``attempts`` reads."""
    with (folder / ATTEMPTS).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(value) + "\n")


def _tail(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return " / ".join(lines[-LAST_LINES:])

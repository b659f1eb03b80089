"""A bar that shows how far asking has come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clinsynth.llm.budget import Spending, shown_money


@contextmanager
def progress(total: int, spending: Spending) -> Iterator[Callable[[int, int, int], None]]:
    """Shows a bar on a terminal, nothing elsewhere.

    Args:
        total: Number of requests.
        spending: What was spent.

    Yields:
        A function to call with the numbers of requests that ended, of replies and of failures.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("asking"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[about]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total, about="")
        begin = time.monotonic()

        def show(ended: int, replies: int, failures: int) -> None:
            if not console.is_terminal:
                return
            rate = replies / (time.monotonic() - begin + 1e-9)
            money = f", {shown_money(spending.money)}" if spending.money else ""
            tokens = spending.prompt_tokens + spending.answer_tokens
            bar.update(
                task, completed=ended, about=f"{rate:.1f}/s, {tokens} tokens{money}, {failures} failed"
            )

        yield show

"""Filling a table: cell after cell, those that have a result passed over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from clinsynth.reproducing.cell import Table
from clinsynth.reproducing.commands import Commands
from clinsynth.reproducing.gold import fetch
from clinsynth.reproducing.plan import Cell
from clinsynth.reproducing.process import StepError, locked

Say = Callable[[str], None]
Result = dict[str, Any]
Place = tuple[str, str, int]
"""Corpus, row and seed."""


@dataclass(frozen=True)
class Filled:
    """What came of it.

    Attributes:
        results: Results of all cells that have one, those of before too.
        planned: How many cells the table has.
        failed: Cells without a result because a command failed, for them or for one that they start from.
    """

    results: list[Result]
    planned: int
    failed: list[str]


def chosen(planned: Sequence[Cell], only: Sequence[str]) -> list[Cell]:
    """The cells of these corpora, rows, or ``CORPUS/ROW``, and those that they start from.

    Raises:
        ValueError: One of them names nothing.
    """
    if not only:
        return list(planned)
    names = {name for cell in planned for name in (cell.corpus, cell.row, f"{cell.corpus}/{cell.row}")}
    unknown = sorted(set(only) - names)
    if unknown:
        raise ValueError(f"there is no cell of {unknown[0]!r}. There are {', '.join(sorted(names))}")
    wanted: set[tuple[str, str]] = set()
    for cell in reversed(planned):
        named = {cell.corpus, cell.row, f"{cell.corpus}/{cell.row}"} & set(only)
        if named or (cell.corpus, cell.row) in wanted:
            wanted |= {(cell.corpus, row) for row in (cell.row, *cell.needs)}
    return [cell for cell in planned if (cell.corpus, cell.row) in wanted]


def fill(table: Table, planned: Sequence[Cell], only: Sequence[str], say: Say, at_once: int = 1) -> Filled:
    """Runs the cells that were not run before, and then times their bundles.

    A cell that fails is told, and the others are run.

    Args:
        table: The table.
        planned: All of its cells, what a cell starts from before it.
        only: Names of those to run, see ``chosen``.
        say: What tells how it goes on.
        at_once: How many cells are run at the same time.

    Raises:
        KeyboardInterrupt: It was stopped; what was run is kept.
        ValueError: The plan does not fit, or ``only`` names nothing.
        OSError: A file is missing.
    """
    wanted = chosen(planned, only)
    with locked(table.out, say) as lock:
        for corpus, fold in dict.fromkeys((cell.corpus, fold) for cell in wanted for fold in cell.tests):
            fetch(table.corpora[corpus], fold)
        results = [table.result(cell) for cell in planned]
        todo = [n for n, cell in enumerate(planned) if results[n] is None and cell in wanted]
        commands = Commands(lock, at_once)
        with ThreadPoolExecutor(at_once) as pool, commands.stopped_together():
            queue = _Queue(planned, todo)
            queue.work_off(lambda cell: pool.submit(table.run, cell, commands, say), at_once, say)
        for number in queue.ended:
            results[number] = queue.ended[number]
        for cell, result in zip(planned, results, strict=True):
            if result is not None:
                table.time(cell, result)
    return Filled([result for result in results if result is not None], len(planned), queue.failed)


@dataclass
class _Queue:
    """Cells that are still to be run, none before those that it starts from.

    Attributes:
        planned: All cells of the table.
        waiting: Numbers of those that have not begun.
        running: Numbers of those that have.
        ended: Results by number.
        failed: Names of cells that have no result.
        broken: Places of those.
    """

    planned: Sequence[Cell]
    waiting: list[int]
    running: dict[Future[Result], int] = field(default_factory=dict)
    ended: dict[int, Result] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    broken: set[Place] = field(default_factory=set)

    def work_off(self, start: Callable[[Cell], Future[Result]], at_once: int, say: Say) -> None:
        """Runs all of them, as many at the same time as it may."""
        while self.waiting or self.running:
            while len(self.running) < at_once and (number := self._next()) is not None:
                cell = self.planned[number]
                say(f"{_name(cell)}, {number + 1} of {len(self.planned)}")
                if self.broken & _origins(cell):
                    self._fails(cell, say, "passed over: what it starts from failed")
                else:
                    self.running[start(cell)] = number
            for done in wait(self.running, return_when=FIRST_COMPLETED).done:
                number = self.running.pop(done)
                try:
                    self.ended[number] = done.result()
                except (StepError, ValueError, OSError) as error:
                    self._fails(self.planned[number], say, f"failed: {error}")

    def _fails(self, cell: Cell, say: Say, why: str) -> None:
        say(f"{_name(cell)}: {why}")
        self.failed.append(_name(cell))
        self.broken.add(_place(cell))

    def _next(self) -> int | None:
        """Takes the first cell that starts from none of those that have not ended."""
        unended = {_place(self.planned[n]) for n in (*self.waiting, *self.running.values())}
        number = next((n for n in self.waiting if not unended & _origins(self.planned[n])), None)
        if number is not None:
            self.waiting.remove(number)
        return number


def _name(cell: Cell) -> str:
    return f"{cell.corpus}/{cell.name}"


def _place(cell: Cell) -> Place:
    return cell.corpus, cell.row, cell.seed


def _origins(cell: Cell) -> set[Place]:
    return {(cell.corpus, row, cell.seed) for row in cell.needs}

"""Filling a table: cell after cell, those that have a result passed over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from clinsynth.reproducing.cell import Table
from clinsynth.reproducing.plan import Cell
from clinsynth.reproducing.process import StepError, locked

Say = Callable[[str], None]


@dataclass(frozen=True)
class Filled:
    """What came of it.

    Attributes:
        results: Results of all cells that have one, those of before too.
        planned: How many cells the table has.
        failed: Cells without a result because a command failed, for them or for one that they start from.
    """

    results: list[dict[str, Any]]
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


def fill(table: Table, planned: Sequence[Cell], only: Sequence[str], say: Say) -> Filled:
    """Runs the cells that were not run before.

    A cell that fails is told, and the others are run.

    Raises:
        KeyboardInterrupt: It was stopped; what was run is kept.
        ValueError: The plan does not fit, or ``only`` names nothing.
        OSError: A file is missing.
    """
    wanted = {id(cell) for cell in chosen(planned, only)}
    results: list[dict[str, Any]] = []
    failed: list[str] = []
    broken: set[tuple[str, str]] = set()
    with locked(table.out, say) as lock:
        for number, cell in enumerate(planned, 1):
            name = f"{cell.corpus}/{cell.name}"
            before = table.result(cell)
            if before is not None:
                results.append(before)
            elif id(cell) in wanted:
                say(f"{name}, {number} of {len(planned)}")
                if any((cell.corpus, need) in broken for need in cell.needs):
                    say("  passed over: what it starts from failed")
                else:
                    try:
                        results.append(table.run(cell, lock, say))
                        continue
                    except StepError as error:
                        say(f"  failed: {error}")
                failed.append(name)
                broken.add((cell.corpus, cell.row))
    return Filled(results, len(planned), failed)

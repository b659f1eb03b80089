"""``clinsynth reproduce``: the paper's table, each cell run once."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from jsonargparse.typing import PositiveInt, register_type

from clinsynth.cli.run import run
from clinsynth.reproducing import results
from clinsynth.reproducing.cell import Table
from clinsynth.reproducing.filling import chosen, fill
from clinsynth.reproducing.output import draw, write_output, write_pages
from clinsynth.reproducing.plan import CorpusPlan, Row, Settings, cells
from clinsynth.reproducing.steps import Offered, unmet
from clinsynth.runs.exits import INCOMPLETE, INTERRUPTED

# jsonargparse would look for the classes that they name
register_type(
    Settings,
    serializer=lambda settings: settings.values,
    deserializer=lambda value: value if isinstance(value, Settings) else Settings(value),
    type_check=lambda value, _: isinstance(value, Settings),
)


def reproduce(
    corpora: dict[str, CorpusPlan],
    rows: dict[str, Row],
    out: Path = Path("runs/reproduce"),
    seeds: list[int] = [0],  # noqa: B006
    only: list[str] = [],  # noqa: B006
    recorded: Path | None = None,
    llm: Settings | None = None,
    gliner: str | None = None,
    record: Path | None = None,
    pages: list[Path] = [],  # noqa: B006
    at_once: PositiveInt = 1,
    dry_run: bool = False,
) -> None:
    """Fills the paper's table: trains and tests what was not run before, and writes tables and curves.

    A cell of the table is run once: its folder is named after the hash of its config, its data and the code.
    Stopped work goes on with the same command. The exit code is 0 if every cell has a result, 3 if one has
    failed, 130 after Ctrl-C.

    Args:
        corpora: The corpora by name; configs/reproduce/paper.yaml has the paper's.
        rows: The ways to a model by name.
        out: Folder of cells, tables and curves.
        seeds: Random seeds; each has its cells.
        only: Corpora, rows or CORPUS/ROW to run, with what they start from; everything if not given.
        recorded: Folder of recorded answers of a language model: NAME/plan.jsonl and replies.jsonl.
        llm: Options of ZeroShot for a language model that is asked where nothing is recorded, e.g.
            {llm: NAME, allow_real_text: true}.
        gliner: Folder or hub id of a GLiNER model.
        record: File of results that those of this run are added to; docs/figures/reproduce.json is the one of
            the documentation.
        pages: Markdown pages whose tables are written anew from that file.
        at_once: Cells that are run at the same time. They share the cores: two trainings with a core each
            get on faster than one with two.
        dry_run: Whether no cell is run: they are listed, and pages are written from the file of results.
    """
    offered = Offered(recorded, llm, gliner)
    absent = {
        (corpus, name): reason
        for name, row in rows.items()
        for corpus, plan in corpora.items()
        if name in plan.rows and (reason := unmet(plan, row, offered))
    }
    for (corpus, name), reason in absent.items():
        _say(f"{corpus}/{name}: not run: {reason}")
    planned = [cell for cell in cells(corpora, rows, seeds) if (cell.corpus, cell.row) not in absent]
    table = Table(corpora, rows, out, offered)
    if dry_run:
        for cell in chosen(planned, only):
            state = "to be run" if table.result(cell) is None else "there already"
            _say(f"{cell.corpus}/{cell.name}: {state}")
        if record is not None:
            write_pages(pages, results.read(record), corpora, rows)
        return
    try:
        filled = fill(table, planned, only, _say, at_once)
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    whole, partial = results.whole(filled.results, planned)
    for missing in partial:
        _say(f"left out of the table: {missing}")
    lines = results.lines(whole, corpora, rows, table.schema)
    write_output(out, lines, corpora, rows)
    _say(f"{len(filled.results)} of {filled.planned} cells have a result. Tables and curves are in {out}")
    if record is not None:
        lines = results.joined(results.read(record) if record.exists() else [], lines)
        results.write(record, lines)
        draw(record.parent, lines, corpora, rows)
    write_pages(pages, lines, corpora, rows)
    if filled.failed:
        sys.exit(INCOMPLETE)


def _say(text: str) -> None:
    print(text, flush=True)


def main(arguments: Sequence[str]) -> None:
    """Runs the command."""
    logging.getLogger("clinsynth").setLevel(logging.WARNING)
    run(reproduce, arguments, "clinsynth reproduce", positional=False)

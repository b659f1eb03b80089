"""Files of a table: Markdown, CSV, curves, and the pages that show them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from clinsynth.reproducing import results, tables
from clinsynth.reproducing.pages import fill
from clinsynth.reproducing.plan import CorpusPlan, Row
from clinsynth.reproducing.results import Line

MARKDOWN, CSV, RECORD = "table.md", "table.csv", "results.json"
LIBRARY = "matplotlib"


def all_tables(
    found: Sequence[Line], corpora: Mapping[str, CorpusPlan], rows: Mapping[str, Row]
) -> dict[str, str]:
    """Tables in Markdown by the names that pages call them by."""
    return {
        "reproduce": tables.scores_table(found, corpora, rows, short=True),
        "reproduce in full": tables.scores_table(found, corpora, rows),
        "reproduce cost": tables.cost_table(found, corpora, rows),
        "reproduce overlap": tables.overlap_table(found, corpora, rows),
        "reproduce curves": curves(found, corpora, rows),
        "reproduce commands": commands(found, corpora),
    }


def curves(found: Sequence[Line], corpora: Mapping[str, CorpusPlan], rows: Mapping[str, Row]) -> str:
    """The learning curves as images beside the file of results, in Markdown."""
    shown = [
        f"![{plan.title}: {', '.join(drawn)}; score over the sentences learned from](figures/{corpus}.svg)"
        for corpus, plan in corpora.items()
        if (drawn := results.curves_of(found, corpus, plan, rows))
    ]
    return "\n\n".join(shown) or tables.NOT_RUN


def commands(found: Iterable[Line], corpora: Mapping[str, CorpusPlan]) -> str:
    """What was typed for each row, as a block of a console."""
    parts = [
        "\n".join([f"# {corpora[line.corpus].title}: {line.title}", *line.commands])
        for line in found
        if line.corpus in corpora
    ]
    return "```console\n{}\n```".format("\n\n".join(parts))


def write_output(
    out: Path, found: Sequence[Line], corpora: Mapping[str, CorpusPlan], rows: Mapping[str, Row]
) -> list[Path]:
    """Writes tables and, where the plotting library is installed, curves; returns the files."""
    results.write(out / RECORD, found)
    made = all_tables(found, corpora, rows)
    sections = {
        "Scores": "reproduce in full",
        "What was learned, and what of it overlaps the scored part": "reproduce overlap",
        "Cost": "reproduce cost",
        "Commands": "reproduce commands",
    }
    page = "\n\n".join(f"## {title}\n\n{made[name]}" for title, name in sections.items())
    (out / MARKDOWN).write_text(page + "\n", encoding="utf-8")
    (out / CSV).write_text(tables.csv_table(found), encoding="utf-8")
    return [out / RECORD, out / MARKDOWN, out / CSV, *draw(out / "figures", found, corpora, rows)]


def draw(
    folder: Path, found: Sequence[Line], corpora: Mapping[str, CorpusPlan], rows: Mapping[str, Row]
) -> list[Path]:
    """Writes the curves as SVG; none where the plotting library is not installed."""
    if importlib.util.find_spec(LIBRARY) is None:
        return []
    from clinsynth.reproducing.curves import draw_curves  # imports the library

    return draw_curves(folder, found, corpora, rows)


def write_pages(
    pages: Iterable[Path], found: Sequence[Line], corpora: Mapping[str, CorpusPlan], rows: Mapping[str, Row]
) -> None:
    """Writes the tables of Markdown pages anew."""
    made = all_tables(found, corpora, rows)
    for path in pages:
        path.write_text(fill(path.read_text(encoding="utf-8"), made), encoding="utf-8")

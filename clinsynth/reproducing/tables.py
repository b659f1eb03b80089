"""Results as tables: Markdown for people, CSV for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from clinsynth.reproducing.plan import CorpusPlan, Row
from clinsynth.reproducing.results import Line, Place, titled
from clinsynth.reproducing.scoring import Measured

NOT_RUN = "not run"
NONE = "-"
ALWAYS = "nothing, always related"


def places(corpora: Mapping[str, CorpusPlan], rows: Mapping[str, Row]) -> Iterator[tuple[str, int | None]]:
    """Rows with their sizes, in the order of the table: those that any corpus has."""
    for name in rows:
        sizes: dict[int | None, None] = {}
        for plan in corpora.values():
            planned = plan.rows.get(name)
            if planned is not None:
                sizes |= dict.fromkeys([None] if isinstance(planned, int) else planned)
        yield from ((name, size) for size in sorted(sizes, key=lambda size: size or 0))


def scores_table(
    found: Sequence[Line], corpora: Mapping[str, CorpusPlan], rows: Mapping[str, Row], short: bool = False
) -> str:
    """The paper's table in Markdown.

    Args:
        found: What was measured.
        corpora: The columns.
        rows: The rows.
        short: Whether each corpus has one column, and rows with sizes are left out.
    """
    at: dict[Place, Line] = {line.place: line for line in found}
    columns = [
        (corpus, plan, title, score)
        for corpus, plan in corpora.items()
        for title, score in list(plan.scores.items())[: 1 if short else None]
    ]
    head = ["trained on", *(f"{plan.title}, {title}" for _, plan, title, _ in columns)]
    body = []
    always = {line.corpus: line.always for line in found if line.always}
    if always:
        values = [always.get(corpus, {}).get(score) for corpus, _, _, score in columns]
        body.append([ALWAYS, *(NONE if value is None else f"{value:.3f}" for value in values)])
    for name, size in places(corpora, rows):
        if short and size is not None:
            continue
        cells = [_score(at.get((corpus, name, size)), score, short) for corpus, _, _, score in columns]
        body.append([titled(rows[name], size), *cells])
    return _markdown(head, body)


def overlap_table(found: Sequence[Line], corpora: Mapping[str, CorpusPlan], rows: Mapping[str, Row]) -> str:
    """What each row learned from and how much of it repeats what is scored, in Markdown."""
    return _for_each(
        found,
        corpora,
        rows,
        ["documents", "sentences", "texts that overlap the scored part", "seeds", "code", "measured on"],
        lambda line: [
            str(line.learned["documents"]) if line.learned else NONE,
            str(line.learned["sentences"]) if line.learned else NONE,
            f"{line.overlap['overlapping']} of {line.overlap['texts']}" if line.overlap else NONE,
            ", ".join(map(str, line.seeds)),
            line.code,
            line.date,
        ],
    )


def cost_table(found: Sequence[Line], corpora: Mapping[str, CorpusPlan], rows: Mapping[str, Row]) -> str:
    """From tokens and money to milliseconds a document, in Markdown."""

    def cost(line: Line) -> list[str]:
        plan = corpora[line.corpus]
        card = _card(plan) if rows[line.row].pays else {}
        title, score = next(iter(plan.scores.items()))
        return [
            _told(card.get("tokens"), "not recorded") if card else NONE,
            _told(card.get("cost_usd"), "not recorded") if card else NONE,
            str(line.learned["documents"]) if line.learned else NONE,
            f"{title} {line.scores[score].mean:.3f}",
            NONE if line.minutes is None else f"{line.minutes:.1f}",
            f"{line.ms_per_document:.1f}",
        ]

    head = ["tokens", "US dollars", "texts", "score", "minutes of training", "ms a document"]
    return _for_each([line for line in found if line.ms_per_document is not None], corpora, rows, head, cost)


def _for_each(
    found: Sequence[Line],
    corpora: Mapping[str, CorpusPlan],
    rows: Mapping[str, Row],
    head: Sequence[str],
    cells: Callable[[Line], list[str]],
) -> str:
    at = {line.place: line for line in found}
    body = [
        [plan.title, line.title, *cells(line)]
        for corpus, plan in corpora.items()
        for name, size in places(corpora, rows)
        if (line := at.get((corpus, name, size)))
    ]
    return _markdown(["corpus", "trained on", *head], body)


def csv_table(found: Sequence[Line]) -> str:
    """A line for each score of each row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = ("corpus", "row", "size", "trained_on", "score", "mean", "low", "high", "seeds_sd", "folds_sd")
    more = (
        "seeds",
        "documents_scored",
        "documents",
        "sentences",
        "overlapping",
        "minutes",
        "ms_per_document",
    )
    writer.writerow((*head, *more, "code", "date"))
    for line in found:
        learned, overlap = line.learned or {}, line.overlap or {}
        for name, score in line.scores.items():
            amounts = (learned.get("documents"), learned.get("sentences"), overlap.get("overlapping"))
            measured = (score.mean, score.low, score.high, score.seeds_sd, score.folds_sd)
            seeds = " ".join(map(str, line.seeds))
            first = (*line.place, line.title, name, *measured, seeds, line.documents, *amounts)
            writer.writerow((*first, line.minutes, line.ms_per_document, line.code, line.date))
    return out.getvalue()


def _score(line: Line | None, name: str, short: bool) -> str:
    score = line.scores.get(name) if line else None
    if score is None:
        return NOT_RUN
    deviation = _deviation(score)
    return f"{score.mean:.3f}{'' if short else deviation}{_interval(score)}"


def _deviation(score: Measured) -> str:
    parts = [(score.seeds_sd, "seeds"), (score.folds_sd, "folds")]
    return "".join(f" sd {value:.3f} {over}" for value, over in parts if value is not None)


def _interval(score: Measured) -> str:
    if score.low is None or score.high is None:
        return ""
    return f" ({score.low:.2f} to {score.high:.2f})"


def _card(plan: CorpusPlan) -> dict[str, Any]:
    """The card beside written text; nothing where it has none."""
    if plan.written is None or not (path := Path(plan.written).with_name("card.json")).is_file():
        return {}
    card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return card


def _told(value: Any, otherwise: str) -> str:
    if value is None:
        return otherwise
    if isinstance(value, Mapping):
        return ", ".join(f"{number} {name}" for name, number in value.items())
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

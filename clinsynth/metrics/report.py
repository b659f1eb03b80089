"""A table of scores for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from clinsynth.metrics.scores import Result, Score

COLUMNS = ("precision", "recall", "f1")


TITLES = {"strict_": "exact offsets and label (strict)", "relaxed_": "overlap and label (relaxed)"}
OTHERS = {
    "macro_f1": "macro F1",
    "accuracy": "accuracy",
    "mcc": "Matthews correlation",
    "auc": "area under the ROC curve",
}
VIEWS = {"pair": "related, any label", "within": "inside a sentence", "across": "across sentences"}


def table(result: Result) -> RenderableType:
    """Precision, recall and F1 with their intervals, a row each for the averages, the labels and views."""
    entities = "strict_f1" in result.scores
    kinds = ("strict_", "relaxed_") if entities else ("",)
    parts: list[RenderableType] = []
    for kind in kinds:
        title = TITLES.get(kind, "relations between things" if result.views else "relations")
        grid = Table(title=title, title_justify="left", box=None, pad_edge=False)
        grid.add_column("")
        for column in (*COLUMNS, "gold"):
            grid.add_column(column, justify="right")
        for name, cells, support in _rows(result, kind):
            grid.add_row(name, *(_cell(score) for score in cells), support)
        if result.always:
            grid.add_row("always related", *(f"{result.always[column]:.4f}" for column in COLUMNS), "")
        parts.append(grid)
    if result.always:
        grid = Table("", "", "always related", box=None, pad_edge=False)
        for name, words in OTHERS.items():
            grid.add_row(words, _cell(result.scores[name]), f"{result.always[name]:.4f}")
        parts.append(grid)
    interval = "in brackets: 95 % bootstrap interval over documents"
    few = "too few for an interval"
    parts.append(Text(f"{result.documents} documents; {interval if result.documents > 1 else few}"))
    return Group(*parts)


def _rows(result: Result, kind: str) -> Iterator[tuple[str, list[Score], str]]:
    total = str(sum(result.support.values()))
    yield "all (micro)", [result.scores[kind + c] for c in COLUMNS], total
    if kind and len(result.support) > 1:
        yield "all (macro)", [result.scores[f"{kind}macro_{c}"] for c in COLUMNS], total
    for label, support in result.support.items():
        yield label, [result.scores[f"{kind}{c}/{label}"] for c in COLUMNS], str(support)
    for view, support in result.views.items():
        if view != "pair" or len(result.support) > 1:
            yield VIEWS[view], [result.scores[f"{view}_{c}"] for c in COLUMNS], str(support)


def _cell(score: Score) -> str:
    if score.low is None or score.high is None:
        return f"{score.value:.4f}"
    low, high = (f"{bound:.2f}".removeprefix("0") for bound in (score.low, score.high))
    return f"{score.value:.4f} ({low}\N{EN DASH}{high})"

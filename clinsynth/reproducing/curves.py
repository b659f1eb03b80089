"""Learning curves as SVG: scores over the number of sentences."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from clinsynth.reproducing.plan import CorpusPlan, Row
from clinsynth.reproducing.results import Line, curves_of

# colours of Okabe and Ito 2008, which people who confuse red and green can tell apart
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
GREY = "#767676"  # stands out from white and from near-black alike
# no date and no random names inside, so that the same figures give the same file
STYLE: Any = {
    "svg.hashsalt": "clinsynth",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "text.color": GREY,
    "axes.labelcolor": GREY,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.labelcolor": GREY,
}


def draw_curves(
    folder: Path, found: Sequence[Line], corpora: Mapping[str, CorpusPlan], rows: Mapping[str, Row]
) -> list[Path]:
    """A file for each corpus with a curve of two points or more: ``CORPUS.svg``."""
    paths = []
    names = dict.fromkeys(row.curve for row in rows.values() if row.curve)
    colours = dict(zip(names, itertools.cycle(COLOURS), strict=False))  # the same for all corpora
    for corpus, plan in corpora.items():
        title, score = next(iter(plan.scores.items()))
        curves = curves_of(found, corpus, plan, rows)
        if curves:
            folder.mkdir(parents=True, exist_ok=True)
            paths.append(folder / f"{corpus}.svg")
            _draw(
                paths[-1],
                plan,
                title,
                score,
                {name: curves[name] for name in names if name in curves},
                colours,
            )
    return paths


def _draw(
    path: Path,
    plan: CorpusPlan,
    title: str,
    score: str,
    curves: Mapping[str, Sequence[Line]],
    colours: Mapping[str, str],
) -> None:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.subplots()
        for name, lines in curves.items():
            points = sorted(lines, key=_sentences)
            x = [_sentences(line) for line in points]
            scores = [line.scores[score] for line in points]
            mean = [one.mean for one in scores]
            below = [one.mean if one.low is None else one.low for one in scores]
            above = [one.mean if one.high is None else one.high for one in scores]
            axes.plot(x, mean, marker="o", color=colours[name], label=name)
            axes.fill_between(x, below, above, color=colours[name], alpha=0.15, linewidth=0)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel("sentences learned from (logarithmic)")
        axes.set_ylabel(title)
        axes.set_title(f"{plan.title}, {plan.scored_on}", color=GREY, fontsize="medium")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None})


def _sentences(line: Line) -> int:
    return line.learned["sentences"] if line.learned else 0

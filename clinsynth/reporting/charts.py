"""The charts of a page, each with a sentence that says what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clinsynth.metrics.confidence import Bin, Threshold
from clinsynth.reporting.run_folder import Curves
from clinsynth.reporting.svg import COLOURS, STYLE, colour, inline, plain

WIDTH, HEIGHT = 5.0, 3.1  # inches; as wide as a phone, so that text is not scaled down there
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)))
ROW = 0.3  # inches that a row of a dot chart takes
Chart = tuple[str, Markup]  # a caption and a picture
Interval = tuple[float, float | None, float | None]


@contextmanager
def _drawn(width: float = WIDTH, height: float = HEIGHT) -> Iterator[tuple[Figure, Axes]]:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.subplots()


def interval(score: Mapping[str, float | None]) -> Interval:
    """A score of ``Score.to_json`` as value and bounds."""
    value = score["value"]
    assert value is not None
    return value, score["low"], score["high"]


def learning(name: str, curves: Curves) -> Iterator[Chart]:
    """Training loss by step, and the validation score by step."""
    if curves.losses or curves.epochs:
        with _drawn() as (figure, axes):
            axes.plot(list(curves.losses), list(curves.losses.values()), color=COLOURS["s1"], lw=1)
            if curves.epochs:
                axes.plot(
                    list(curves.epochs),
                    list(curves.epochs.values()),
                    color=COLOURS["s2"],
                    marker="o",
                    label="mean of the epoch",
                )
                axes.legend()
            axes.set(xlabel="optimizer step", ylabel="training loss", ylim=(0, None))
            values = list((curves.epochs or curves.losses).values())
            says = f"Training loss by step: from {values[0]:.3f} to {values[-1]:.3f}."
            yield "Training loss", inline(figure, f"{name}-loss", says)
    if curves.scores:
        with _drawn() as (figure, axes):
            steps, scores = list(curves.scores), list(curves.scores.values())
            axes.plot(steps, scores, color=COLOURS["s3"], marker="o")
            best = int(np.argmax(scores))
            axes.plot(steps[best], scores[best], "o", ms=11, mfc="none", color=COLOURS["ink"])
            axes.set(xlabel="optimizer step", ylabel=curves.score.replace("_", " "))
            says = f"{curves.score} by step: {scores[best]:.4f} at best, at step {steps[best]}."
            caption = "Validation score that picks the checkpoint; the ring is the best one"
            yield caption, inline(figure, f"{name}-val", says)


def intervals(name: str, what: str, rows: Mapping[str, Sequence[Interval]], series: Sequence[str]) -> Markup:
    """A dot and its 95 % interval for each row and series, from 0 to 1.

    Args:
        name: What the chart's ids begin with.
        what: What the figures are.
        rows: For each row a value and its bounds for each series.
        series: Their names.
    """
    spread = 0.22 if len(series) > 1 else 0.0
    with _drawn(height=0.95 + ROW * len(rows) * max(1.0, len(series) / 2)) as (figure, axes):
        for j, label in enumerate(series):
            for i, cells in enumerate(rows.values()):
                value, low, high = cells[j]
                y = i + spread * (j - (len(series) - 1) / 2)
                if low is not None and high is not None:
                    axes.plot([low, high], [y, y], color=colour(j), lw=2)
                axes.plot(
                    value,
                    y,
                    MARKERS[j % len(MARKERS)],
                    color=colour(j),
                    label=plain(label) if i == 0 else None,
                )
        axes.set_yticks(range(len(rows)), [plain(row) for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set(xlim=(0, 1), xlabel=what)
        axes.grid(axis="y", visible=False)
        if len(series) > 1:
            figure.legend(loc="outside upper left", ncols=2)
        told = "; ".join(
            f"{row}: " + ", ".join(f"{label} {c[0]:.3f}" for label, c in zip(series, cells, strict=True))
            for row, cells in rows.items()
        )
        return inline(figure, name, f"{what} with 95 % intervals. {told}.")


def reliability(name: str, bins: Sequence[Bin]) -> Markup:
    """The share that is right against confidence, with its interval."""
    with _drawn() as (figure, axes):
        axes.plot([0, 1], [0, 1], color=COLOURS["soft"], ls="--", lw=1, label="confidence is right")
        x, y = [b.confidence for b in bins], [b.right for b in bins]
        low = [max(0.0, b.right - b.interval[0]) for b in bins]
        high = [max(0.0, b.interval[1] - b.right) for b in bins]
        axes.errorbar(
            x, y, yerr=[low, high], color=COLOURS["s1"], marker="o", capsize=3, lw=1.5, label="as found"
        )
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="confidence", ylabel="share that is right")
        axes.legend(loc="upper left")
        told = ", ".join(f"{b.confidence:.2f}: {b.right:.2f} of {b.found}" for b in bins)
        return inline(figure, name, f"Share that is right by mean confidence. {told}.")


def thresholds(name: str, found: Sequence[Threshold]) -> Markup:
    """Precision, recall and F1 by threshold."""
    with _drawn() as (figure, axes):
        x = [each.threshold for each in found]
        for i, what in enumerate(("precision", "recall", "f1")):
            values = [getattr(each, what) for each in found]
            axes.plot(x, values, color=colour(i), ls=LINES[i], label=what.replace("f1", "F1"))
        axes.set(xlim=(min(0.5, *x), 1), ylim=(0, 1.02), xlabel="least confidence that is kept")
        axes.legend(loc="lower left")
        best = max(found, key=lambda each: each.f1)
        says = (
            f"Precision, recall and F1 by threshold; F1 is largest, {best.f1:.3f}, at {best.threshold:.2f}."
        )
        return inline(figure, name, says)


def precision_recall(name: str, found: Sequence[Threshold]) -> Markup:
    """Precision against recall."""
    with _drawn() as (figure, axes):
        recall, precision = [each.recall for each in found], [each.precision for each in found]
        axes.plot(recall, precision, color=COLOURS["s1"])
        axes.plot(recall[0], precision[0], "o", color=COLOURS["s2"], label="all that is found")
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
        axes.legend(loc="lower left")
        says = f"Precision against recall; all that is found has {precision[0]:.3f} and {recall[0]:.3f}."
        return inline(figure, name, says)


def distributions(name: str, what: str, values: Mapping[str, Sequence[int]]) -> Markup:
    """How often which number occurs, as share of each corpus.

    Args:
        name: What the chart's ids begin with.
        what: What is counted.
        values: The numbers of each corpus, by its name.
    """
    present = {corpus: numbers for corpus, numbers in values.items() if len(numbers)}
    if not present:
        return Markup()
    every = np.concatenate([np.asarray(numbers) for numbers in present.values()])
    top = int(np.percentile(every, 99)) + 1
    width = -(-(top + 1) // 20)  # whole numbers, so that no bin has more of them than the next
    edges = np.arange(0, top + 1 + width, width) - 0.5
    with _drawn() as (figure, axes):
        for i, (corpus, numbers) in enumerate(present.items()):
            shares = np.full(len(numbers), 1 / len(numbers))
            axes.hist(
                np.minimum(numbers, top),
                bins=edges.tolist(),
                weights=shares,
                histtype="step",
                color=colour(i),
                ls=LINES[i],
                lw=2,
                label=plain(corpus),
            )
        axes.set(xlabel=what, ylabel="share", xlim=(-0.5, None))
        if len(present) > 1:
            figure.legend(loc="outside upper left", ncols=2)
        told = "; ".join(f"{corpus}: median {np.median(n):g}" for corpus, n in present.items())
        return inline(figure, name, f"{what}. {told}.")


def shares(name: str, what: str, values: Mapping[str, Mapping[str, float]]) -> Markup:
    """Bars of the share of each label in each corpus."""
    labels = sorted({label for found in values.values() for label in found})
    if not labels:
        return Markup()
    high = 0.8 / len(values)
    with _drawn(height=0.9 + ROW * len(labels) * max(1, len(values) * 0.7)) as (figure, axes):
        for i, (corpus, found) in enumerate(values.items()):
            at = np.arange(len(labels)) + high * (i - (len(values) - 1) / 2)
            axes.barh(
                at, [found.get(label, 0) for label in labels], high, color=colour(i), label=plain(corpus)
            )
        axes.set_yticks(range(len(labels)), [plain(label) for label in labels])
        axes.set(xlabel=what, ylim=(len(labels) - 0.5, -0.5))
        axes.grid(axis="y", visible=False)
        if len(values) > 1:
            figure.legend(loc="outside upper left", ncols=2)
        told = "; ".join(
            f"{corpus}: " + ", ".join(f"{label} {share:.0%}" for label, share in found.items())
            for corpus, found in values.items()
        )
        return inline(figure, name, f"{what}. {told}.")


def several(name: str, what: str, curves: Mapping[str, Mapping[int, float]]) -> Markup:
    """Lines of several runs over their steps."""
    with _drawn() as (figure, axes):
        for i, (run, values) in enumerate(curves.items()):
            axes.plot(
                list(values),
                list(values.values()),
                color=colour(i),
                ls=LINES[i % len(LINES)],
                marker=MARKERS[i % len(MARKERS)],
                label=plain(run),
            )
        axes.set(xlabel="optimizer step", ylabel=what)
        figure.legend(loc="outside upper left", ncols=2)
        told = "; ".join(f"{run} {max(values.values()):.4f} at best" for run, values in curves.items())
        return inline(figure, name, f"{what} by step. {told}.")

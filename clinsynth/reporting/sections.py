"""What templates show of an evaluation, a bundle and a corpus: rows of tables, and charts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from clinsynth.metrics.confidence import (
    Threshold,
    at,
    by_threshold,
    calibration,
    expected_calibration_error,
)
from clinsynth.metrics.errors import KINDS
from clinsynth.metrics.report import OTHERS, VIEWS
from clinsynth.reporting import charts, viewer
from clinsynth.reporting.corpus_folder import Corpus, Lengths, lengths
from clinsynth.reporting.evaluation import Evaluation

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
COLUMNS = ("precision", "recall", "f1")
TOP = 12  # words in a row
GROUPS = {
    "strict_": "Exact offsets and label (strict)",
    "relaxed_": "Overlap and label (relaxed)",
    "": "Relations",
}
# what a person can do about it, by the places where words are counted
ADVICE = {
    "too much before": "Found mentions begin with these words, marked ones do not. Say whether they belong.",
    "too much after": "Found mentions end with these words, marked ones do not. Say whether they belong.",
    "lacking before": "Marked mentions begin with these words, found ones do not. Say that they belong.",
    "lacking after": "Marked mentions end with these words, found ones do not. Say that they belong.",
    "missed": "Words of mentions that were not found: give such examples, or have text written with them.",
    "spurious": "Words that were found and are not marked: say that they are none, or mark them.",
    "wrong label": "Words that were taken for another label: say where the border between labels is.",
}


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Scores of one kind: for the averages and each label its three figures, and how many are in gold."""

    title: str
    rows: Sequence[tuple[str, Sequence[Mapping[str, Any]], int]]
    chart: Markup


@dataclass(frozen=True, slots=True)
class EvaluationSection:
    """All that a page shows of an evaluation.

    Attributes:
        tables: Scores of each kind.
        others: Other figures by name.
        confusion: Names of the classes, and rows of counts with their share of the row.
        thresholds: What some thresholds would leave.
        charts: Calibration and precision-recall.
        calibration_error: ECE, from 0 to 1; ``None`` where there are no confidences.
        kinds: Errors of each kind by label.
        words: Where, words with counts, and what to do about it.
        by_turns: Mentions with how often they were found and missed.
        shown: Documents to look at; none if text is not to be shown.
        left_out: Documents that are not shown because there are too many.
    """

    tables: Sequence[ScoreTable]
    others: Sequence[tuple[str, Mapping[str, Any]]]
    confusion: Sequence[tuple[str, Sequence[tuple[int, float]]]]
    thresholds: Sequence[Threshold]
    charts: Sequence[charts.Chart]
    calibration_error: float | None
    kinds: Sequence[tuple[str, Sequence[int]]]
    words: Sequence[tuple[str, str, str]]
    by_turns: str
    shown: Sequence[viewer.Shown]
    left_out: int


def evaluation_section(name: str, found: Evaluation, show_text: bool) -> EvaluationSection:
    """What a page shows of an evaluation.

    Args:
        name: What ids begin with.
        found: The evaluation.
        show_text: Whether text of documents is shown.
    """
    curve: list[Threshold] = []
    pictures: list[charts.Chart] = []
    error = None
    if found.pairs and found.judged.informative:
        curve, bins = by_threshold(found.judged), calibration(found.judged)
        error = expected_calibration_error(bins)
        pictures = [
            (
                "Calibration: share that is right by confidence, 95 % intervals",
                charts.reliability(f"{name}-reliability", bins),
            ),
            (
                "By threshold: precision, recall and F1 of what is kept",
                charts.thresholds(f"{name}-thresholds", curve),
            ),
            (
                "Precision against recall, from all that is found to the surest",
                charts.precision_recall(f"{name}-pr", curve),
            ),
        ]
    shown, left_out = (
        viewer.chosen(found.pairs, found.judged_relations if found.relations else ())
        if show_text
        else ([], 0)
    )
    entities = bool(found.pairs) and not found.relations
    scores = found.scores["scores"]
    return EvaluationSection(
        list(_score_tables(name, found)),
        [(OTHERS[key], scores[key]) for key in OTHERS if key in scores],
        list(_confusion(found)) if found.pairs else [],
        [at(curve, threshold) for threshold in THRESHOLDS if curve and threshold <= curve[-1].threshold],
        pictures,
        error,
        [(kind, [found.errors.kinds[kind, label] for label in found.labels]) for kind in KINDS]
        if entities
        else [],
        list(_words(found)) if entities else [],
        _by_turns(found, show_text) if entities else "",
        shown,
        left_out,
    )


def _score_tables(name: str, found: Evaluation) -> Iterator[ScoreTable]:
    scores = found.scores["scores"]
    support = found.scores["support"]
    total = sum(support.values())
    for kind in ("",) if found.relations else ("strict_", "relaxed_"):
        rows = [("all (micro)", [scores[kind + column] for column in COLUMNS], total)]
        if kind and len(support) > 1:
            rows.append(("all (macro)", [scores[f"{kind}macro_{column}"] for column in COLUMNS], total))
        rows += [
            (label, [scores[f"{kind}{column}/{label}"] for column in COLUMNS], n)
            for label, n in support.items()
        ]
        for view, n in found.scores.get("views", {}).items():
            if view != "pair" or len(support) > 1:
                rows.append((VIEWS[view], [scores[f"{view}_{column}"] for column in COLUMNS], n))
        title = GROUPS[kind]
        points = {row: [charts.interval(cells[2])] for row, cells, _ in rows}
        chart = charts.intervals(
            f"{name}-{kind or 'relations'}scores", f"F1, {title.lower()}", points, ["F1"]
        )
        yield ScoreTable(title, rows, chart)


def _confusion(found: Evaluation) -> Iterator[tuple[str, Sequence[tuple[int, float]]]]:
    matrix = found.confusion
    for label, row in zip(("none", *found.labels), matrix.tolist(), strict=True):
        total = sum(row)
        yield label, [(n, n / total if total else 0.0) for n in row]


def _words(found: Evaluation) -> Iterator[tuple[str, str, str]]:
    for where, advice in ADVICE.items():
        words = found.errors.words.get(where)
        if words:
            yield where, ", ".join(f"{word} {n}" for word, n in words.most_common(TOP)), advice


def _by_turns(found: Evaluation, show_text: bool) -> str:
    turns = sorted(found.errors.by_turns.items(), key=lambda item: (-min(item[1]), item[0]))
    names = [(name, n) for name, n in turns if show_text or len(name.split()) == 1]
    return ", ".join(f"{name} {n[0]}/{n[1]}" for name, n in names[:TOP])


DISTRIBUTIONS: Sequence[tuple[str, str, Callable[[Lengths], Sequence[int]]]] = (
    ("Length of documents", "words of a document", lambda found: found.words),
    ("Mentions of a document", "mentions of a document", lambda found: found.mentions),
    ("Length of mentions", "words of a mention", lambda found: found.mention_words),
)


@dataclass(frozen=True, slots=True)
class CorpusSection:
    """All that a page shows of a corpus.

    Attributes:
        columns: Names of the corpora that measures compare.
        measures: Name of each measure, and its value for each corpus.
        charts: Distributions.
    """

    columns: Sequence[str]
    measures: Sequence[tuple[str, Sequence[str]]]
    charts: Sequence[charts.Chart]


def corpus_section(name: str, corpus: Corpus) -> CorpusSection:
    """What a page shows of a corpus, beside the real one if there is one."""
    both = {"written": corpus.documents, **({"real": corpus.real_documents} if corpus.real else {})}
    found = {which: lengths(documents) for which, documents in both.items()}
    counted = [corpus.measures, *([corpus.measures_of_real] if corpus.real else [])]
    pictures = [
        (caption, charts.distributions(f"{name}-{i}", what, {w: values(n) for w, n in found.items()}))
        for i, (caption, what, values) in enumerate(DISTRIBUTIONS)
    ]
    labels = {label for each in found.values() for label in each.labels}
    if len(labels) > 1:
        shares = charts.shares(f"{name}-labels", "share of mentions", {w: n.labels for w, n in found.items()})
        pictures.append(("Labels of mentions", shares))
    return CorpusSection(list(both), list(_measures(counted)), [chart for chart in pictures if chart[1]])


def _measures(counted: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Sequence[str]]]:
    for key in ("documents", "sentences", "words"):
        yield key, [f"{each[key]:,}" for each in counted]
    for key, what in (("words_a_document", "words"), ("characters_a_document", "characters")):
        yield f"{what} of a document: median (least to most)", [_spread(each[key]) for each in counted]
    for key, what in (("mentions", "mentions"), ("distinct_mentions", "different mentions")):
        for label in sorted({label for each in counted for label in each[key]}):
            yield f"{what}: {label}", [f"{each[key].get(label, 0):,}" for each in counted]
    for label in sorted({label for each in counted for label in each["relations"]}):
        yield f"relations: {label}", [f"{each['relations'].get(label, 0):,}" for each in counted]
    yield "documents without mentions", [f"{each['documents_without_mentions']:,}" for each in counted]
    for n in (1, 2, 3):
        what = "words" if n == 1 else f"runs of {n} words"
        yield f"different {what}, share of all", [f"{each[f'distinct_{n}']:.3f}" for each in counted]


def _spread(quantiles: Sequence[float]) -> str:
    if not quantiles:
        return ""
    return f"{np.median(quantiles):g} ({quantiles[0]:g} to {quantiles[-1]:g})"

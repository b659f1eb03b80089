"""What was measured, a line for each row of each corpus: made of cells, kept in a file."""

from __future__ import annotations

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clinsynth.reproducing.plan import Cell, CorpusPlan, Row
from clinsynth.reproducing.scoring import Measured, figures, measured
from clinsynth_onnx.schema import Schema

Place = tuple[str, str, int | None]
"""Corpus, row and size."""


@dataclass(frozen=True)
class Line:
    """A row of a corpus as it was measured.

    Attributes:
        corpus: Name of the corpus in the plan.
        row: Name of the row.
        size: Number of documents, where the row has sizes.
        title: The row in words.
        seeds: The seeds.
        folds: The folds that were tested on.
        documents: How many were scored, over all folds.
        scores: By name.
        always: What always answering with a relation would score, where pairs are judged.
        learned: Documents, sentences, mentions and relations that were trained on, means over cells; nothing
            where nothing was trained.
        overlap: Different texts that were learned, and how many share eight words in a row, or most words of
            a sentence, with what is scored; of the cell with the most.
        minutes: Mean time of a training, start-up and validation included.
        ms_per_document: Mean time of a bundle for a document, in milliseconds.
        commands: What was typed for the first cell.
        code: First digits of the sha256 of the code that measured it.
        date: The day of the last cell.
    """

    corpus: str
    row: str
    size: int | None
    title: str
    seeds: list[int]
    folds: list[int]
    documents: int
    scores: dict[str, Measured]
    always: dict[str, float]
    learned: dict[str, int] | None
    overlap: dict[str, int] | None
    minutes: float | None
    ms_per_document: float | None
    commands: list[str]
    code: str
    date: str

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.corpus, self.row, self.size

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Line:
        """The line of plain values."""
        scores = {name: Measured(**score) for name, score in value["scores"].items()}
        return cls(**{**value, "scores": scores})


def whole(
    results: Iterable[Mapping[str, Any]], planned: Iterable[Cell]
) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Results of rows that have all their folds, and what is missing from the others, in words.

    A mean over some of the folds would stand in the table as one over all.

    Args:
        results: Results of cells.
        planned: All cells of the table.
    """
    wanted = Counter((cell.corpus, cell.row, cell.size, cell.seed) for cell in planned)
    found = list(results)
    there = Counter((*_place(result), result["seed"]) for result in found)
    partial = {place for place, n in there.items() if n < wanted[place]}
    told = [
        f"{corpus}, {row}{'' if size is None else f' of {size}'}, seed {seed}: "
        f"{there[corpus, row, size, seed]} of {wanted[corpus, row, size, seed]} folds have a result"
        for corpus, row, size, seed in sorted(partial, key=str)
    ]
    return [result for result in found if (*_place(result), result["seed"]) not in partial], told


def _place(result: Mapping[str, Any]) -> Place:
    return result["corpus"], result["row"], result["size"]


def lines(
    results: Iterable[Mapping[str, Any]],
    corpora: Mapping[str, CorpusPlan],
    rows: Mapping[str, Row],
    schema_of: Callable[[str], Schema],
) -> list[Line]:
    """Cells of the same row and size put together.

    Args:
        results: Results of cells.
        corpora: The corpora.
        rows: The rows.
        schema_of: What knows the task of a corpus.
    """
    grouped: dict[Place, list[Mapping[str, Any]]] = defaultdict(list)
    for result in results:
        grouped[_place(result)].append(result)
    return [
        _line(place, cells, corpora[place[0]], rows[place[1]], schema_of(place[0]))
        for place, cells in grouped.items()
    ]


def _line(
    place: Place, cells: Sequence[Mapping[str, Any]], plan: CorpusPlan, row: Row, schema: Schema
) -> Line:
    tests = {
        (cell["seed"], test["fold"]): np.array(test["counts"], dtype=np.int64)
        for cell in cells
        for test in cell["tests"]
    }
    kind = cells[0]["tests"][0]["kind"]
    always = [test["always"] for cell in cells for test in cell["tests"]]
    folds = list(dict.fromkeys(fold for _, fold in tests))
    first = min(seed for seed, _ in tests)
    learned = [cell["learned"] for cell in cells if cell["learned"]]
    overlaps = [cell["overlap"] for cell in cells if cell["overlap"]]
    corpus, name, size = place
    return Line(
        corpus=corpus,
        row=name,
        size=size,
        title=titled(row, size),
        seeds=sorted({seed for seed, _ in tests}),
        folds=[fold for fold in folds if fold is not None],
        documents=sum(len(table) for (seed, _), table in tests.items() if seed == first),
        scores=measured(tests, figures(schema, kind), list(plan.scores.values())),
        always={
            score: statistics.fmean(one[score] for one in always)
            for score in plan.scores.values()
            if all(score in one for one in always)
        },
        learned={name: round(statistics.fmean(one[name] for one in learned)) for name in learned[0]}
        if learned
        else None,
        overlap=max(overlaps, key=lambda one: int(one["overlapping"])) if overlaps else None,
        minutes=_mean(cell["minutes"] for cell in cells),
        ms_per_document=_mean(cell["ms_per_document"] for cell in cells),
        commands=list(cells[0]["commands"]),
        code=str(cells[-1]["code"]),
        date=max(str(cell["date"]) for cell in cells),
    )


def titled(row: Row, size: int | None) -> str:
    """A row in words."""
    return row.title.replace("$size", str(size))


def curves_of(
    found: Iterable[Line], corpus: str, plan: CorpusPlan, rows: Mapping[str, Row]
) -> dict[str, list[Line]]:
    """The learning curves of a corpus that have two points or more, by name."""
    score = next(iter(plan.scores.values()))
    curves: dict[str, list[Line]] = defaultdict(list)
    for line in found:
        row = rows.get(line.row)
        if line.corpus == corpus and row and row.curve and line.learned and score in line.scores:
            curves[row.curve].append(line)
    return {name: lines for name, lines in curves.items() if len(lines) > 1}


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def joined(earlier: Iterable[Line], new: Iterable[Line]) -> list[Line]:
    """All lines; of two for the same place the new one."""
    return list(({line.place: line for line in earlier} | {line.place: line for line in new}).values())


def read(path: Path) -> list[Line]:
    """The lines of a file. Raises ``ValueError`` if it is no file of results."""
    try:
        return [Line.from_json(value) for value in json.loads(path.read_text(encoding="utf-8"))["lines"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is no file of results ({error}). Remedy: clinsynth reproduce writes one"
        ) from error


def write(path: Path, found: Iterable[Line]) -> None:
    """Keeps lines in a file, in the order of their places."""
    ordered = sorted(found, key=lambda line: (line.corpus, line.row, line.size or 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(json.dumps({"lines": [asdict(line) for line in ordered]}, indent=1) + "\n", "utf-8")
    draft.replace(path)

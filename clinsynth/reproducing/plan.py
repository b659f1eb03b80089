"""What a table is made of: its corpora, its rows, and the cells where they meet."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import Template
from typing import Any, Literal

CELL = "$cell"  # the folder of a cell, which is named after all that can change its result, and so not before
ANNOTATED = f"{CELL}/annotated"  # the training part's text as a language model annotated it
RUN = "$run."  # a row's name follows: the run of that row's cell
REAL = ("$real", "$some")  # what depends on the fold, where a corpus has folds

Kind = Literal["trained", "asked", "gliner"]


class Settings:
    """Part of a config file of ``fit``, taken as it stands: its ``class_path`` is for that command to read.

    Attributes:
        values: Plain values.
    """

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.values = dict(values or {})


@dataclass(frozen=True)
class CorpusPlan:
    """A corpus of the table: what is scored, and how much training each row has.

    Args:
        title: Name that the table has for it.
        scored_on: The part that is scored, in words.
        scores: Names of the scores by the title of their column; the first stands in short tables and curves.
        task: Its task.yaml.
        real: Its data module, as a config names it: class_path, and init_args with the part to test on.
        written: Written text that its rows learn from: a corpus file with its card beside it.
        folds: Numbers of the folds, where it has any; scores are means over them.
        recorded: Folder of recorded answers of a language model to its texts, below ``--recorded``.
        annotated: The same of its training texts, which rows can learn from; asked with the same task file.
        rows: Epochs of training for each row, or epochs by number of documents; rows not named are not run.
    """

    title: str
    scored_on: str
    scores: dict[str, str]
    task: str
    real: Settings
    written: str | None = None
    folds: list[int] = field(default_factory=list)
    recorded: str | None = None
    annotated: str | None = None
    rows: dict[str, int | dict[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A way to a model, and how the table says it.

    In ``config`` and ``settings`` stand ``$corpus`` (its name), ``$epochs``, ``$size`` (documents),
    ``$seed``, ``$written`` (the file), ``$real`` (the data module), ``$some`` (the same with ``$size``
    training documents), ``$cell`` (folder of this cell), ``$cell/annotated`` (folder in it of the training
    texts with the annotations of a language model) and ``$run.ROW`` (run folder of the cell of another
    row, which has to stand above).

    Args:
        title: Words of the table; may name ``$size``.
        config: Config file of ``clinsynth fit`` that it starts from.
        settings: What differs from that config, as a config file says it.
        kind: Whether a model is trained, a language model is asked, or GLiNER reads.
        pays: Whether it learns from written text, so that what that cost counts.
        export: Whether a bundle is written, so that its speed can be measured.
        curve: Name of the curve that its sizes are points of.
    """

    title: str
    config: str = ""
    settings: Settings = field(default_factory=Settings)
    kind: Kind = "trained"
    pays: bool = False
    export: bool = False
    curve: str | None = None


@dataclass(frozen=True)
class Cell:
    """One training with its tests, or one that is asked with its tests.

    Attributes:
        corpus: Name of its corpus in the plan.
        row: Name of its row.
        size: Number of documents, where the row has sizes.
        seed: Random seed of all that is drawn.
        fold: Fold that it learns from, if that makes a difference.
        tests: Folds that it is tested on; one of ``None`` for a corpus without folds.
        config: Config file that it starts from.
        settings: What differs from it; ``$cell`` still stands for its folder.
        needs: Rows whose runs it starts from.
    """

    corpus: str
    row: str
    size: int | None
    seed: int
    fold: int | None
    tests: tuple[int | None, ...]
    config: str
    settings: Mapping[str, Any]
    needs: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name among the cells of its corpus."""
        parts = [self.row, self.size, None if self.fold is None else f"fold{self.fold}", f"seed{self.seed}"]
        return "-".join(str(part) for part in parts if part is not None)


def cells(corpora: Mapping[str, CorpusPlan], rows: Mapping[str, Row], seeds: Sequence[int]) -> Iterator[Cell]:
    """All cells of a table: row by row, so that what a row needs comes before it.

    Raises:
        ValueError: A corpus names a row that there is not, or a row one that does not stand above it.
    """
    for name, corpus in corpora.items():
        unknown = sorted(set(corpus.rows) - set(rows))
        if unknown:
            raise ValueError(f"corpus {name!r} has epochs for {unknown[0]!r}. The rows are {', '.join(rows)}")
    before: set[str] = set()
    for row_name, row in rows.items():
        needs = tuple(sorted(runs_named(row.settings.values)))
        missing = set(needs) - before
        if missing:
            raise ValueError(f"row {row_name!r} needs {min(missing)!r}. Remedy: put that row above it")
        for name, corpus in corpora.items():
            if row_name in corpus.rows:
                yield from _cells(name, corpus, row_name, row, seeds, needs)
        before.add(row_name)


def _cells(
    name: str, corpus: CorpusPlan, row_name: str, row: Row, seeds: Sequence[int], needs: tuple[str, ...]
) -> Iterator[Cell]:
    planned = corpus.rows[row_name]
    sizes: Mapping[int | None, int]
    sizes = {None: planned} if isinstance(planned, int) else dict(planned.items())
    folds: list[int | None] = [*corpus.folds] or [None]
    apart = bool(corpus.folds) and _mentions(row.settings.values, REAL)
    for seed in seeds if row.kind == "trained" else seeds[:1]:
        for fold in folds if apart else [None]:
            for size, epochs in sizes.items():
                real = at_fold(corpus.real, fold)
                some = _merged(real, {"init_args": {"few_shot": size, "seed": seed}} if size else {})
                values = {
                    "corpus": name,
                    "epochs": epochs,
                    "size": size,
                    "seed": seed,
                    "written": corpus.written,
                    "real": real,
                    "some": some,
                }
                yield Cell(
                    corpus=name,
                    row=row_name,
                    size=size,
                    seed=seed,
                    fold=fold,
                    tests=(fold,) if apart else tuple(folds),
                    config=str(filled(row.config, values)),
                    settings=filled(row.settings.values, values),
                    needs=needs,
                )


def at_fold(real: Settings, fold: int | None) -> dict[str, Any]:
    """A data module with one of its folds."""
    return _merged(real.values, {} if fold is None else {"init_args": {"fold": fold}})


def filled(value: Any, values: Mapping[str, Any]) -> Any:
    """A copy with names such as ``$epochs`` replaced: by any value where a text is nothing else."""
    if isinstance(value, Mapping):
        return {key: filled(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, values) for inner in value]
    if not isinstance(value, str):
        return value
    if value.startswith("$") and value[1:] in values:
        return copy.deepcopy(values[value[1:]])
    return Template(value).safe_substitute(values)


def texts(value: Any) -> Iterator[str]:
    """All texts in a nested value."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def runs_named(settings: Mapping[str, Any]) -> set[str]:
    """Rows whose runs settings start from."""
    return {text.removeprefix(RUN) for text in texts(settings) if text.startswith(RUN)}


def _mentions(settings: Mapping[str, Any], names: Sequence[str]) -> bool:
    return any(text in names for text in texts(settings))


def _merged(value: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(dict(value))
    for key, inner in more.items():
        merged[key] = _merged(merged.get(key, {}), inner) if isinstance(inner, Mapping) else inner
    return merged

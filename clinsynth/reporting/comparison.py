"""Several runs or bundles side by side: scores, differences, curves, and the settings that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clinsynth.metrics.scores import Score
from clinsynth.reporting import charts
from clinsynth.reporting.evaluation import Evaluation
from clinsynth.reporting.inputs import BundleInput
from clinsynth.reporting.run_folder import Run

NOT_SETTINGS = ("run", "best_checkpoint", "last_checkpoint", "task")  # places of files; the task is told


@dataclass(frozen=True, slots=True)
class Compared:
    """One of those that are compared.

    Attributes:
        name: The run or bundle.
        evaluation: What it scored; ``None`` if it was not tested.
        difference: How much higher it is than the first, on the same documents; else ``None``.
    """

    name: str
    evaluation: Evaluation | None
    difference: Score | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a page shows of several runs and bundles.

    Attributes:
        rows: Each of them.
        same_documents: Whether all that were tested were so on the same documents.
        charts: Scores and curves.
        settings: Settings that differ, with the value in each run.
        runs: Names of the runs whose settings are compared.
    """

    rows: Sequence[Compared]
    same_documents: bool
    charts: Sequence[charts.Chart]
    settings: Sequence[tuple[str, Sequence[str]]]
    runs: Sequence[str]


def comparison(inputs: Sequence[Run | BundleInput]) -> Comparison:
    """Compares the last tests, and the trainings of those that are runs."""
    names = distinct([each.name for each in inputs])
    evaluations = [each.evaluation for each in inputs]
    tested = [evaluation for evaluation in evaluations if evaluation is not None]
    first = tested[0] if tested else None
    rows = [
        Compared(name, found, first.difference(found) if first and found and found is not first else None)
        for name, found in zip(names, evaluations, strict=True)
    ]
    runs = {name: each for name, each in zip(names, inputs, strict=True) if isinstance(each, Run)}
    return Comparison(
        rows,
        len({found.record.get("sha256") or repr(found.record) for found in tested}) <= 1,
        list(_charts(rows, runs)),
        list(_settings(list(runs.values()))),
        list(runs),
    )


def distinct(names: Sequence[str]) -> list[str]:
    """Names, with a number behind those that came before."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result


def _charts(rows: Sequence[Compared], runs: Mapping[str, Run]) -> Iterator[charts.Chart]:
    tested = {row.name: row.evaluation for row in rows if row.evaluation is not None}
    kinds = {evaluation.relations for evaluation in tested.values()}
    if len(tested) > 1 and len(kinds) == 1:
        labels = list(dict.fromkeys(label for found in tested.values() for label in found.labels))
        absent: charts.Interval = (float("nan"), None, None)
        points = {
            row: [
                charts.interval(score) if (score := found.scores["scores"].get(found.main + part)) else absent
                for found in tested.values()
            ]
            for row, part in (("all (micro)", ""), *((label, f"/{label}") for label in labels))
        }
        caption = "F1 of all and of each label, with 95 % intervals"
        yield caption, charts.intervals("compared-scores", "F1", points, list(tested))
    curves = {name: run.curves.scores for name, run in runs.items() if run.curves.scores}
    if len(curves) > 1:
        yield "Validation score", charts.several("compared-curves", "validation score", curves)


def _settings(runs: Sequence[Run]) -> Iterator[tuple[str, Sequence[str]]]:
    flat = [dict(_flat(run.config)) for run in runs]
    for key in dict.fromkeys(key for each in flat for key in each):
        values = [str(each.get(key, "")) for each in flat]
        if len(set(values)) > 1:
            yield key, values


def _flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        name = f"{before}{key}"
        if name in NOT_SETTINGS:
            continue
        if isinstance(inner, Mapping) and inner:
            yield from _flat(inner, f"{name}.")
        else:
            yield name.replace("init_args.", ""), inner

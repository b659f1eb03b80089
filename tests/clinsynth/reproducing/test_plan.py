"""Rows and corpora make cells, and the shipped plan's cells are experiments that run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clinsynth.reproducing.plan import CorpusPlan, Row, Settings, cells, filled

TRAINER = {"trainer": {"max_epochs": "$epochs"}}


def corpus(**more: object) -> CorpusPlan:
    given = {"title": "Toy", "scored_on": "20 notes", "scores": {"F1": "f1"}, "task": "task.yaml", **more}
    return CorpusPlan(real=Settings({"class_path": "GAD", "init_args": {"root": "here"}}), **given)  # type: ignore[arg-type]


ROWS = {
    "written": Row("written text", "${corpus}.yaml", Settings(TRAINER)),
    "some": Row("$size documents", "real.yaml", Settings({**TRAINER, "data": "$some"})),
    "then": Row("both", "real.yaml", Settings({"data": "$real", "model": {"start": "$run.written"}})),
}


def test_a_cell_has_its_values_in_place() -> None:
    (first, *rest) = cells({"toy": corpus(rows={"written": 3, "some": {10: 4, 20: 2}})}, ROWS, [0, 7])
    assert (first.name, first.config, first.settings) == (
        "written-seed0",
        "toy.yaml",
        {"trainer": {"max_epochs": 3}},
    )
    assert [cell.name for cell in rest] == [
        "written-seed7",
        "some-10-seed0",
        "some-20-seed0",
        "some-10-seed7",
        "some-20-seed7",
    ]
    data = {"class_path": "GAD", "init_args": {"root": "here", "few_shot": 20, "seed": 7}}
    assert rest[-1].settings == {"trainer": {"max_epochs": 2}, "data": data}


def test_what_does_not_learn_from_a_fold_is_trained_once_and_tested_on_all() -> None:
    plan = corpus(folds=[1, 2], rows={"written": 3, "then": 1})
    written, *then = cells({"toy": plan}, ROWS, [0])
    assert (written.fold, written.tests) == (None, (1, 2))
    assert [(cell.name, cell.tests, cell.needs) for cell in then] == [
        ("then-fold1-seed0", (1,), ("written",)),
        ("then-fold2-seed0", (2,), ("written",)),
    ]
    assert then[1].settings["data"]["init_args"] == {"root": "here", "fold": 2}


def test_plans_that_cannot_be_run_are_refused() -> None:
    with pytest.raises(ValueError, match=r"epochs for 'writen'\. The rows are written"):
        list(cells({"toy": corpus(rows={"writen": 3})}, ROWS, [0]))
    with pytest.raises(ValueError, match=r"'then' needs 'written'\. Remedy: put that row above it"):
        list(
            cells({"toy": corpus(rows={"then": 3})}, {"then": ROWS["then"], "written": ROWS["written"]}, [0])
        )


def test_names_are_replaced_where_they_stand() -> None:
    values = {"size": 10, "corpus": "gad"}
    assert filled({"a": ["$size", "$size texts", "$cell/$corpus", 1, None]}, values) == {
        "a": [10, "10 texts", "$cell/gad", 1, None]
    }


def test_names_of_the_documentation_are_those_that_are_replaced() -> None:
    documented = set(re.findall(r"``\$(\w+)", Row.__doc__ or ""))
    plan = corpus(rows={"all": {5: 1}}, written="text")
    names = sorted(documented - {"cell", "run"})
    (cell,) = cells({"toy": plan}, {"all": Row("", "", Settings({name: f"${name}" for name in names}))}, [0])
    assert all(cell.settings[name] != f"${name}" for name in names)


def test_the_folder_of_the_repository_has_every_file_of_the_shipped_plan(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from clinsynth.cli import reproduce
    from tests.conftest import REPOSITORY

    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("CLINSYNTH_DATA", str(root))
    reproduce.main(["--config=configs/reproduce/paper.yaml", f"--out={tmp_path}", "--dry-run"])
    shown = capsys.readouterr().out
    assert "ncbi_disease/written-seed0: to be run" in shown and "euadr/real-fold10-seed0: to be run" in shown
    assert "ncbi_disease/asked: not run: no answers are recorded" in shown

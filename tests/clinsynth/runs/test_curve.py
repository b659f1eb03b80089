"""One file of metrics for a run, however often it was stopped."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from clinsynth.runs.curve import Curve


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.filterwarnings("error")
def test_a_run_that_goes_on_takes_the_steps_after_its_checkpoint_again(tmp_path: Path) -> None:
    first = Curve(tmp_path)
    for step in range(6):
        first.log_metrics({"train_loss": 1 / (step + 1), "epoch": step // 2}, step)
    first.log_metrics({"val_f1": 0.5, "epoch": 1}, 3)
    second = Curve(tmp_path, done=4)
    second.log_metrics({"train_loss": 9.0, "epoch": 2}, 4)
    (path,) = tmp_path.rglob("metrics.csv")
    found = rows(path)
    assert [row["step"] for row in found] == ["0", "1", "2", "3", "3", "4"]
    assert [row["train_loss"] for row in found if row["train_loss"]][-1] == "9.0"
    assert [row["val_f1"] for row in found if row["val_f1"]] == ["0.5"]


def test_a_run_that_begins_leaves_what_another_logged(tmp_path: Path) -> None:
    Curve(tmp_path).log_metrics({"train_loss": 1.0}, 0)
    Curve(tmp_path).log_metrics({"train_loss": 2.0}, 0)
    files = sorted(tmp_path.rglob("metrics.csv"))
    assert [rows(path)[0]["train_loss"] for path in files] == ["1.0", "2.0"]
    Curve(tmp_path / "new", done=3).log_metrics({"train_loss": 3.0}, 3)
    assert len(list((tmp_path / "new").rglob("metrics.csv"))) == 1


def test_a_row_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    Curve(tmp_path).log_metrics({"train_loss": 0.5, "epoch": 0}, 0)
    (path,) = tmp_path.rglob("metrics.csv")
    head, whole, *_ = path.read_text(encoding="utf-8").splitlines()
    path.write_text(f"{head}\n{whole}\n0\n1,2,3,4,5\n\0\0\n", encoding="utf-8")
    Curve(tmp_path, done=9).log_metrics({"train_loss": 0.25, "epoch": 1}, 9)
    assert [row["train_loss"] for row in rows(path)] == ["0.5", "0.25"]

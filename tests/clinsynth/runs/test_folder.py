"""Run folders are numbered, shared and found again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clinsynth.runs.folder import (
    SHARED,
    find_checkpoint,
    last_test,
    new_run,
    new_test,
    newest_checkpoint,
    run_of,
)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (SHARED, "SLURM_JOB_ID", "TORCHELASTIC_RUN_ID"):
        monkeypatch.delenv(name, raising=False)


def test_runs_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert new_run(tmp_path / "task") == tmp_path / "task" / "1"
    assert new_run(tmp_path / "other") == tmp_path / "task" / "1", "processes of one run share it"
    monkeypatch.delenv(SHARED)
    (tmp_path / "task" / "7").mkdir()
    (tmp_path / "task" / "notes").mkdir()
    assert new_run(tmp_path / "task") == tmp_path / "task" / "8"
    monkeypatch.delenv(SHARED)


def test_a_job_keeps_its_folder_when_it_is_requeued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    assert new_run(tmp_path) == new_run(tmp_path) == tmp_path / "slurm-42"


def test_torchrun_needs_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    with pytest.raises(ValueError, match=r"Remedy: name it with --run"):
        new_run(tmp_path)


def test_checkpoints_are_found(tmp_path: Path) -> None:
    for number, names in ((1, ("best", "last")), (2, ("last",)), (10, ())):
        (tmp_path / str(number) / "checkpoints").mkdir(parents=True)
        for name in names:
            (tmp_path / str(number) / "checkpoints" / f"{name}.ckpt").touch()
    assert find_checkpoint("last", tmp_path, None) == tmp_path / "2" / "checkpoints" / "last.ckpt"
    assert find_checkpoint("best", tmp_path, None) == tmp_path / "1" / "checkpoints" / "best.ckpt"
    assert run_of(find_checkpoint("best", tmp_path, None)) == tmp_path / "1"
    with pytest.raises(ValueError, match=r"no checkpoint 'best' in .*2\. Remedy: fit first"):
        find_checkpoint("best", tmp_path, tmp_path / "2")
    with pytest.raises(ValueError, match=r"no checkpoint x\.ckpt"):
        find_checkpoint("x.ckpt", tmp_path, None)
    (tmp_path / "moved.ckpt").touch()
    assert run_of(find_checkpoint(str(tmp_path / "moved.ckpt"), tmp_path, None)) is None


def test_a_folder_stands_for_its_best_checkpoint(tmp_path: Path) -> None:
    paths = []
    for age, task in enumerate(("drugs", "genes", "notes")):
        path = tmp_path / task / "1" / "checkpoints" / "best.ckpt"
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (1e9 - age, 1e9 - age))
        paths.append(path)
    assert newest_checkpoint("best", tmp_path) == paths[0], "of any task"
    for named in (tmp_path / "notes", tmp_path / "notes" / "1"):
        assert find_checkpoint(str(named), tmp_path, None) == paths[2]
    with pytest.raises(ValueError, match=r"no checkpoint 'last' in any run below .*Remedy: name one"):
        newest_checkpoint("last", tmp_path)


def test_each_test_has_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no results of a test .* Remedy: clinsynth test first"):
        last_test(tmp_path)
    assert [new_test(tmp_path).name for _ in range(11)][-2:] == ["test-10", "test-11"]
    (tmp_path / "test-of-mine").mkdir()
    assert last_test(tmp_path) == tmp_path / "test-11"


def test_the_run_of_a_job_is_a_run(tmp_path: Path) -> None:
    for age, name in enumerate(("slurm-4711", "2", "10", "notes")):
        path = tmp_path / name / "checkpoints" / "best.ckpt"
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (1e9 - age, 1e9 - age))
    assert find_checkpoint("best", tmp_path, None).parents[1].name == "slurm-4711", "it was written last"
    for name in ("2", "10"):
        os.utime(tmp_path / name / "checkpoints" / "best.ckpt", (2e9, 2e9))
    assert find_checkpoint("best", tmp_path, None).parents[1].name == "10", "of the same time"

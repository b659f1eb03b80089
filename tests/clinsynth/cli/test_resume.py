"""Interrupted runs end as if nothing had happened; two processes do what one does."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from clinsynth.cli.lightning import main
from clinsynth.runs.folder import CHECKPOINTS, last_test
from tests.clinsynth import toy
from tests.conftest import REPOSITORY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: str) -> Path:
    return toy.write(tmp_path_factory.mktemp("toy"), tiny_encoder)


def clinsynth(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'export'}",
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("CLINSYNTH_RUN", None)
    done = subprocess.run(
        [sys.executable, "-m", "clinsynth", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-4000:]
    return done


def here(folder: Path, *arguments: str) -> None:
    """The command in this process, which has imported torch already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("CLINSYNTH_RUN", raising=False)
        main(list(arguments))


def scores(folder: Path, kind: str, run: str, *more: str) -> dict[str, Any]:
    """What a run's best checkpoint scores; in a process of its own where it is to start others."""
    arguments = ("test", "--config", f"{kind}.yaml", "--run", run, "--ckpt_path", "best")
    if more:
        clinsynth(folder, *arguments, *more)
    else:
        here(folder, *arguments)
    metrics: dict[str, Any] = json.loads(
        (last_test(folder / run / CHECKPOINTS) / "metrics.json").read_text()
    )["scores"]
    return metrics


def losses(folder: Path, run: str) -> list[float]:
    """The training loss of each step, of all parts of a run, which are in one file."""
    (log,) = (folder / run / "logs").glob("version_*/metrics.csv")
    with log.open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["train_loss"]]
    assert [int(row["step"]) for row in rows] == list(range(len(rows)))
    return [float(row["train_loss"]) for row in rows]


@pytest.fixture(scope="module")
def uninterrupted(folder: Path) -> dict[str, Any]:
    here(folder, "fit", "--config", "ner.yaml", "--run", "whole")
    return scores(folder, "ner", "whole")


@pytest.mark.parametrize(
    ("name", "code", "every"), [("SIGKILL", -9, 3), ("SIGKILL", -9, 0), ("SIGINT", 1, 3)]
)
def test_an_interrupted_run_goes_on_to_the_same_end(
    folder: Path, uninterrupted: dict[str, Any], name: str, code: int, every: int
) -> None:
    """A checkpoint every 3 steps is inside an epoch; 0 stands for as many steps as an epoch has."""
    steps = len(losses(folder, "whole"))
    middle = steps // 2 + 5  # inside an epoch, and not where the last checkpoint is
    assert steps % 4 == 0 and middle % (steps // 4) > 3
    run = f"cut-{name}-{every}"
    arguments = ("fit", "--config", "ner.yaml", "--run", run)
    arguments += ("--last_checkpoint.every_n_train_steps", str(every or steps // 4))
    killer = [
        "--trainer.callbacks+=tests.clinsynth.killer.Signal",
        f"--trainer.callbacks.step={middle}",
        f"--trainer.callbacks.name={name}",
    ]
    done = clinsynth(folder, *arguments, *killer, code=code)
    if name != "SIGKILL":
        assert "--ckpt_path" in done.stdout + done.stderr, "the way on is told"
    here(folder, *arguments, "--ckpt_path", "last")
    assert scores(folder, "ner", run) == uninterrupted
    assert losses(folder, run) == losses(folder, "whole")
    end = torch.load(folder / run / "checkpoints" / "last.ckpt", weights_only=True)
    assert end["global_step"] == steps


@pytest.mark.slow
def test_ctrl_c_in_one_of_two_processes_stops_both_at_the_end_of_an_epoch(
    folder: Path, uninterrupted: dict[str, Any]
) -> None:
    end = len(losses(folder, "whole")) // 4
    killer = ["--trainer.callbacks+=tests.clinsynth.killer.Signal", f"--trainer.callbacks.step={end}"]
    killer += ["--trainer.callbacks.name=SIGINT", "--trainer.callbacks.rank=1"]
    two = ["--trainer.devices", "2", "--trainer.strategy", "ddp"]
    clinsynth(folder, "fit", "--config", "ner.yaml", "--run", "one-of-two", *two, *killer, code=1)
    last = torch.load(folder / "one-of-two" / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == end


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ner", "re"])
def test_two_processes_do_what_one_does(folder: Path, kind: str) -> None:
    exact = ["--model.encoder_options.dropout", "0"]  # masks differ between processes
    config = ("fit", "--config", f"{kind}.yaml", *exact)
    here(folder, *config, "--run", f"{kind}-one")
    two = ("--trainer.devices", "2", "--trainer.strategy", "ddp")
    clinsynth(folder, *config, "--run", f"{kind}-two", *two)
    alone, together = losses(folder, f"{kind}-one"), losses(folder, f"{kind}-two")
    assert together == pytest.approx(alone, rel=2e-3, abs=2e-4)
    best = scores(folder, kind, f"{kind}-one")
    assert scores(folder, kind, f"{kind}-one", *two) == best, "tested by two processes, to the last digit"
    predictions = last_test(folder / f"{kind}-one" / CHECKPOINTS) / "predictions.jsonl"
    assert len(predictions.read_text(encoding="utf-8").splitlines()) == 21

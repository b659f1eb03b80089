"""Run folders: where a run keeps its config, log, metrics and checkpoints, and how to find it again."""

from __future__ import annotations

import os
from pathlib import Path

BUNDLE = "bundle"  # what ``fit --export true`` writes into a run folder
CHECKPOINTS = "checkpoints"
NAMES = ("best", "last")
TEST = "test-"  # a number follows
SLURM = "slurm-"  # the number of the job follows
CONFIG, ENVIRONMENT, DATA, LOGS = "config.yaml", "environment.json", "data.json", "logs"
METRICS, GOLD, PREDICTIONS, ERRORS = "metrics.json", "gold.jsonl", "predictions.jsonl", "errors.jsonl"
SHARED = "CLINSYNTH_RUN"  # how the first process tells those it starts where the run is


def new_run(base: Path) -> Path:
    """A folder for a new run below ``base``: the next free number, or the cluster job's id.

    Processes that Lightning starts inherit it. Under SLURM it is named after the job, so that all
    tasks and every requeue of the job agree. Raises ``ValueError`` under ``torchrun``, whose
    processes cannot agree on a number.
    """
    if SHARED in os.environ:
        return Path(os.environ[SHARED])
    if "SLURM_JOB_ID" in os.environ:
        return base / f"{SLURM}{os.environ['SLURM_JOB_ID']}"
    if "TORCHELASTIC_RUN_ID" in os.environ:
        raise ValueError(
            "several processes need to agree on the run folder. Remedy: name it with --run FOLDER"
        )
    folder = _next(base, "")
    os.environ[SHARED] = str(folder)
    return folder


def new_test(beside: Path) -> Path:
    """A folder for the results of a test beside a checkpoint: ``test-1``, or the next number that is free."""
    return _next(beside, TEST)


def last_test(beside: Path) -> Path:
    """The folder of the last test beside a checkpoint.

    Raises:
        ValueError: There was none.
    """
    found = tests(beside)
    if not found:
        raise ValueError(f"there are no results of a test in {beside}. Remedy: clinsynth test first")
    return found[-1]


def tests(beside: Path) -> list[Path]:
    """The folders of all tests beside a checkpoint, from the first to the last."""
    return [beside / f"{TEST}{number}" for number in sorted(_numbers(beside, TEST))]


def find_checkpoint(named: str, base: Path, run: Path | None) -> Path:
    """The checkpoint file meant by a path, or by ``best`` or ``last`` of ``run``, or the one written last.

    A path may be that of a run folder, or of a folder of runs: its best checkpoint is meant.

    Raises ``ValueError`` that says where it looked.
    """
    if named not in NAMES:
        path = Path(named)
        if path.is_dir():
            return best_of(named)
        if not path.exists():
            raise ValueError(
                f"there is no checkpoint {named}. Remedy: give a file, or one of {', '.join(NAMES)}"
            )
        return path
    folders = [run] if run else filter(_is_run, base.glob("*"))
    found = [path for folder in folders if (path := folder / CHECKPOINTS / f"{named}.ckpt").exists()]
    if found:
        return max(found, key=lambda path: (path.stat().st_mtime_ns, _number_in(path.parents[1].name)))
    where = str(run) if run else f"any run below {base}"
    raise ValueError(f"there is no checkpoint {named!r} in {where}. Remedy: fit first, or give a file")


def newest_checkpoint(named: str, runs: Path) -> Path:
    """The ``best`` or ``last`` checkpoint that was written last, of any task.

    Args:
        named: ``best`` or ``last``.
        runs: The folder with a folder of runs for each task.

    Raises:
        ValueError: There is none.
    """
    found = list(runs.glob(f"*/*/{CHECKPOINTS}/{named}.ckpt"))
    if not found:
        raise ValueError(
            f"there is no checkpoint {named!r} in any run below {runs}. Remedy: name one with --ckpt_path or "
            "--run, or fit first"
        )
    return max(found, key=lambda path: path.stat().st_mtime)


def best_of(named: str) -> Path:
    """The checkpoint meant by a file, or the best one of a run folder or of the newest run in a folder."""
    path = Path(named)
    if not path.is_dir():
        return find_checkpoint(named, path, None)
    return find_checkpoint("best", path, path if (path / CHECKPOINTS).is_dir() else None)


def bundle_of(named: Path) -> Path:
    """The bundle meant by its own path, or that of a run folder."""
    inside = named / BUNDLE
    return inside if inside.is_dir() else named


def run_of(checkpoint: Path) -> Path | None:
    """The run folder that a checkpoint is in, or ``None`` if it has been moved elsewhere."""
    return checkpoint.parent.parent if checkpoint.parent.name == CHECKPOINTS else None


def _is_run(folder: Path) -> bool:
    """Whether a folder of runs has it from ``new_run``."""
    return folder.name.isdecimal() or folder.name.startswith(SLURM)


def _number_in(name: str) -> int:
    return int("".join(filter(str.isdecimal, name)) or 0)


def _numbers(base: Path, start: str = "") -> list[int]:
    found = base.glob(f"{start}*") if base.is_dir() else ()
    return [int(rest) for path in found if (rest := path.name.removeprefix(start)).isdecimal()]


def _next(base: Path, start: str) -> Path:
    """Makes the folder with the next number below ``base``."""
    number = max(_numbers(base, start), default=0) + 1
    while True:  # another process may take the number first
        try:
            (base / f"{start}{number}").mkdir(parents=True)
            return base / f"{start}{number}"
        except FileExistsError:
            number += 1

"""The metrics of a run as one CSV file, however often the run was stopped."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter

LOGS = "logs"


class Curve(CSVLogger):
    """Lightning's CSV logger, which goes on with the file of the run that is resumed.

    Args:
        run: Folder of the run; the file is ``logs/version_N/metrics.csv`` in it.
        done: Steps of the run before; 0 for a run that begins.
    """

    def __init__(self, run: Path, done: int = 0) -> None:
        version = _last_version(run / LOGS) if done else None
        # each row at once: a run that is killed goes on from a checkpoint of a moment ago
        super().__init__(run, name=LOGS, version=version, flush_logs_every_n_steps=1)
        self._done = done
        self._begun = False

    @property
    @rank_zero_experiment
    def experiment(self) -> ExperimentWriter:
        """Lightning's writer, which has the rows of the steps before."""
        if self._begun:
            writer: ExperimentWriter = super().experiment
            return writer
        self._begun = True
        before = _rows(Path(self.log_dir) / ExperimentWriter.NAME_METRICS_FILE, self._done)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Experiment logs directory")  # it deletes what was read
            writer = super().experiment
        writer.metrics = before
        writer.save()
        return writer


def _last_version(logs: Path) -> int | None:
    numbers = [path.name.removeprefix("version_") for path in logs.glob("version_*")]
    return max((int(number) for number in numbers if number.isdecimal()), default=None)


def _rows(path: Path, done: int) -> list[dict[str, float]]:
    """What was logged of the steps that are done; those after the checkpoint are taken again."""
    if not done or not path.exists():
        return []
    found = []
    with path.open(encoding="utf-8", newline="", errors="replace") as stream:
        for row in csv.DictReader(line.replace("\0", "") for line in stream):
            try:
                read = {name: _number(name, value) for name, value in row.items() if value}
            except (TypeError, ValueError):
                continue  # cut off as the machine died
            if read.get("step", done) < done:
                found.append(read)
    return found


def _number(name: str, value: str) -> float:
    return int(value) if name in ("step", "epoch") else float(value)

"""What a run left behind, read from its folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from clinsynth.formats import jsonl
from clinsynth.reporting.evaluation import Evaluation
from clinsynth.runs.folder import (
    BUNDLE,
    CHECKPOINTS,
    CONFIG,
    DATA,
    ENVIRONMENT,
    GOLD,
    LOGS,
    METRICS,
    PREDICTIONS,
    tests,
)
from clinsynth_onnx.concept_fields import without_concepts
from clinsynth_onnx.files import sha256_of
from clinsynth_onnx.schema import Schema

MONITORED = ("val_strict_f1", "val_f1")  # of entities, of relations: what picks checkpoints


@dataclass(frozen=True, slots=True)
class Curves:
    """How a training went.

    Attributes:
        losses: Training loss by optimizer step, of the steps that were logged.
        epochs: Mean training loss by the last step of each epoch.
        scores: The validation score that picks checkpoints, by step; as share from 0 to 1.
        score: Its name.
        resumed: How often the run was taken up again.
    """

    losses: Mapping[int, float]
    epochs: Mapping[int, float]
    scores: Mapping[int, float]
    score: str
    resumed: int

    def __bool__(self) -> bool:
        return bool(self.losses or self.epochs or self.scores)


@dataclass(frozen=True)
class Run:
    """A run folder.

    Attributes:
        folder: Where it is.
    """

    folder: Path

    @property
    def name(self) -> str:
        """The last two parts of its path, as ``ncbi_disease/1``."""
        return "/".join(self.folder.resolve().parts[-2:])

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """All settings it was started with; empty if there are none, as after a test without a training."""
        path = self.folder / CONFIG
        return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """What ran where."""
        return self._json(ENVIRONMENT)

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """What was read, by split."""
        return self._json(DATA)

    @cached_property
    def schema(self) -> Schema | None:
        """The task."""
        return Schema.from_json(self.config["task"]) if self.config.get("task") else None

    @property
    def model(self) -> Mapping[str, Any]:
        """Class and settings of the model."""
        return self.config.get("model") or {}

    @property
    def bundle(self) -> Path | None:
        """The bundle in it."""
        return self.folder / BUNDLE if (self.folder / BUNDLE).is_dir() else None

    @cached_property
    def checkpoints(self) -> Mapping[str, str]:
        """The sha256 of each checkpoint by its name."""
        found = sorted((self.folder / CHECKPOINTS).glob("*.ckpt"))
        return {path.name: sha256_of(path) for path in found}

    @cached_property
    def curves(self) -> Curves:
        """The curves of all parts of the run, joined at the steps where it was taken up again."""
        losses: dict[int, float] = {}
        epochs: dict[int, float] = {}
        scores: dict[int, float] = {}
        score = ""
        parts = sorted((self.folder / LOGS).glob("version_*/metrics.csv"), key=_version)
        for path in parts:
            with path.open(encoding="utf-8", newline="") as stream:
                for row in csv.DictReader(stream):
                    score = score or next((name for name in MONITORED if name in row), "")
                    for name, into in (("train_loss", losses), ("train_loss_epoch", epochs), (score, scores)):
                        if row.get(name):
                            into[int(row["step"])] = float(row[name])
        return Curves(_sorted(losses), _sorted(epochs), _sorted(scores), score, max(0, len(parts) - 1))

    @property
    def tests(self) -> Sequence[Path]:
        """The folders of its tests, from the first to the last."""
        return [path for beside in (self.folder / CHECKPOINTS, self.folder) for path in tests(beside)]

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """The last test; ``None`` if there was none."""
        return read_test(self.tests[-1], self.schema) if self.tests else None

    def _json(self, name: str) -> Mapping[str, Any]:
        path = self.folder / name
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return found


def read_test(folder: Path, schema: Schema | None) -> Evaluation:
    """What ``clinsynth test`` wrote; tests of before kept no gold."""
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    path = folder / GOLD
    gold = list(jsonl.read(path)) if path.exists() else None
    found = list(jsonl.read(folder / PREDICTIONS))
    if metrics["scores"].get("always_related"):  # pair by pair: as it was scored, so it is counted
        gold = gold and list(map(without_concepts, gold))
        found = list(map(without_concepts, found))
    return Evaluation(
        name=folder.name,
        scores=metrics["scores"],
        gold=gold,
        found=found,
        record=metrics.get("data", {}).get("test", {}),
        schema=schema,
    )


def _version(path: Path) -> int:
    return int(path.parent.name.removeprefix("version_"))


def _sorted(values: Mapping[int, float]) -> dict[int, float]:
    return dict(sorted(values.items()))

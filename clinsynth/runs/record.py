"""What a run leaves behind: its record when it starts, its results when it is tested."""

from __future__ import annotations

import json
import logging
import os
import platform
import re
import shlex
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason
from lightning.pytorch.cli import SaveConfigCallback
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities import rank_zero_info
from rich.console import Console

from clinsynth.formats import jsonl
from clinsynth.metrics.errors import errors
from clinsynth.metrics.report import table
from clinsynth.metrics.scores import FEW_DOCUMENTS
from clinsynth.runs.folder import (
    CHECKPOINTS,
    CONFIG,
    DATA,
    ENVIRONMENT,
    ERRORS,
    GOLD,
    METRICS,
    PREDICTIONS,
    new_test,
)
from clinsynth_onnx.document import Document
from clinsynth_onnx.files import json_line

log = logging.getLogger("clinsynth")

PACKAGES = ("clinsynth", "torch", "lightning", "transformers", "tokenizers", "torchmetrics", "numpy")
PASSWORD = re.compile(r"://[^/@\s]+@")  # and user, before the host of an address


class RunRecord(SaveConfigCallback):
    """Keeps config, environment, data hashes and log of a training run in its folder.

    A run that is resumed adds to them (``config-2.yaml`` and so on) and overwrites nothing.
    """

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage != "fit" or not trainer.is_global_zero:
            return
        folder = Path(trainer.default_root_dir)
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(folder / "log.txt", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        for name in ("clinsynth", "lightning.pytorch", "py.warnings"):
            logging.getLogger(name).addHandler(handler)
        path = _unused(folder / CONFIG)
        self.parser.save(self.config, str(path), skip_unset=False, multifile=False)
        _write(_unused(folder / ENVIRONMENT), environment())

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        record = getattr(getattr(trainer, "datamodule", None), "record", None)
        if trainer.is_global_zero and record:
            _write(_unused(Path(trainer.default_root_dir) / DATA), record)
            few = few_to_validate_on(record, getattr(pl_module, "monitor", "a score"))
            if few is not None:
                log.warning(few)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero and not getattr(trainer, "fast_dev_run", False):
            best = next((c for c in trainer.checkpoint_callbacks if isinstance(c, ModelCheckpoint)), None)
            if best is not None and best.best_model_score is not None:
                print(f"{best.monitor} {float(best.best_model_score):.4f} at best: {best.best_model_path}")
            print(why_stopped(trainer))
            print(f"The run is in {trainer.default_root_dir}")

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        last = Path(trainer.default_root_dir) / CHECKPOINTS / "last.ckpt"
        if last.exists():
            rank_zero_info(f"Stopped. Go on from {last} with the same command and: --ckpt_path {last}")


def few_to_validate_on(record: Mapping[str, Any], monitor: str) -> str | None:
    """What to know where the best checkpoint is chosen, and training stopped, on a handful of documents.

    Args:
        record: What was read of each split, with its number of documents.
        monitor: The score that chooses.
    """
    documents = record.get("val", {}).get("documents", FEW_DOCUMENTS)
    if documents >= FEW_DOCUMENTS:
        return None
    return (
        f"{monitor} of {documents} documents chooses the best checkpoint and ends training, and is mostly "
        f"chance on fewer than {FEW_DOCUMENTS}. Remedy: more documents to validate on, or all epochs "
        "(--early_stopping.patience 1000000) and the last checkpoint (--ckpt_path last)"
    )


def why_stopped(trainer: Trainer) -> str:
    """Why a training that came to its end did so."""
    early = trainer.early_stopping_callback
    epochs = f"Stopped after {trainer.current_epoch} epochs"
    if (
        not trainer.should_stop
        or not isinstance(early, EarlyStopping)
        or early.stopping_reason_message is None
    ):
        limit = "max_epochs" if trainer.current_epoch == trainer.max_epochs else "max_steps or max_time"
        return f"{epochs}, as --trainer.{limit} says"
    if early.stopping_reason != EarlyStoppingReason.PATIENCE_EXHAUSTED:
        return f"{epochs}: {early.stopping_reason_message}"
    return (
        f"{epochs}: {early.monitor} was not above {float(early.best_score):.4f} in {early.wait_count} "
        f"validations (--early_stopping.patience {early.patience})"
    )


class Report(Callback):
    """Prints the scores of a test and writes them, predictions and gold to a folder beside the checkpoint.

    Each test has a folder of its own, ``test-1`` and so on, so that none is written over.

    Attributes:
        folder: The folder of the last test; ``None`` before it, on other processes, and if it was only tried.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._predicted: list[tuple[int, Document]] = []
        self._gold: list[tuple[int, Document]] = []

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, *_: Any, **__: Any
    ) -> None:
        self._predicted += outputs["annotated"].pairs
        self._gold += zip(batch.indices, batch.features.documents, strict=True)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        found, gold = gather(trainer, self._predicted), gather(trainer, self._gold)
        self._predicted, self._gold = [], []
        if not trainer.is_global_zero:
            return
        result: Any = pl_module.result
        self._show(result)
        if getattr(trainer, "fast_dev_run", False):
            return
        beside = Path(trainer.ckpt_path).parent if trainer.ckpt_path else Path(trainer.default_root_dir)
        folder = new_test(beside)
        _write(
            folder / METRICS,
            {
                "checkpoint": str(trainer.ckpt_path or ""),
                "data": getattr(getattr(trainer, "datamodule", None), "record", {}),
                "environment": environment(),
                "scores": result.to_json(),
            },
        )
        jsonl.write(folder / PREDICTIONS, found)
        jsonl.write(folder / GOLD, gold)
        if "strict_f1" in result.scores:
            with (folder / ERRORS).open("w", encoding="utf-8", newline="\n") as stream:
                for true, read in zip(gold, found, strict=True):
                    stream.writelines(
                        json_line({"document": true.id, **error.to_json()}) for error in errors(true, read)
                    )
        self.folder = folder
        print(f"Scores, predictions and errors are in {folder}")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero and trainer.state.fn == TrainerFn.VALIDATING:
            self._show(pl_module.result)

    @staticmethod
    def _show(result: Any) -> None:
        Console().print(table(result))


class PredictionWriter(Callback):
    """Writes what ``predict`` finds to ``predictions.jsonl`` in the run folder."""

    def __init__(self) -> None:
        self._predicted: list[tuple[int, Document]] = []

    def on_predict_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *_: Any, **__: Any
    ) -> None:
        self._predicted += outputs.pairs

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        documents = gather(trainer, self._predicted)
        self._predicted = []
        if trainer.is_global_zero:
            path = _unused(Path(trainer.default_root_dir) / PREDICTIONS)
            path.parent.mkdir(parents=True, exist_ok=True)
            jsonl.write(path, documents)
            print(f"{len(documents)} documents are in {path}")


def gather(trainer: Trainer, mine: list[tuple[int, Document]]) -> list[Document]:
    """The documents of all processes in the order of their split."""
    everyone: list[list[tuple[int, Document]]] = [mine]
    if trainer.world_size > 1:
        everyone = [[] for _ in range(trainer.world_size)]
        torch.distributed.all_gather_object(everyone, mine)
    found = dict(pair for process in everyone for pair in process)
    return [found[i] for i in sorted(found)]


def environment() -> dict[str, Any]:
    """What ran where: versions, machine, and the command as it was typed, without passwords in addresses."""
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return {
        "command": PASSWORD.sub("://", command),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }


def _unused(path: Path) -> Path:
    number = 1
    candidate = path
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def _write(path: Path, value: dict[str, Any]) -> None:
    # the command line and ids of documents may hold half a character, which UTF-8 cannot
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", errors="backslashreplace")

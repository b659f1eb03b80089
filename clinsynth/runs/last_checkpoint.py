"""The checkpoint to go on from: written between two steps, also when someone asks the run to stop."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.utilities import rank_zero_info

from clinsynth.runs.private import last_saved, set_last_saved, steps_between

AT_ONCE = 1.0  # seconds within which signals are one request: launchers hand on what a terminal sends to all


class LastCheckpoint(ModelCheckpoint):
    """Saves every so many steps, after the step during which Ctrl-C or SIGTERM came, and at the end.

    An exception in the middle of a step would leave weights and progress that do not belong
    together, so nothing is saved then; the checkpoint of some steps before holds.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._asked = self._stops = False
        self._first = 0.0
        self._handlers: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_start(trainer, pl_module)
        if threading.current_thread() is threading.main_thread():
            # under SLURM, SIGTERM is part of how Lightning requeues a job
            terminate = () if "SLURM_JOB_ID" in os.environ else (signal.SIGTERM,)
            self._handlers = {name: signal.signal(name, self._ask) for name in (signal.SIGINT, *terminate)}

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            if time.monotonic() - self._first < AT_ONCE:
                return
            raise KeyboardInterrupt
        self._asked, self._first = True, time.monotonic()
        rank_zero_info("\nStopping after this step. Once more stops at once, without a new checkpoint.")

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if trainer.is_last_batch:
            return  # validation comes first, or a run that goes on from here would never do it
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        self._agree(trainer)
        if self._asked and (batch_idx + 1) % trainer.accumulate_grad_batches == 0:
            self._save(trainer)
            self._stops = True

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        super().on_train_batch_start(trainer, pl_module, batch, batch_idx)
        if self._stops:  # only now has the step before been logged
            raise KeyboardInterrupt

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_epoch_end(trainer, pl_module)
        self._agree(trainer)
        # the last step of an epoch is never saved above, and in short epochs it may be each 100th
        if self._asked or trainer.global_step - last_saved(self) >= steps_between(self):
            self._save(trainer)
        if self._asked:
            raise KeyboardInterrupt

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_end(trainer, pl_module)
        tried_only = getattr(trainer, "fast_dev_run", False)
        if trainer.global_step != last_saved(self) and not tried_only:
            self._save(trainer)

    def _agree(self, trainer: Trainer) -> None:
        """All processes stop if one is asked to: those that went on would wait for it for good."""
        if trainer.world_size > 1:
            self._asked = trainer.strategy.reduce_boolean_decision(self._asked, all=False)

    def _save(self, trainer: Trainer) -> None:
        assert self.dirpath is not None
        trainer.save_checkpoint(Path(self.dirpath) / "last.ckpt", weights_only=False)
        set_last_saved(self, trainer.global_step)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        super().teardown(trainer, pl_module, stage)
        for name, handler in self._handlers.items():
            signal.signal(name, handler)
        self._handlers = {}

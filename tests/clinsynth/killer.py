"""A callback that ends the process as a power cut would."""

from __future__ import annotations

import os
import signal
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch import Callback


class Signal(Callback):
    """Sends this process a signal once so many optimizer steps are done.

    Args:
        step: Optimizer steps to wait for.
        name: The signal, e.g. SIGKILL.
        rank: The only process that gets it; all of them if not given.
    """

    def __init__(self, step: int, name: str, rank: int | None = None) -> None:
        self.step = step
        self.signal = signal.Signals[name]
        self.rank = rank

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *arguments: Any) -> None:
        if trainer.global_step == self.step and self.rank in (None, trainer.global_rank):
            os.kill(os.getpid(), self.signal)

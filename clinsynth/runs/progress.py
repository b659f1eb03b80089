"""What a training shows while it goes on: loss, score so far, time left."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, RichProgressBar


class Progress(RichProgressBar):
    """Lightning's bar of an epoch, with the last and the best score and the time to the last epoch."""

    def __init__(self) -> None:
        super().__init__()
        self._began, self._first_step = 0.0, 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_start(trainer, pl_module)
        self._began, self._first_step = time.monotonic(), trainer.global_step

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        metrics: dict[str, Any] = super().get_metrics(trainer, pl_module)
        metrics.pop("v_num", None)  # the number of Lightning's log folder
        monitor = str(getattr(pl_module, "monitor", ""))
        if monitor in trainer.callback_metrics:
            last, early = float(trainer.callback_metrics[monitor]), trainer.early_stopping_callback
            best = max(last, float(early.best_score)) if isinstance(early, EarlyStopping) else last
            metrics[monitor] = f"{last:.3f} (best {best:.3f})"
        done, steps = trainer.global_step - self._first_step, trainer.estimated_stepping_batches
        if done and math.isfinite(steps):
            left = (time.monotonic() - self._began) / done * max(0, steps - trainer.global_step)
            metrics["left"] = str(timedelta(seconds=round(left)))
        return metrics

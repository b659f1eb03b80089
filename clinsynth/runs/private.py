"""All that is taken from inside of Lightning and torch, where they have no public way to it.

``pyproject.toml`` has an upper bound of Lightning's version for the sake of this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI


class InnerCLI(LightningCLI):
    """LightningCLI with two of its private steps changed."""

    defaults_of: Mapping[str, dict[str, Any]]
    """Defaults of the arguments of one command, by its name; they are the same for all otherwise."""

    def _parse_ckpt_path(self) -> None:
        """Does nothing. Lightning's would put the checkpoint's hyperparameters into the config.

        They hold what an earlier run was started with, which the options of this one shall win over; and
        a path may be ``best`` or ``last``, which are no files.
        """

    def _prepare_subcommand_parser(
        self, klass: type, subcommand: str, **kwargs: Any
    ) -> LightningArgumentParser:
        parser = super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        parser.set_defaults(self.defaults_of.get(subcommand, {}))
        return parser


def last_saved(checkpoints: ModelCheckpoint) -> int:
    """The step of the last checkpoint: a callback that saves at other times too has to know it."""
    return int(checkpoints._last_global_step_saved)


def set_last_saved(checkpoints: ModelCheckpoint, step: int) -> None:
    """Says that there is a checkpoint of a step, so that the callback does not save it again."""
    checkpoints._last_global_step_saved = step


def steps_between(checkpoints: ModelCheckpoint) -> int:
    """How many steps the callback lets pass: as its argument, or 0 if that was not given."""
    return int(checkpoints._every_n_train_steps)


def unscale_before_step(optimizer: torch.optim.Optimizer) -> None:
    """Says that an optimizer cannot undo fp16 loss scaling itself.

    A fused step can, but clipping needs it undone before; without this, Lightning refuses to clip.
    """
    optimizer._step_supports_amp_scaling = False  # type: ignore[attr-defined]


def cpu_multiplies_bf16() -> bool:
    """Whether the processor has instructions for matrices in bf16; torch asks it nowhere in public."""
    return bool(torch.cpu._is_avx512_bf16_supported())

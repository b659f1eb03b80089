"""The optimizer: AdamW with layer-wise learning rates, warm-up and linear decay."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from clinsynth.runs.private import unscale_before_step


@dataclass(frozen=True)
class Optimization:
    """Settings of the optimizer.

    Args:
        learning_rate: Largest learning rate, of the encoder's last layer.
        head_learning_rate: Largest learning rate of the head, which starts from nothing; the encoder's if
            not given.
        layer_decay: Factor on the learning rate of each layer further from the head, above 0, at most 1.
        weight_decay: Weight decay of matrices; biases and norms have none.
        warmup: Share of all steps in which the learning rate rises from zero; then it falls to zero
            linearly.
        label_smoothing: Share of the target that is spread over all classes.
    """

    learning_rate: float = 5e-4
    head_learning_rate: float | None = None
    layer_decay: float = 1.0
    weight_decay: float = 0.01
    warmup: float = 0.1
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if self.learning_rate <= 0 or not 0 < self.layer_decay <= 1:
            raise ValueError("'learning_rate' must be above 0, 'layer_decay' above 0 and at most 1")
        if not 0 <= self.warmup < 1 or not 0 <= self.label_smoothing < 1:
            raise ValueError("'warmup' and 'label_smoothing' must be from 0 to below 1")


LAYER = re.compile(r"^encoder\..*?\blayers?\.(\d+)\.")


def parameter_groups(network: nn.Module, settings: Optimization) -> list[dict[str, Any]]:
    """Trainable parameters by learning rate and weight decay.

    The distance of a parameter from the head is 0 in the head and the last layer, one more for each
    layer below, and largest in the embeddings.
    """
    named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    layers = {name: int(match[1]) for name, _ in named if (match := LAYER.match(name))}
    top = max(layers.values(), default=0)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in named:
        if name.startswith("encoder."):
            distance = top - layers[name] if name in layers else top + 1
            rate = settings.learning_rate * settings.layer_decay**distance
        else:
            rate = settings.head_learning_rate or settings.learning_rate
        decay = settings.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": ps, "lr": rate, "weight_decay": decay} for (rate, decay), ps in groups.items()]


def build(network: nn.Module, settings: Optimization, steps: int) -> tuple[torch.optim.AdamW, LambdaLR]:
    """The optimizer and its schedule over ``steps`` updates."""
    optimizer = torch.optim.AdamW(parameter_groups(network, settings), fused=True)
    unscale_before_step(optimizer)
    rise = max(1, round(settings.warmup * steps))
    fall = max(1, steps - rise)

    def factor(step: int) -> float:
        return min((step + 1) / rise, max(0.0, (steps - step) / fall))

    return optimizer, LambdaLR(optimizer, factor)

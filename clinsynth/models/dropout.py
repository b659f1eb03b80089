"""Dropout that costs little on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

VALUES = 256  # of a byte


class ByteDropout(nn.Dropout):
    """Sets a share of values to zero, drawing a byte for each of them and eight with one random number.

    ``nn.Dropout`` draws a number for each value, one after the other unless the processor is Intel's. With
    small encoders that is a fifteenth of a training step.

    Args:
        p: Share of values that become zero, rounded to a 256th.
    """

    def __init__(self, p: float) -> None:
        super().__init__(p)  # attention of transformers reads the share from its module
        self.dropped = round(p * VALUES)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.dropped:
            return x
        kept = random_bytes(x.numel(), x.device).view(x.shape) >= self.dropped
        return x * (kept.to(x.dtype) * (VALUES / (VALUES - self.dropped)))


def random_bytes(count: int, device: torch.device) -> Tensor:
    """Evenly distributed bytes, from torch's generator of the device."""
    numbers = torch.empty(-(-count // 8), dtype=torch.int64, device=device)
    return numbers.random_(-(2**63), 2**63 - 1).view(torch.uint8)[:count]


def draw_bytes(module: nn.Module) -> None:
    """Puts ``ByteDropout`` in the place of each ``nn.Dropout`` in a module, which has no weights to lose."""
    for name, child in module.named_children():
        if type(child) is nn.Dropout:
            setattr(module, name, ByteDropout(child.p))
        else:
            draw_bytes(child)

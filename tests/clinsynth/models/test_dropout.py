"""Dropout by bytes does what torch's does."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from clinsynth.models.dropout import ByteDropout, draw_bytes, random_bytes


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_the_share_is_dropped_and_the_mean_is_kept(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    x = torch.ones(1001, 997, dtype=dtype, requires_grad=True)
    y = ByteDropout(p)(x)
    assert y.dtype == dtype and y.shape == x.shape
    assert (y == 0).float().mean().item() == pytest.approx(round(256 * p) / 256, abs=0.002)
    assert y.float().mean().item() == pytest.approx(1, abs=0.005)
    y.float().sum().backward()
    assert x.grad is not None and torch.equal(x.grad, y), "what is dropped has no gradient"


def test_bytes_are_even_and_independent_of_their_neighbours() -> None:
    torch.manual_seed(0)
    drawn = random_bytes(2**20 + 3, torch.device("cpu"))
    assert len(drawn) == 2**20 + 3
    counts = torch.bincount(drawn.long(), minlength=256).float()
    expected = len(drawn) / 256
    assert ((counts - expected) ** 2 / expected).sum() < 360, "chi squared of 255 degrees, 1 in 100,000"
    numbers = drawn.float() - 127.5
    for distance in (1, 7, 8, 9):
        together = torch.corrcoef(torch.stack([numbers[:-distance], numbers[distance:]]))
        assert abs(together[0, 1]) < 0.005, distance


def test_the_seed_decides_and_evaluation_drops_nothing() -> None:
    x = torch.randn(40, 30)
    dropout = ByteDropout(0.3)
    torch.manual_seed(1)
    first = dropout(x)
    assert not torch.equal(first, dropout(x))
    torch.manual_seed(1)
    assert torch.equal(first, dropout(x))
    assert dropout.eval()(x) is x
    assert ByteDropout(0.0)(x) is x


def test_it_takes_the_place_of_all_dropout_of_a_network() -> None:
    network = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.2), nn.Sequential(nn.Dropout(0.5), nn.Identity()))
    keys = list(network.state_dict())
    draw_bytes(network)
    assert [m.dropped for m in network.modules() if isinstance(m, ByteDropout)] == [51, 128]
    assert not any(type(m) is nn.Dropout for m in network.modules())
    assert list(network.state_dict()) == keys

"""Learning rates by layer, and their schedule."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from clinsynth.models.optimization import Optimization, build, parameter_groups


class Network(nn.Module):
    """Named as BERT's parts are."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Module()
        self.encoder.embeddings = nn.Embedding(3, 2)
        self.encoder.encoder = nn.Module()
        self.encoder.encoder.layer = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
        self.head = nn.Linear(2, 2)


def test_rates_fall_with_the_distance_from_the_head() -> None:
    network = Network()
    settings = Optimization(learning_rate=1.0, head_learning_rate=5.0, layer_decay=0.5, weight_decay=0.1)
    rates = {
        id(p): (group["lr"], group["weight_decay"])
        for group in parameter_groups(network, settings)
        for p in group["params"]
    }
    layers = network.encoder.encoder.layer
    assert [rates[id(layer.weight)][0] for layer in layers] == [0.25, 0.5, 1.0]
    assert rates[id(network.encoder.embeddings.weight)] == (0.125, 0.1)
    assert rates[id(network.head.weight)] == (5.0, 0.1)
    assert rates[id(network.head.bias)] == (5.0, 0.0)


def test_frozen_parameters_are_left_out() -> None:
    network = Network()
    network.encoder.requires_grad_(False)
    groups = parameter_groups(network, Optimization())
    assert sum(len(group["params"]) for group in groups) == 2


def test_the_rate_rises_and_falls_to_zero() -> None:
    network = Network()
    optimizer, schedule = build(network, Optimization(learning_rate=1.0, warmup=0.2), steps=10)
    seen = []
    for _ in range(10):
        seen.append(optimizer.param_groups[0]["lr"])
        network.head(torch.zeros(1, 2)).sum().backward()
        optimizer.step()
        schedule.step()
    assert seen[:2] == [0.5, 1.0] and max(seen) == 1.0
    assert seen[2:] == sorted(seen[2:], reverse=True) and seen[-1] == pytest.approx(1 / 8)
    assert optimizer.param_groups[0]["lr"] == 0


@pytest.mark.parametrize(
    "settings", [{"learning_rate": 0}, {"layer_decay": 0}, {"warmup": 1.0}, {"label_smoothing": -0.1}]
)
def test_impossible_settings_are_told(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Optimization(**settings)

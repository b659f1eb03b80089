"""Weights to start a training from: those that an earlier training ended with."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor, nn

from clinsynth.models import checkpoint
from clinsynth_onnx.schema import Schema

log = logging.getLogger("clinsynth")

NETWORK_PREFIX = "network."
ENCODER_PREFIX = "encoder."


def load_weights(network: nn.Module, path: Path, schema: Schema, tokenizer: str) -> None:
    """Loads the weights of a checkpoint into a network: encoder and head, without optimizer or progress.

    The head comes along if the checkpoint has the same kind of head for the same labels; otherwise it
    stays as it is, and the log says so.

    Args:
        network: Has an ``encoder``; changed in place.
        path: The checkpoint.
        schema: The task of the model that is to be trained.
        tokenizer: Its encoder's ``tokenizer.json``, as text.

    Raises:
        ValueError: The file is no checkpoint of clinsynth, or is of another encoder.
    """
    weights, labels, trained_with = _read(path)
    if trained_with != tokenizer:
        raise _other_encoder(path, "its tokenizer differs")
    fresh = network.state_dict()
    if labels != _labels(schema.entities, schema.relations) or _heads(weights) != _heads(fresh):
        weights = {name: tensor for name, tensor in weights.items() if name.startswith(ENCODER_PREFIX)}
        log.info("%s has another head: only its encoder is taken over", path)
        weights |= {name: tensor for name, tensor in fresh.items() if not name.startswith(ENCODER_PREFIX)}
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise _other_encoder(path, "its weights are others") from error
    log.info("training starts from the weights of %s", path)


def _heads(weights: Mapping[str, Tensor]) -> set[str]:
    return {name for name in weights if not name.startswith(ENCODER_PREFIX)}


def _labels(entities: Iterable[str], relations: Iterable[str]) -> tuple[list[str], list[str]]:
    return list(entities), list(relations)


def _read(path: Path) -> tuple[dict[str, Tensor], tuple[list[str], list[str]], str]:
    """The network's weights, the labels in the order of its outputs, and the encoder's tokenizer."""
    saved = checkpoint.read(path)
    weights = {
        name.removeprefix(NETWORK_PREFIX): tensor
        for name, tensor in saved["state_dict"].items()
        if name.startswith(NETWORK_PREFIX)
    }
    schema = saved[checkpoint.HYPER_PARAMETERS]["schema"]
    labels = _labels(schema["entities"], schema.get("relations") or {})
    return weights, labels, str(saved["encoder"]["tokenizer"])


def _other_encoder(path: Path, why: str) -> ValueError:
    return ValueError(
        f"{path} is of another encoder than the model ({why}). "
        "Remedy: set 'encoder' to the one that it was trained with"
    )

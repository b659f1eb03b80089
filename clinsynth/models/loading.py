"""The model of a checkpoint, whatever its class."""

from __future__ import annotations

import pkgutil
from pathlib import Path
from typing import TypeGuard

from clinsynth.models import checkpoint
from clinsynth.models.encoder_model import EncoderModel


def load_model(path: Path) -> EncoderModel:
    """The model of a checkpoint, in evaluation mode on the CPU.

    Raises:
        ValueError: It is not a checkpoint of clinsynth, or of a class that is not a model of clinsynth.
    """
    name = str(checkpoint.read(path)[checkpoint.HYPER_PARAMETERS].get("_class_path"))
    try:
        kind = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{path} holds a {name}, which cannot be imported. Remedy: install the package that it is of, "
            "or name another checkpoint"
        ) from error
    if not is_trained(kind):
        raise ValueError(f"{path} holds a {name}, which is not a model of clinsynth. Remedy: name another")
    return kind.load_from_checkpoint(path, map_location="cpu", weights_only=True).eval()


def is_trained(kind: object) -> TypeGuard[type[EncoderModel]]:
    """Whether something is a class of models that training makes, and checkpoints keep."""
    return isinstance(kind, type) and issubclass(kind, EncoderModel)

"""What a checkpoint file holds, read with an error that tells what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

HYPER_PARAMETERS = "hyper_parameters"  # as Lightning calls them
NEEDED = ("state_dict", HYPER_PARAMETERS, "encoder")
UNREADABLE = (KeyError, TypeError, AttributeError, RuntimeError, EOFError, ValueError, UnpicklingError)


def read(path: Path) -> dict[str, Any]:
    """Weights, hyperparameters and encoder of a checkpoint, on the CPU.

    Raises:
        ValueError: It is not a checkpoint of clinsynth.
        FileNotFoundError: There is no such file.
    """
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        for key in NEEDED:
            checkpoint[key].items()
        checkpoint[HYPER_PARAMETERS]["schema"]["entities"].items()
    except UNREADABLE as error:
        raise ValueError(
            f"{path} is not a checkpoint of clinsynth ({type(error).__name__}). Remedy: name another"
        ) from error
    return checkpoint

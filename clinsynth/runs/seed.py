"""The random seed of a training, which ``seed_everything`` leaves in the environment."""

from __future__ import annotations

import os

GLOBAL_SEED = "PL_GLOBAL_SEED"  # Lightning's name of the variable


def global_seed() -> int:
    """What ``seed_everything`` was last called with, 0 if it was not; the order of steps follows it."""
    return int(os.environ.get(GLOBAL_SEED, "0"))

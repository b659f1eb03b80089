"""What tests of commands run them with."""

from __future__ import annotations

import logging
import sys

import pytest

from clinsynth import cli as commands
from tests.conftest import REPOSITORY

EXPERIMENTS = sorted((REPOSITORY / "configs").glob("*.yaml"))


def clinsynth(*arguments: str) -> None:
    """Runs a command in this process, as the console script does."""
    log = logging.getLogger("clinsynth")
    handlers = list(log.handlers)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["clinsynth", *arguments])
            commands.main()
    finally:
        log.handlers = handlers  # those of this command write to what pytest closes

"""What a checkpoint says of the command line that uses it: its task and its class."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clinsynth.models import checkpoint
from clinsynth.runs.folder import NAMES, find_checkpoint, newest_checkpoint
from clinsynth_onnx.schema import Schema

log = logging.getLogger("clinsynth")


def defaults(arguments: Sequence[str], runs: Path) -> dict[str, Any]:
    """Defaults of a command line that scores or uses a checkpoint, and names no task.

    Without ``--config`` and ``--task`` the checkpoint is the one that ``--ckpt_path`` names, or the best: of
    ``--run``, or of the newest run of any task.

    Args:
        arguments: The command and its options.
        runs: The folder with a folder of runs for each task.

    Returns:
        Values of ``task``, ``model`` and ``ckpt_path``; nothing where the command line has a task, or a model
        without checkpoints, or where training begins.

    Raises:
        ValueError: There is no such checkpoint, or it is not one of clinsynth.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in ("--task", "--config", "--ckpt_path", "--run", "--model"):
        parser.add_argument(option)
    parser.add_argument("command", nargs="?")
    given, _ = parser.parse_known_args(arguments)
    options = {argument.split("=")[0] for argument in arguments}
    asks_only = {"-h", "--help", "--print_config"} & options or any(o.endswith(".help") for o in options)
    if given.command == "fit" or asks_only or given.task or given.config or given.model == "ZeroShot":
        return {}
    named = given.ckpt_path or NAMES[0]
    if given.run or named not in NAMES:
        path = find_checkpoint(named, runs, Path(given.run) if given.run else None)
    else:
        path = newest_checkpoint(named, runs)
    known = checkpoint.read(path)[checkpoint.HYPER_PARAMETERS]
    schema = Schema.from_json(known["schema"])
    log.info("The task is %s, as the checkpoint says: %s", schema.name, path)
    return {"task": known["schema"], "model": known["_class_path"], "ckpt_path": str(path)}

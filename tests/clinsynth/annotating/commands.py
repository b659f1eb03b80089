"""What tests of ``annotate`` run it with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clinsynth.cli import annotate as command

ENGINE = ["--engine=onnxruntime", "--workers=2"]
CANARY = "Zebrafish-canary"


def annotate(*arguments: object) -> int:
    """The exit code."""
    try:
        command.main([*map(str, arguments), *ENGINE])
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def lines_of(path: Path) -> list[str]:
    """Split at line feeds alone: texts may hold other characters that ``str.splitlines`` splits at."""
    return path.read_text(encoding="utf-8").split("\n")[:-1]

"""What a run writes about itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from clinsynth.runs import record


def test_half_a_character_on_the_command_line_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["clinsynth", "fit", "--run=caf\udce9"])  # a name in Latin-1
    record._write(tmp_path / "environment.json", record.environment())
    read = json.loads((tmp_path / "environment.json").read_text(encoding="utf-8"))
    assert read["command"] == "clinsynth fit '--run=caf\udce9'"

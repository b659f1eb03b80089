"""What a run writes about itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from clinsynth.runs import record


def test_a_handful_of_documents_to_validate_on_is_told() -> None:
    assert record.few_to_validate_on({"val": {"documents": 10}}, "val_f1") is None
    assert record.few_to_validate_on({"train": {"documents": 1}}, "val_f1") is None
    told = record.few_to_validate_on({"val": {"documents": 1}}, "val_f1")
    assert told is not None and told.startswith("val_f1 of 1 documents") and "--ckpt_path last" in told


def test_half_a_character_on_the_command_line_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["clinsynth", "fit", "--run=caf\udce9"])  # a name in Latin-1
    record._write(tmp_path / "environment.json", record.environment())
    read = json.loads((tmp_path / "environment.json").read_text(encoding="utf-8"))
    assert read["command"] == "clinsynth fit '--run=caf\udce9'"


def test_a_password_in_an_address_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = ["clinsynth", "generate", "--server.base_url=https://jane:secret@llm:8000/v1"]
    monkeypatch.setattr(sys, "argv", typed)
    assert record.environment()["command"].endswith("https://llm:8000/v1")

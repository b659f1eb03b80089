from __future__ import annotations

import json
from pathlib import Path

from clinsynth.synthesis.generate import write_lines


def test_lines_hold_half_a_character(tmp_path: Path) -> None:
    leaks = [{"text": "fever \ud800"}, {"text": "caf\u00e9"}]
    write_lines(tmp_path / "leaks.jsonl", leaks)
    lines = (tmp_path / "leaks.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == leaks

"""The written corpora that come with clinsynth are what their cards say."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

CARDS = sorted((Path(__file__).parents[1] / "configs/tasks").glob("*/synthetic/card.json"))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.parts[-3])
def test_the_files_have_the_hashes_on_the_card(card: Path) -> None:
    stated = json.loads(card.read_text())["files"]
    assert {"corpus.jsonl", "plan.jsonl", "replies.jsonl"} <= stated.keys()
    for name, sha256 in stated.items():
        content = gzip.decompress((card.parent / f"{name}.gz").read_bytes())
        assert hashlib.sha256(content).hexdigest() == sha256, name

"""Lines of JSON can always be written, and come back as they were."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from clinsynth_onnx.files import json_line, sha256_of


@given(st.dictionaries(st.text(), st.text() | st.text(st.characters(categories=["Cs"]))))
@example({"text": "caf\u00e9 \ud800"})
def test_a_line_is_utf8_and_comes_back(value: dict[str, str]) -> None:
    line = json_line(value)
    assert line.encode("utf-8") and line.count("\n") == 1
    assert json.loads(line) == json.loads(json.dumps(value))  # two halves that meet become a character


def test_characters_stand_as_they_are() -> None:
    assert json_line({"a": "caf\u00e9"}) == '{"a": "caf\u00e9"}\n'


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc" * 100_000)
    assert sha256_of(tmp_path / "file") == hashlib.sha256(b"abc" * 100_000).hexdigest()

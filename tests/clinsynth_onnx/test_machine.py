"""What a machine can do is read from where it says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinsynth_onnx import machine


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("flags : sse avx2", False),
        ("flags : avx2 avx512_vnni", True),
        ("flags : avx2 avx_vnni", True),
        ("Features : asimd asimddp", True),
        (None, False),
    ],
)
def test_exact_products_of_int8_are_read_from_the_processor(
    text: str | None, exact: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine.platform, "system", lambda: "Linux")
    monkeypatch.setattr(machine, "CPU_INFO", tmp_path / "cpuinfo")
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    assert machine.multiplies_int8() is exact

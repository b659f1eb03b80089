"""Ctrl-C in a training."""

from __future__ import annotations

import pytest

from clinsynth.runs.last_checkpoint import LastCheckpoint


def test_a_second_ctrl_c_stops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    last = LastCheckpoint()
    clock = iter([0.0, 0.5, 2.0])
    monkeypatch.setattr("clinsynth.runs.last_checkpoint.time.monotonic", lambda: next(clock))
    last._ask(2, None)
    last._ask(2, None)  # the same Ctrl-C, from another who passes it on
    with pytest.raises(KeyboardInterrupt):
        last._ask(2, None)

from __future__ import annotations

import pytest
from lightning import seed_everything

from clinsynth.runs.seed import GLOBAL_SEED, global_seed


def test_the_seed_is_that_of_seed_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(GLOBAL_SEED, raising=False)
    assert global_seed() == 0
    monkeypatch.setenv(GLOBAL_SEED, "0")  # so that the test leaves the variable as it was
    seed_everything(7, verbose=False)
    assert global_seed() == 7

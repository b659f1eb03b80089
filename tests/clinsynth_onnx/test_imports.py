"""Production needs no torch."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import clinsynth_onnx

HEAVY = ("torch", "lightning", "transformers", "torchmetrics", "clinsynth")


def test_the_runtime_imports_without_what_trains() -> None:
    modules = [f"clinsynth_onnx.{module.name}" for module in pkgutil.iter_modules(clinsynth_onnx.__path__)]
    assert "clinsynth_onnx.entity_codec" in modules
    code = "; ".join(
        [
            "import sys",
            *(f"sys.modules[{name!r}] = None" for name in HEAVY),
            *(f"import {m}" for m in modules),
        ]
    )
    subprocess.run([sys.executable, "-c", code], check=True)

"""Cross-validation: trains and tests on each fold that is at hand, and prints means with deviations.

    python benchmarks/folds.py configs/euadr.yaml [FURTHER ARGUMENTS OF fit AND test]

The fold is ``--data.fold``, or wherever an argument says ``{fold}``. Beside the scores stands what always
answering "related" would get on the same folds.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from clinsynth.runs.folder import CHECKPOINTS, last_test

FIGURES = ("precision", "recall", "f1", "macro_f1", "accuracy", "mcc", "auc")
FOLDS = range(1, 11)


def run(fold: int, arguments: list[str], folder: Path) -> dict[str, float]:
    """The test scores of one fold, and the F1 of always answering "related"."""
    is_named = any("{fold}" in argument for argument in arguments)
    named = arguments if is_named else [*arguments, "--data.fold={fold}"]
    common = [*(argument.replace("{fold}", str(fold)) for argument in named), f"--run={folder}"]
    command = [sys.executable, "-m", "clinsynth"]
    quiet = ["--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
    subprocess.run([*command, "fit", *common, *quiet], check=True, capture_output=True)
    subprocess.run([*command, "test", *common, *quiet, "--ckpt_path=best"], check=True, capture_output=True)
    metrics = json.loads((last_test(folder / CHECKPOINTS) / "metrics.json").read_text(encoding="utf-8"))
    scores = {name: metrics["scores"]["scores"][name]["value"] for name in FIGURES}
    return {**scores, "always": metrics["scores"]["always_related"]["f1"]}


def main() -> None:
    """Prints a row for each fold, then means and standard deviations."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} CONFIG [ARGUMENTS]")
    arguments = [f"--config={sys.argv[1]}", *sys.argv[2:]]
    rows = []
    print(f"{'fold':>6}" + "".join(f"{name:>11}" for name in (*FIGURES, "always")))
    with tempfile.TemporaryDirectory() as folder:
        for fold in FOLDS:
            row = run(fold, arguments, Path(folder) / str(fold))
            rows.append(row)
            print(f"{fold:6}" + "".join(f"{value:11.4f}" for value in row.values()), flush=True)
    for name, of in (("mean", statistics.mean), ("sd", statistics.stdev)):
        print(f"{name:>6}" + "".join(f"{of(row[figure] for row in rows):11.4f}" for figure in rows[0]))


if __name__ == "__main__":
    main()

"""``clinsynth export``: a checkpoint becomes a bundle that runs without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clinsynth.cli.run import run
from clinsynth.formats import registry
from clinsynth.formats.options import ReadingOptions
from clinsynth.formats.registry import FormatName
from clinsynth.runs.folder import best_of


def export(
    checkpoint: str,
    out: str,
    documents: str | None = None,
    max_f1_drop: float = 0.005,
    format: FormatName | None = None,
    **reading: Any,
) -> None:
    """Writes a bundle and shows how each of its variants compares with torch.

    Args:
        checkpoint: Checkpoint file, run folder, or folder of runs, of which the newest that has a best
            checkpoint is taken.
        out: Folder to write, or file that ends in .zip.
        documents: File of gold documents to compare on, in any corpus format; by default the validation
            split of the data that the run's config names.
        max_f1_drop: Largest loss of F1 against torch, from 0 to 1; a variant that loses more is refused and
            removed.
        format: Format of the gold documents; told from them if not given.
        reading: Options of ``ReadingOptions``.
    """
    path = best_of(checkpoint)
    options = ReadingOptions(**reading)
    if documents is None and (format or options.given()):
        raise ValueError(
            "a format and options of reading are for gold documents. Remedy: name these with --documents"
        )
    gold = list(registry.read(Path(documents), format, options)) if documents is not None else None

    from rich.console import Console

    from clinsynth.exporting.checkpoint import export_checkpoint  # imports torch, which takes seconds
    from clinsynth.exporting.outcome import table

    gate = export_checkpoint(path, Path(out), gold, max_f1_drop)
    Console(width=200).print(table(gate))
    print(f"The bundle is {out}")


def main(arguments: Sequence[str]) -> None:
    """Runs the command."""
    run(export, arguments, "clinsynth export")

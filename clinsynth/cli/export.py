"""``clinsynth export``: a checkpoint becomes a bundle that runs without torch, and what people can share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clinsynth.cli.run import run
from clinsynth.formats import registry
from clinsynth.formats.options import ReadingOptions
from clinsynth.formats.registry import FormatName
from clinsynth.runs.folder import best_of, run_of
from clinsynth_onnx.document import Document


def export(
    checkpoint: str,
    out: str,
    documents: str | None = None,
    max_f1_drop: float = 0.005,
    hub_folder: Path | None = None,
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
        hub_folder: Folder for the same model as transformers loads it, with a card; for the Hugging Face
            Hub. Its pipeline is compared with the bundle.
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
    if hub_folder is not None:
        _to_hub(path, Path(out), hub_folder, gold)


def _to_hub(checkpoint: Path, bundle: Path, folder: Path, gold: list[Document] | None) -> None:
    from rich.console import Console

    from clinsynth.exporting import agreement, hub, pipeline
    from clinsynth.exporting.checkpoint import gold_of
    from clinsynth.models.loading import load_model
    from clinsynth.reporting import hub_cards, model_card
    from clinsynth.reporting.inputs import BundleInput
    from clinsynth.reporting.run_folder import Run

    model: Any = load_model(checkpoint)
    compared = gold_of(checkpoint, model, gold)
    hub.write_hub_folder(model, folder, compared)
    found = pipeline.compare(folder, bundle, model, compared)
    Console(width=200).print(agreement.table(found))
    run_folder = run_of(checkpoint)
    of: Run | BundleInput = Run(run_folder) if run_folder else BundleInput(bundle)
    card = model_card.of_run(of) if isinstance(of, Run) else model_card.of_bundle(of)
    text = hub_cards.model_card_text(card, of.evaluation, found, folder.name, model.codec.overlap)
    (folder / "README.md").write_text(text, encoding="utf-8")
    print(f"The folder for the hub is {folder}")


def main(arguments: Sequence[str]) -> None:
    """Runs the command."""
    run(export, arguments, "clinsynth export")

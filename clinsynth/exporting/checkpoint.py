"""A checkpoint becomes a bundle: its model, the documents to compare on, and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clinsynth.corpora.labels import restrict
from clinsynth.datamodules.of_run import data_of_run
from clinsynth.exporting.outcome import Gate
from clinsynth.exporting.write import write_bundle
from clinsynth.models.encoder_model import EncoderModel
from clinsynth.models.loading import load_model
from clinsynth.runs.folder import run_of
from clinsynth.runs.record import environment
from clinsynth_onnx.document import Document
from clinsynth_onnx.files import sha256_of


def export_checkpoint(
    checkpoint: Path,
    out: Path,
    gold: list[Document] | None = None,
    max_f1_drop: float = 0.005,
    replace: bool = False,
) -> Gate:
    """Exports a checkpoint's model.

    Args:
        checkpoint: The file.
        out: The folder to write, or a file that ends in ``.zip``.
        gold: Documents to compare on; the validation split of the checkpoint's run if not given.
        max_f1_drop: What a variant may lose in the score that picks checkpoints, from 0 to 1.
        replace: Whether a bundle that is at ``out`` gives way.

    Raises:
        ValueError: It is not a checkpoint, cannot be exported, or has no run with validation data.
        FileExistsError: There is something at ``out``, and it is not to be replaced.
    """
    model = load_model(checkpoint)
    gold = gold_of(checkpoint, model, gold)
    return write_bundle(model, out, gold, provenance(checkpoint, model), max_f1_drop, replace)


def gold_of(checkpoint: Path, model: EncoderModel, gold: list[Document] | None) -> list[Document]:
    """The documents to compare on: those given, else the validation split of the checkpoint's run.

    Raises:
        ValueError: None are given, and there is no run with validation data.
    """
    if gold is None:
        gold = _validation_part(checkpoint, model)
    return [restrict(document, model.schema) for document in gold]


def _validation_part(checkpoint: Path, model: EncoderModel) -> list[Document]:
    run_folder = run_of(checkpoint)
    config = run_folder / "config.yaml" if run_folder else None
    if config is None or not config.exists():
        raise ValueError(
            f"there is no config.yaml beside {checkpoint} that names validation data. "
            "Remedy: name gold documents to compare on with --documents"
        )
    try:
        module = data_of_run(config, model.schema)
    except ValueError as error:
        raise ValueError(f"{error}, or name gold documents to compare on with --documents") from error
    module.prepare(("val",))
    return module.task_documents("val")


def provenance(checkpoint: Path, model: EncoderModel) -> dict[str, Any]:
    """Where a model comes from: versions, hashes of checkpoint and data, seed."""
    run_folder = run_of(checkpoint)
    record = run_folder / "data.json" if run_folder else None
    data = json.loads(record.read_text(encoding="utf-8")) if record and record.exists() else {}
    return {
        "checkpoint_sha256": sha256_of(checkpoint),
        "seed": model.seed,
        "data_sha256": {split: read["sha256"] for split, read in data.items() if "sha256" in read},
        # a bundle is handed on: no paths of this machine
        "environment": {name: value for name, value in environment().items() if name != "command"},
    }

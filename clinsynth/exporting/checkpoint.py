"""A checkpoint becomes a bundle: its model, the documents to compare on, and where it comes from."""

from __future__ import annotations

import json
from argparse import ArgumentError
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentParser

from clinsynth.corpora.labels import restrict
from clinsynth.datamodules.base import DocumentDataModule
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
    if gold is None:
        gold = _validation_part(checkpoint, model)
    gold = [restrict(document, model.schema) for document in gold]
    return write_bundle(model, out, gold, provenance(checkpoint, model), max_f1_drop, replace)


def _validation_part(checkpoint: Path, model: EncoderModel) -> list[Document]:
    run_folder = run_of(checkpoint)
    config = run_folder / "config.yaml" if run_folder else None
    if config is None or not config.exists():
        raise ValueError(
            f"there is no config.yaml beside {checkpoint} that names validation data. "
            "Remedy: name gold documents to compare on with --documents"
        )
    data = current(yaml.safe_load(config.read_text(encoding="utf-8"))["data"])
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--data", type=DocumentDataModule)
    options = {**data.get("init_args", {}), "schema": model.schema.to_json()}
    named = {"class_path": data["class_path"], "init_args": options}
    try:
        made = parser.instantiate(parser.parse_object({"data": named}))
    except ArgumentError as error:
        raise ValueError(
            f"the validation data of {config} cannot be read: {data['class_path']}: "
            f"{str(error).splitlines()[-1].strip()}. Remedy: install the package that it is of, or name gold "
            "documents to compare on with --documents"
        ) from error
    module: DocumentDataModule = made.data
    module.prepare(("val",))
    return module.task_documents("val")


def current(config: Any) -> Any:
    """A run's config without the options of ``Synthetic`` that there were once, where they are not used."""
    if isinstance(config, dict):
        return {
            name: current(value)
            for name, value in config.items()
            if value is not None or name not in ("replies", "generation", "folder")
        }
    return [current(value) for value in config] if isinstance(config, list) else config


def provenance(checkpoint: Path, model: EncoderModel) -> dict[str, Any]:
    """Where a model comes from: versions, hashes of checkpoint and data, seed."""
    run_folder = run_of(checkpoint)
    record = run_folder / "data.json" if run_folder else None
    data = json.loads(record.read_text(encoding="utf-8")) if record and record.exists() else {}
    return {
        "checkpoint_sha256": sha256_of(checkpoint),
        "seed": model.seed,
        "data_sha256": {split: read["sha256"] for split, read in data.items() if "sha256" in read},
        "environment": environment(),
    }

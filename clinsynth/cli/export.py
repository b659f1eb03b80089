"""``clinsynth export``: a checkpoint becomes a bundle that runs without torch."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
import yaml
from jsonargparse import ArgumentParser
from rich.console import Console

from clinsynth.cli.run import run
from clinsynth.corpora.labels import restrict
from clinsynth.datamodules.base import DocumentDataModule
from clinsynth.exporting.gate import table
from clinsynth.exporting.write import write_bundle
from clinsynth.formats import registry
from clinsynth.models.base import DocumentModel
from clinsynth.runs.folder import best_of, run_of
from clinsynth.runs.record import environment
from clinsynth_onnx.document import Document
from clinsynth_onnx.files import sha256_of


def export(checkpoint: str, out: str, documents: str | None = None, max_f1_drop: float = 0.005) -> None:
    """Writes a bundle and shows how each of its variants compares with torch.

    Args:
        checkpoint: A checkpoint, a run folder, or a folder of runs, of which the newest that has a best
            checkpoint is taken.
        out: The folder to write, or a file that ends in .zip.
        documents: Gold documents to compare on, in any corpus format. Default: the validation part of
            the data that the run's config names.
        max_f1_drop: A variant that loses more than this is refused and removed.
    """
    path = best_of(checkpoint)
    gold = list(registry.read(Path(documents))) if documents is not None else None
    export_to(path, Path(out), gold, max_f1_drop)
    print(f"The bundle is {out}")


def export_to(
    checkpoint: Path, out: Path, gold: list[Document] | None = None, max_f1_drop: float = 0.005
) -> None:
    """Exports a checkpoint; compares on ``gold`` or, if not given, on its run's validation part."""
    model = load_model(checkpoint)
    if gold is None:
        gold = _validation_part(checkpoint, model)
    gold = [restrict(document, model.schema) for document in gold]
    gate = write_bundle(model, out, gold, provenance(checkpoint, model), max_f1_drop)
    Console(width=200).print(table(gate))


def load_model(path: Path) -> DocumentModel:
    """The model of a checkpoint, whatever its class. Raises ``ValueError``."""
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        name = checkpoint[DocumentModel.CHECKPOINT_HYPER_PARAMS_KEY]["_class_path"]
    except (KeyError, TypeError, RuntimeError, EOFError, ValueError, UnpicklingError) as error:
        raise ValueError(
            f"{path} is not a checkpoint of clinsynth ({type(error).__name__}). Remedy: name another"
        ) from error
    module, _, attribute = name.rpartition(".")
    kind = getattr(importlib.import_module(module), attribute)
    if not (isinstance(kind, type) and issubclass(kind, DocumentModel)):
        raise ValueError(f"{path} holds a {name}, which is not a model of clinsynth. Remedy: name another")
    return kind.load_from_checkpoint(path, map_location="cpu", weights_only=True).eval()


def _validation_part(checkpoint: Path, model: DocumentModel) -> list[Document]:
    run_folder = run_of(checkpoint)
    config = run_folder / "config.yaml" if run_folder else None
    if config is None or not config.exists():
        raise ValueError(
            f"there is no config.yaml beside {checkpoint} that names validation data. "
            "Remedy: name gold documents to compare on with --documents"
        )
    data = yaml.safe_load(config.read_text(encoding="utf-8"))["data"]
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--data", type=DocumentDataModule)
    options = {**data.get("init_args", {}), "schema": model.schema.to_json()}
    for name in ("replies", "generation", "folder"):  # null in the config of each older run on written text
        if options.get(name, "") is None:
            del options[name]
    made = parser.instantiate_classes(
        parser.parse_object({"data": {"class_path": data["class_path"], "init_args": options}})
    )
    module: DocumentDataModule = made.data
    module.prepare(("val",))
    return module.part("val")


def provenance(checkpoint: Path, model: DocumentModel) -> dict[str, Any]:
    """Where a model comes from: versions, hashes of checkpoint and data, seed."""
    run_folder = run_of(checkpoint)
    record = run_folder / "data.json" if run_folder else None
    data = json.loads(record.read_text(encoding="utf-8")) if record and record.exists() else {}
    return {
        "checkpoint_sha256": sha256_of(checkpoint),
        "seed": model.seed,
        "data_sha256": {part: own["sha256"] for part, own in data.items() if "sha256" in own},
        "environment": environment(),
    }


def main(arguments: Sequence[str]) -> None:
    """Runs the command."""
    run(export, arguments, "clinsynth export")

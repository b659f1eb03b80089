"""``clinsynth tag``: a model's entities, in colour."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from clinsynth.cli.highlighting import show
from clinsynth.cli.run import run
from clinsynth.runs.folder import best_of, bundle_of, run_of
from clinsynth_onnx.bundle import MANIFEST, Bundle
from clinsynth_onnx.document import Document
from clinsynth_onnx.files import sha256_of
from clinsynth_onnx.predictor import Predictor


def tag(model: str, batch_tokens: int = 2048) -> None:
    """Shows the entities that a model finds in the lines of standard input.

    A bundle is there at once. To load a checkpoint takes seconds, so where its run has a bundle of it
    (fit --export true), that is taken instead.

    Args:
        model: Bundle, checkpoint file, run folder, or folder of runs, of which the newest that has a best
            checkpoint is taken.
        batch_tokens: Padded tokens of one forward pass, at most.
    """
    bundle = _bundle(Path(model))
    documents = [Document(line.rstrip("\n")) for line in sys.stdin]
    if bundle is None:
        found, labels = _by_checkpoint(best_of(model), documents, batch_tokens)
    else:
        with Predictor.load(bundle.path, batch_tokens=batch_tokens) as predictor:
            found, labels = predictor(documents), predictor.schema.entity_labels
    console = Console(highlight=False)
    for document in found:
        show(document, labels, console)


def _bundle(model: Path) -> Bundle | None:
    """The bundle that is named, or that was made of the checkpoint that is named."""
    if model.suffix == ".zip" or (model / MANIFEST).is_file():
        bundle = Bundle.open(model)
    else:
        checkpoint = best_of(str(model))
        folder = run_of(checkpoint)
        inside = bundle_of(folder) if folder else None
        if inside is None or inside == folder:
            return None
        bundle = Bundle.open(inside)
        if bundle.manifest.get("made", {}).get("checkpoint_sha256") != sha256_of(checkpoint):
            return None
    _check(bundle.task == "token-classification", model)
    return bundle


def _by_checkpoint(
    path: Path, documents: Sequence[Document], batch_tokens: int
) -> tuple[list[Document], tuple[str, ...]]:
    from clinsynth.models import TokenClassification  # which takes seconds
    from clinsynth.models.loading import load_model

    model = load_model(path)
    _check(isinstance(model, TokenClassification), path)
    return model.read(documents, batch_tokens), model.schema.entity_labels


def _check(finds_entities: bool, model: Path) -> None:
    if not finds_entities:
        raise ValueError(f"{model} relates entities and finds none. Remedy: name a model that finds them")


def main(arguments: list[str]) -> None:
    """Runs the command."""
    run(tag, arguments, "clinsynth tag")

"""``clinsynth tag``: a checkpoint's entities, in colour."""

from __future__ import annotations

import sys

import torch
from rich.console import Console

from clinsynth.cli.highlighting import show
from clinsynth.cli.run import run
from clinsynth.datamodules.batches import DocumentBatch
from clinsynth.models.token_classification import TokenClassification
from clinsynth.runs.folder import best_of
from clinsynth_onnx.document import Document


def tag(checkpoint: str, batch_tokens: int = 2048) -> None:
    """Shows the entities that a checkpoint finds in the lines of standard input.

    Args:
        checkpoint: A checkpoint of a token classification model, a run folder, or a folder of runs, of
            which the newest that has a best checkpoint is taken.
        batch_tokens: Padded tokens of one forward pass, at most.
    """
    model = TokenClassification.load_from_checkpoint(best_of(checkpoint), map_location="cpu").eval()
    lines = [line.rstrip("\n") for line in sys.stdin]
    features = model.codec.encode([Document(line) for line in lines])
    with torch.inference_mode():
        documents = model.annotate(DocumentBatch(features, range(len(lines)), batch_tokens))
    console = Console(highlight=False)
    for document in documents:
        show(document, model.schema.entity_labels, console)


def main(arguments: list[str]) -> None:
    """Runs the command."""
    run(tag, arguments, "clinsynth tag")

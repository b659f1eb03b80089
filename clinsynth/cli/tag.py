"""``clinsynth tag``: a checkpoint's entities, in colour."""

from __future__ import annotations

import sys

from clinsynth.cli.highlighting import show
from clinsynth.cli.run import run
from clinsynth.runs.folder import best_of
from clinsynth_onnx.document import Document


def tag(checkpoint: str, batch_tokens: int = 2048) -> None:
    """Shows the entities that a checkpoint finds in the lines of standard input.

    Args:
        checkpoint: Checkpoint file of a token classification model, run folder, or folder of runs, of which
            the newest that has a best checkpoint is taken.
        batch_tokens: Padded tokens of one forward pass, at most.
    """
    path = best_of(checkpoint)

    import torch  # which takes seconds, as what imports it does
    from rich.console import Console

    from clinsynth.datamodules.batches import DocumentBatch
    from clinsynth.models import TokenClassification
    from clinsynth.models.loading import load_model

    model = load_model(path)
    if not isinstance(model, TokenClassification):
        raise ValueError(f"{path} relates entities and finds none. Remedy: name a checkpoint that finds them")
    documents = [Document(line.rstrip("\n")) for line in sys.stdin]
    with torch.inference_mode():
        found = model.annotate(
            DocumentBatch(model.codec.encode(documents), range(len(documents)), batch_tokens)
        )
    console = Console(highlight=False)
    for document in found:
        show(document, model.schema.entity_labels, console)


def main(arguments: list[str]) -> None:
    """Runs the command."""
    run(tag, arguments, "clinsynth tag")

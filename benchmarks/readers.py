"""How well models agree with each of several readers of the same texts, beside how well the readers agree.

    python benchmarks/readers.py --readers FIRST SECOND --runs RUN [RUN ...]

Readers are files of any format with the same documents in the same order; runs are run folders or
checkpoints, seeds of one config, say: printed are means over them, with the lowest and the highest. The
readers' agreement is the F1 of the second against the first.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

import torch

from clinsynth.formats import registry
from clinsynth.metrics.metric import EntityScores
from clinsynth.models.loading import load_model
from clinsynth.runs.folder import best_of
from clinsynth_onnx.document import Document


def scored(found: Sequence[Document], gold: Sequence[Document], labels: Sequence[str]) -> dict[str, float]:
    """Strict and relaxed F1, of all labels and of each."""
    scores = EntityScores(labels)
    scores.update(found, gold, range(len(gold)))
    return {name: value for name, value in scores.result().flat().items() if "_f1" in name}


def annotate(run: Path, documents: Sequence[Document]) -> tuple[list[Document], tuple[str, ...]]:
    """What a run's best checkpoint finds, and its labels."""
    model = load_model(best_of(run))
    with torch.autocast("cpu", torch.bfloat16):
        found = model.read([document.annotated(()) for document in documents])
    return found, model.schema.entity_labels


def spread(values: Sequence[float]) -> str:
    """Mean, lowest and highest."""
    return f"{statistics.mean(values):.3f} ({min(values):.3f}-{max(values):.3f})"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=Path, nargs="+", required=True)
    parser.add_argument("--runs", type=Path, nargs="+", required=True)
    settings = parser.parse_args()
    readers = [list(registry.read(path)) for path in settings.readers]
    texts = [[document.text for document in documents] for documents in readers]
    if any(other != texts[0] for other in texts):
        parser.error("the readers' documents are not the same texts in the same order")
    by_reader: list[list[dict[str, float]]] = [[] for _ in readers]
    labels: tuple[str, ...] = ()
    for run in settings.runs:
        found, labels = annotate(run, readers[0])
        for scores, gold in zip(by_reader, readers, strict=True):
            scores.append(scored(found, gold, labels))
    columns = ["F1", *(f"against {path.stem}" for path in settings.readers), "readers' agreement"]
    print(f"{len(texts[0])} documents, {len(settings.runs)} models\n")
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    agreement = scored(readers[1], readers[0], labels) if len(readers) > 1 else {}
    for name in by_reader[0][0]:
        cells = [spread([scores[name] for scores in one]) for one in by_reader]
        print(f"| {name} | {' | '.join(cells)} | {f'{agreement[name]:.3f}' if agreement else ''} |")


if __name__ == "__main__":
    main()

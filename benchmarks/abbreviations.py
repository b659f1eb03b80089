"""What each rule of abbreviations is worth, and what they cost: strict F1 with and without.

    python benchmarks/abbreviations.py CORPUS CHECKPOINT [CHECKPOINT ...]

CORPUS is an annotated file of any format, e.g. the development split of NCBI Disease or BC5CDR; labels that
the task does not have are its only label (NCBI Disease has four kinds of diseases). CHECKPOINT is a
checkpoint or a run folder. Never choose rules by a test split.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from clinsynth.formats import registry
from clinsynth.models.token_classification import TokenClassification
from clinsynth.runs.folder import best_of
from clinsynth_onnx.abbreviations import agreeing
from clinsynth_onnx.document import Document, Entity

Spans = dict[tuple[int, int], Entity]
Rule = Callable[[Spans, Spans], Spans]


def added(before: Spans, after: Spans) -> Spans:
    """Short forms of entities are entities."""
    return after | before


def dropped(before: Spans, after: Spans) -> Spans:
    """Short forms of what is no entity are none."""
    return {span: entity for span, entity in before.items() if span in after}


def relabelled(before: Spans, after: Spans) -> Spans:
    """Short forms have the label of their long forms."""
    return {span: after.get(span, entity) for span, entity in before.items()}


RULES: dict[str, Rule] = {
    "without": lambda before, after: before,
    "add": added,
    "drop": dropped,
    "relabel": relabelled,
    "all": lambda before, after: after,
}


def annotate(checkpoint: Path, documents: Sequence[Document], labels: set[str]) -> list[Document]:
    """What a checkpoint finds when it does not look at abbreviations."""
    model = TokenClassification.load_from_checkpoint(checkpoint, map_location="cpu", abbreviations=False)
    labels.update(model.schema.entity_labels)
    return model.eval().read([document.annotated(()) for document in documents])


def strict_f1(gold: Sequence[Document], found: Sequence[Spans], labels: set[str]) -> float:
    """Micro F1 over (document, start, end, label)."""
    right = stated = predicted = 0
    (only, *_) = labels
    for document, spans in zip(gold, found, strict=True):
        known = (e if e.label in labels else replace(e, label=only) for e in document.entities)
        wanted = {(e.start, e.end, e.label) for e in known}
        got = {(e.start, e.end, e.label) for e in spans.values()}
        right, stated, predicted = right + len(wanted & got), stated + len(wanted), predicted + len(got)
    return 2 * right / (stated + predicted)


def spans(document: Document) -> Spans:
    """Entities by where they are."""
    return {(e.start, e.end): e for e in document.entities}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("checkpoint", type=Path, nargs="+")
    arguments = parser.parse_args()
    gold = list(registry.read(arguments.corpus))
    print(f"| {arguments.corpus.name}, {len(gold)} documents | {' | '.join(RULES)} | us a document |")
    print("|---" * (len(RULES) + 2) + "|")
    columns: list[list[float]] = []
    for given in arguments.checkpoint:
        labels: set[str] = set()
        before = annotate(best_of(given), gold, labels)
        start = time.perf_counter()
        after = [agreeing(document) for document in before]
        cost = (time.perf_counter() - start) / len(gold) * 1e6
        pairs = [(spans(b), spans(a)) for b, a in zip(before, after, strict=True)]
        scores = [strict_f1(gold, [rule(*pair) for pair in pairs], labels) for rule in RULES.values()]
        columns.append(scores)
        print(f"| {given} | {' | '.join(f'{score:.4f}' for score in scores)} | {cost:.0f} |", flush=True)
    means = [statistics.mean(column) for column in zip(*columns, strict=True)]
    print(f"| mean | {' | '.join(f'{mean:.4f}' for mean in means)} | |")


if __name__ == "__main__":
    main()

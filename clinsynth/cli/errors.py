"""``clinsynth errors``: what a model gets wrong on your documents, to mend guidelines by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from clinsynth.cli.run import run
from clinsynth.corpora.labels import other_labels, tell_other_labels
from clinsynth.formats import registry
from clinsynth.formats.options import ReadingOptions
from clinsynth.formats.registry import FormatName
from clinsynth.metrics.errors import KINDS, Errors, errors, summary
from clinsynth.runs.folder import bundle_of
from clinsynth_onnx.bundle import Bundle
from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor

CONTEXT = 40  # characters on each side of a mention that is shown


def show_errors(
    model: Path,
    documents: Path,
    labels: dict[str, str] | None = None,
    top: int = 10,
    show_text: bool = False,
    format: FormatName | None = None,
    **reading: Any,
) -> None:
    """Counts a model's errors on labelled documents, by kind and by word.

    Read it on a validation split, never on a test split. Only counts and single words are printed, unless
    text is asked for.

    Args:
        model: A bundle, or a run folder that has one (``fit --export true``).
        documents: A file or folder of labelled documents, in any format.
        labels: What the model calls each label of the documents; as in the documents if not given.
        top: Number of words shown of each kind.
        show_text: Whether each error is shown with the text around it.
        format: Format of the documents; told from them if not given.
        reading: Options of ``ReadingOptions``.
    """
    read = registry.read(documents, format, ReadingOptions(**reading))
    gold = [document.relabelled(labels) if labels else document for document in read]
    bundle = Bundle.open(bundle_of(model))
    if bundle.task != "token-classification":
        raise ValueError(f"{model} finds no entities. Remedy: name a bundle that does")
    schema = bundle.schema()
    others = other_labels(gold, schema)
    if others:
        raise ValueError(
            f"{documents} has mentions that the model does not know: {tell_other_labels(others, schema)}; it "
            f"knows {', '.join(schema.entity_labels)}. Remedy: say which is which with --labels"
        )
    with Predictor.load(bundle.path) as predictor:
        found = list(predictor.stream(gold))
    console = Console(highlight=False, soft_wrap=True)
    for part in _tables(summary(zip(gold, found, strict=True)), len(gold), top):
        console.print(part)
    if show_text:
        for line in _lines(gold, found):
            console.print(line, markup=False)


def _tables(counted: Errors, documents: int, top: int) -> Iterator[Table | str]:
    wrong = counted.kinds.total()
    yield f"{documents} documents: {counted.right} mentions are right, {wrong} errors"
    labels = sorted({label for _, label in counted.kinds})
    table = Table("errors", *labels)
    for kind in KINDS:
        table.add_row(kind, *(str(counted.kinds[kind, label]) for label in labels))
    yield table
    table = Table("where", "words, the commonest first")
    for where, words in sorted(counted.words.items()):
        table.add_row(where, ", ".join(f"{word} {n}" for word, n in words.most_common(top)))
    turns = sorted(counted.by_turns.items(), key=lambda item: (-min(item[1]), item[0]))
    single = [f"{name} {n[0]}/{n[1]}" for name, n in turns if len(name.split()) == 1]
    if single:
        table.add_row("found / missed by turns", ", ".join(single[:top]))
    yield table


def _lines(gold: Sequence[Document], found: Sequence[Document]) -> Iterator[str]:
    for document, other in zip(gold, found, strict=True):
        for error in errors(document, other):
            entities = [entity for entity in (error.gold, error.found) if entity is not None]
            start, end = min(e.start for e in entities), max(e.end for e in entities)
            around = document.text[max(0, start - CONTEXT) : end + CONTEXT].replace("\n", " ")
            told = [f"[{document.mention(e)}] {e.label}" if e else "nothing" for e in error[1:]]
            yield f"{document.id}: {error.kind}: {told[0]}, found {told[1]}: ...{around}..."


def main(arguments: list[str]) -> None:
    """Runs the command."""
    run(show_errors, arguments, "clinsynth errors")

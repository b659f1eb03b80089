"""``clinsynth generate audit``: what a corpus repeats of a real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from clinsynth.cli.generate.real import Real, real_parts
from clinsynth.curation.balance import vocabulary_gap
from clinsynth.curation.curate import Curation
from clinsynth.curation.leaks import audit as find_leaks
from clinsynth.curation.leaks import summary
from clinsynth.formats import registry
from clinsynth.formats.options import ReadingOptions
from clinsynth.formats.registry import FormatName
from clinsynth.formats.tasks import read_task
from clinsynth.synthesis.generate import write_lines


def audit(
    task: Path,
    corpus: Path,
    real: Real,
    out: Path | None = None,
    curation: Curation = Curation(),  # noqa: B008
    format: FormatName | None = None,
    **reading: Any,
) -> None:
    """Compares any corpus with a real one: what it repeats, and what of its vocabulary it lacks.

    Args:
        task: The task: a task.yaml.
        corpus: The corpus to judge, in any format.
        real: The real corpus, e.g. NCBIDisease.
        out: A file for the offending pairs, one JSON object a line.
        curation: What counts as a leak.
        format: Format of the corpus to judge; told from it if not given.
        reading: Options of ``ReadingOptions``.
    """
    schema = read_task(task)
    documents = list(registry.read(corpus, format, ReadingOptions(**reading)))
    parts, absent = real_parts(real, schema)
    leaks = find_leaks(documents, parts, curation.leak_ngram, curation.leak_similarity, schema.layout)
    table = Table(
        "part", f"{curation.leak_ngram} words in a row", "similar sentences", "documents", "words known"
    )
    for split, found in summary(leaks, parts).items():
        known = vocabulary_gap(documents, parts[split])["tokens"]
        numbers = (found["ngram"], found["near duplicate"], found["documents"])
        table.add_row(split, *map(str, numbers), f"{known:.1%}")
    Console().print(table)
    for split, problem in absent.items():
        print(f"{split}: not compared: {problem}")
    if out is not None:
        write_lines(out, (leak.to_json() for leak in leaks))
        print(f"the pairs are in {out}")

"""The whole of an annotation: rows through a chain into a file that is there when all of it is done."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from clinsynth.annotating import sinks, sources
from clinsynth.annotating.annotator import RowAnnotator
from clinsynth.annotating.journal import INPUT, Journal, alone, reject, rejected, written
from clinsynth.annotating.reporter import Reporter
from clinsynth.annotating.rows import STDIN, Columns, Row
from clinsynth_onnx.chain import Chain
from clinsynth_onnx.document import Document
from clinsynth_onnx.files import json_line


def to_stdout(chain: Chain, source: str, format: str, columns: Columns) -> Reporter:
    """Annotates rows to JSON lines on standard output; bad rows are told only."""
    reporter = Reporter()
    for _, done in RowAnnotator(chain).blocks(sources.read(source, format, columns)):
        for row in done:
            if row.document is None:
                reporter.refuse(row.place, row.problem)
            else:
                reporter.documents += 1
                sys.stdout.buffer.write(json_line(row.document.to_json(mentions=True)).encode("utf-8"))
        sys.stdout.buffer.flush()
    return reporter


def to_file(
    chain: Chain, source: str, from_format: str, columns: Columns, output: Path, to_format: sinks.OutputName
) -> Reporter:
    """Annotates rows into a file; what was begun before and stopped goes on.

    Args:
        chain: What annotates.
        source: A file, a folder, or ``-`` for standard input.
        from_format: The format of the source.
        columns: Which fields of it hold what.
        output: A file or folder; the bad rows are beside it.
        to_format: The format of the output.

    Raises ``FileExistsError`` if the output is there, ``ValueError`` if what was begun is something else.
    """
    check_absent(output)
    check_outside(output, source, from_format)
    reporter = Reporter()
    ignored = written(output)
    rows = sources.read(source, from_format, columns, ignored)
    reading = columns.reading.given().items()
    signature = {
        INPUT: "" if source == STDIN else sources.fingerprint(source, from_format, ignored),
        "the input format": ", ".join(
            map(str, [from_format, columns.text, columns.id, columns.quoted, *reading])
        ),
        "the bundle": chain.predictors[0].bundle.manifest_sha256,
        "the relation bundle": "".join(
            predictor.bundle.manifest_sha256 for predictor in chain.predictors[1:]
        ),
        "what computes it": " / ".join(
            f"{predictor.engine.about}, {predictor.batch_tokens} tokens a run"
            for predictor in chain.predictors
        ),
    }
    with alone(output):
        check_absent(output)  # another process may have finished it
        journal = Journal(output, signature, resumable=source != STDIN)
        try:
            _to_journal(RowAnnotator(chain), rows, journal, reporter, sources.size(source, from_format))
        finally:
            journal.close()
        _finish(journal, output, to_format, columns, reporter)
    return reporter


def check_absent(output: Path) -> None:
    """Raises ``FileExistsError`` if there is such a file or folder."""
    if output.exists():
        raise FileExistsError(f"{output} exists already. Remedy: remove it, or write elsewhere")


def check_outside(output: Path, source: str, from_format: str) -> None:
    """Raises ``ValueError`` if the output is in a corpus folder, all of which is read."""
    folder = Path(source)
    if from_format != "text" and folder.is_dir() and output.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{output} is in the folder that is read. Remedy: write elsewhere")


def _to_journal(
    annotator: RowAnnotator, rows: Iterator[Row], journal: Journal, reporter: Reporter, total: int | None
) -> None:
    reporter.go_on(journal.rows - journal.rejected, journal.rejected)
    columns = (
        TextColumn("{task.fields[documents]} documents, {task.fields[rate]:.0f}/s"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total, documents=reporter.documents, rate=0.0)
        for block, done in annotator.blocks(islice(rows, journal.rows, None)):
            bad = [row for row in done if row.document is None]
            for row in bad:
                reporter.refuse(row.place, row.problem)
            good = [row.document for row in done if row.document is not None]
            journal.add(len(block), good, bad)
            reporter.documents += len(good)
            bar.update(task, completed=block[-1].done, documents=reporter.documents, rate=reporter.rate)


def _finish(
    journal: Journal, output: Path, to_format: sinks.OutputName, columns: Columns, reporter: Reporter
) -> None:
    """Brings the work into its format and the bad rows beside it, and removes the journal's folder."""
    rejects = journal.folder / "all_rejects.jsonl"
    shutil.copyfile(journal.rejects, rejects)
    with rejects.open("ab") as stream:

        def refuse(document: Document, problem: str) -> None:
            reporter.refuse(f"document {document.id}", problem)
            reporter.documents -= 1
            raw = json_line(document.to_json()).rstrip("\n")
            row = Row(f"document {document.id}", None, problem, raw)
            stream.write(json_line(reject(row)).encode("utf-8"))

        result = sinks.write(journal.documents, journal.folder, to_format, columns, refuse)
    if rejects.stat().st_size:
        rejects.replace(rejected(output))
    else:
        rejected(output).unlink(missing_ok=True)  # of an earlier run
    result.rename(output)  # last, so that all is there when the output is
    journal.remove()

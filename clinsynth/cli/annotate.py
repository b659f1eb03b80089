"""``clinsynth annotate``: files of any size through a bundle."""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from clinsynth.annotating import sinks, sources
from clinsynth.annotating.annotator import Annotator
from clinsynth.annotating.journal import INPUT, Journal, alone, line, reject, rejected, written
from clinsynth.annotating.rows import STDIN, Columns, Row
from clinsynth.cli.exits import INCOMPLETE, INTERRUPTED
from clinsynth.cli.run import run
from clinsynth_onnx.bundle import MANIFEST
from clinsynth_onnx.chain import Chain
from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor

STDOUT = "-"
SHOWN = 20  # bad rows that are told one by one


def annotate(
    bundle: str,
    input: str,
    output: str,
    relations: str | None = None,
    input_format: str | None = None,
    output_format: str | None = None,
    text_column: str = "text",
    id_column: str = "id",
    engine: str = "auto",
    variant: str = "auto",
    workers: int | None = None,
    threads: int = 1,
) -> None:
    """Annotates every row of the input. Stopped work goes on with the same command.

    Bad rows are told, kept in OUTPUT.rejects.jsonl, and passed over. The exit code is 0 if there were
    none, 3 if there were, 130 after Ctrl-C, 1 if the work could not be done.

    Args:
        bundle: What annotates: a bundle, a folder or a zip file.
        input: A file, a folder of .txt files, or - for lines of standard input.
        output: A file (brat: a folder), or - for JSON lines on standard output.
        relations: A relation bundle, to relate the entities that were found.
        input_format: text, lines, jsonl, csv, tsv, parquet, or a corpus format; told from the input if
            not given.
        output_format: jsonl, html, pubtator, brat, bioc-xml, bioc-json, iob1, iob2, iobes; told from the
            ending of the output if not given.
        text_column: The field or column of the text.
        id_column: The field or column of the id; the row's number where there is none.
        engine: onnxruntime, openvino, cuda, or auto for the fastest that is fit.
        variant: A network of the bundle, or auto.
        workers: Runs at the same time; by default one for each core that threads leaves.
        threads: Cores of one run.
    """
    columns = Columns(text_column, id_column)
    from_format = sources.format_of(input, input_format)
    to_format = sinks.format_of(output, output_format or (sinks.JSONL if output == STDOUT else None))
    if output == STDOUT and to_format != sinks.JSONL:
        raise ValueError(f"standard output takes JSON lines, not {to_format}. Remedy: name a file to write")
    target = Path(output)
    if output != STDOUT:
        _check_absent(target)
    predictors = [
        Predictor.load(one, engine=engine, variant=variant, workers=workers, threads=threads)
        for one in (bundle, relations)
        if one is not None
    ]
    annotator = Annotator(Chain(predictors[0], predictors[1] if relations else None))
    told = Told()
    try:
        if output == STDOUT:
            _to_stdout(annotator, sources.read(input, from_format, columns), told)
        else:
            own = written(target)
            rows = sources.read(input, from_format, columns, own)
            signature = {
                INPUT: "" if input == STDIN else sources.fingerprint(input, own),
                "the input format": f"{from_format}, {text_column}, {id_column}",
                "the bundle": _manifest(bundle),
                "the relation bundle": _manifest(relations) if relations else "",
                "what computes it": " / ".join(
                    f"{one.engine.about}, {one.batch_tokens} tokens a run" for one in predictors
                ),
            }
            with alone(target):
                _check_absent(target)  # another process may have finished it
                journal = Journal(target, signature, resumable=input != STDIN)
                try:
                    _to_journal(annotator, rows, journal, told, sources.size(input, from_format))
                finally:
                    journal.close()
                _finish(journal, target, to_format, told)
    except KeyboardInterrupt:
        for predictor in predictors:
            predictor.close()
        again = "" if STDIN in (input, output) else " The same command goes on from here."
        print(f"\nStopped.{again}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    told.end(" / ".join(one.about for one in predictors), output)
    for predictor in predictors:
        predictor.close()
    if told.bad:
        sys.exit(INCOMPLETE)


def _check_absent(output: Path) -> None:
    if output.exists():
        raise FileExistsError(f"{output} exists already. Remedy: remove it, or write elsewhere")


class Told:
    """What people are told on the way, never with the text."""

    def __init__(self) -> None:
        self.documents = 0
        self.bad = 0
        self.before = 0
        self._start = time.perf_counter()

    def refuse(self, place: str, problem: str) -> None:
        """Tells of a bad row, unless there were many."""
        self.bad += 1
        if self.bad <= SHOWN:
            print(f"{place}: {problem}", file=sys.stderr)
        elif self.bad == SHOWN + 1:
            print("... further bad rows are counted only", file=sys.stderr)

    def end(self, about: str, output: str) -> None:
        """Tells what was done."""
        seconds = time.perf_counter() - self._start
        rate = (self.documents - self.before) / seconds
        bad = f", {self.bad} bad rows" if self.bad else ""
        kept = f", kept in {output}.rejects.jsonl" if self.bad and output != STDOUT else ""
        where = "" if output == STDOUT else f": {output}"
        print(
            f"{self.documents} documents{bad}{kept}, {rate:.1f} documents/s with {about}{where}",
            file=sys.stderr,
        )


def _to_stdout(annotator: Annotator, rows: Iterator[Row], told: Told) -> None:
    for _, done in annotator.blocks(rows):
        for row in done:
            if row.document is None:
                told.refuse(row.place, row.problem)
            else:
                told.documents += 1
                sys.stdout.buffer.write(line(row.document.to_json()))
        sys.stdout.buffer.flush()


def _to_journal(
    annotator: Annotator, rows: Iterator[Row], journal: Journal, told: Told, total: int | None
) -> None:
    told.bad = journal.rejected
    told.documents = told.before = journal.rows - journal.rejected
    if journal.rows:
        print(f"Going on after {journal.rows} rows", file=sys.stderr)
    columns = (
        TextColumn("{task.fields[documents]} documents, {task.fields[rate]:.0f}/s"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total, documents=told.documents, rate=0.0)
        start = time.perf_counter()
        for block, done in annotator.blocks(islice(rows, journal.rows, None)):
            bad = [row for row in done if row.document is None]
            for row in bad:
                told.refuse(row.place, row.problem)
            good = [row.document for row in done if row.document is not None]
            journal.add(len(block), good, bad)
            told.documents += len(good)
            rate = (told.documents - told.before) / (time.perf_counter() - start)
            bar.update(task, completed=block[-1].done, documents=told.documents, rate=rate)


def _finish(journal: Journal, output: Path, to_format: str, told: Told) -> None:
    """Brings the work into its format and the bad rows beside it, and removes the journal's folder."""
    rejects = journal.folder / "all_rejects.jsonl"
    shutil.copyfile(journal.rejects, rejects)
    with rejects.open("ab") as stream:

        def refuse(document: Document, problem: str) -> None:
            told.refuse(f"document {document.id}", problem)
            told.documents -= 1
            raw = line(document.to_json()).decode("utf-8").rstrip("\n")
            stream.write(line(reject(Row(f"document {document.id}", None, problem, raw))))

        result = sinks.write(journal.documents, journal.folder, to_format, refuse)
    if rejects.stat().st_size:
        rejects.replace(rejected(output))
    else:
        rejected(output).unlink(missing_ok=True)  # of an earlier run
    result.rename(output)  # last, so that all is there when the output is
    journal.remove()


def _manifest(bundle: str) -> str:
    """The hash of what vouches for a bundle."""
    path = Path(bundle)
    file = path / MANIFEST if path.is_dir() else path
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def main(arguments: Sequence[str]) -> None:
    """Runs the command."""
    run(annotate, arguments, "clinsynth annotate")

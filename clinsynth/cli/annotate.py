"""``clinsynth annotate``: files of any size through a bundle."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clinsynth.annotating import sinks, sources, work
from clinsynth.annotating.journal import rejected
from clinsynth.annotating.rows import STDIN, Columns
from clinsynth.cli.run import run
from clinsynth.formats.options import ReadingOptions
from clinsynth.runs.exits import INCOMPLETE, INTERRUPTED
from clinsynth_onnx.chain import Chain
from clinsynth_onnx.engines import EngineChoice

STDOUT = "-"


def annotate(
    bundle: str,
    input: str,
    output: str,
    relations: str | None = None,
    input_format: sources.InputName | None = None,
    output_format: sinks.OutputName | None = None,
    text_column: str = "text",
    id_column: str = "id",
    quoted: bool | None = None,
    engine: EngineChoice = "auto",
    variant: str = "auto",
    workers: int | None = None,
    threads: int = 1,
    **reading: Any,
) -> None:
    """Annotates every row of the input. Stopped work goes on with the same command.

    Bad rows are told, kept in OUTPUT.rejects.jsonl, and passed over. The exit code is 0 if there were
    none, 3 if there were, 130 after Ctrl-C, 1 if the work could not be done.

    Args:
        bundle: Bundle that annotates: a folder or a zip file.
        input: File or folder of .txt files to annotate, or - for standard input.
        output: File to write (brat: a folder), or - for JSON lines on standard output. Tables keep the
            input's other columns.
        relations: Bundle that relates the entities that were found.
        input_format: Format of the input; told from it if not given.
        output_format: Format of the output; told from its ending if not given.
        text_column: Field or column that holds the text.
        id_column: Field or column that holds the id; the row's number where there is none.
        quoted: Whether fields of a CSV or TSV input may stand in quotation marks; by default in CSV, and not
            where tabs separate.
        reading: Options of ``ReadingOptions``.
        engine: Engine that computes the network; auto for the fastest that is installed and fit.
        variant: Network of the bundle, e.g. fp32 or int8; auto for the fastest that is fit.
        workers: Runs of the network at the same time; by default one for each core that threads leaves.
        threads: Cores of one run of the network.
    """
    columns = Columns(text_column, id_column, quoted, ReadingOptions(**reading))
    from_format = sources.format_of(input, input_format, columns)
    to_format = sinks.format_of(output, output_format or ("jsonl" if output == STDOUT else None))
    if output == STDOUT and to_format != "jsonl":
        raise ValueError(f"standard output takes JSON lines, not {to_format}. Remedy: name a file to write")
    if output != STDOUT:
        work.check_absent(Path(output))
    try:
        with Chain.load(
            bundle, relations, engine=engine, variant=variant, workers=workers, threads=threads
        ) as chain:
            if output == STDOUT:
                reporter = work.to_stdout(chain, input, from_format, columns)
                reporter.end(chain.about, "", "")
            else:
                reporter = work.to_file(chain, input, from_format, columns, Path(output), to_format)
                reporter.end(chain.about, output, str(rejected(Path(output))))
    except KeyboardInterrupt:
        again = "" if STDIN in (input, output) else " The same command goes on from here."
        print(f"\nStopped.{again}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    if reporter.bad:
        sys.exit(INCOMPLETE)


def main(arguments: Sequence[str]) -> None:
    """Runs the command."""
    run(annotate, arguments, "clinsynth annotate")

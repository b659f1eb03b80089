"""``clinsynth report``: runs, written corpora and bundles as one HTML page."""

from __future__ import annotations

import importlib.util
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from clinsynth.cli.run import run
from clinsynth.corpora import Corpus as RealCorpus
from clinsynth.corpora.base import SPLITS, at_hand
from clinsynth.formats import registry
from clinsynth_onnx.bundle import MANIFEST
from clinsynth_onnx.document import Document

PAGE = "report.html"
DRAWS = ("matplotlib", "jinja2")  # what the extra brings

SWITCHES = ("--show_text", "--show-text")  # may go without a value

log = logging.getLogger("clinsynth")


def report(
    paths: list[Path],
    out: Path | None = None,
    documents: Path | None = None,
    real: RealCorpus | None = None,
    show_text: bool = False,
) -> None:
    """Writes one HTML page that opens from disk: what it is, what it scored, and where it goes wrong.

    Several runs or bundles are compared side by side. The page needs no network and no server.

    Args:
        paths: Run folders (or folders of runs, of which the newest is taken), folders that generate wrote,
            and bundles, in the order of the page.
        out: The file to write. Default: report.html in the first path; BUNDLE.html beside a bundle.
        documents: Labelled documents, in any format, to try bundles on.
        real: A real corpus to show beside written ones, e.g. NCBIDisease; it is read here and sent nowhere.
        show_text: Whether text of documents is shown; without it there are counts and single words of
            errors.
    """
    needs_extra()
    from clinsynth.reporting.inputs import open_input
    from clinsynth.reporting.page import write

    gold = list(registry.read(documents)) if documents is not None else []
    parts: Mapping[str, Sequence[Document]] = {}
    if real is not None:
        if importlib.util.find_spec("datasketch") is None:
            raise ValueError("--real compares texts with datasketch. Remedy: pip install 'clinsynth[train]'")
        parts, absent = at_hand(real, SPLITS)
        if not parts:
            raise ValueError(f"{type(real).__name__} has no part that can be read: {absent}")
    inputs = [open_input(path, parts, gold) for path in paths]
    place = out or _beside(paths[0])
    write(place, inputs, show_text)
    print(f"The report is {place}")


def needs_extra() -> None:
    """Raises ``ModuleNotFoundError`` unless what draws the page is installed."""
    for name in DRAWS:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def tell_report(run_folder: Path) -> None:
    """Writes the page of a run into its folder and says where it is; a run never fails for it."""
    try:
        needs_extra()
    except ModuleNotFoundError as error:
        print(
            f"For a page of this run: pip install 'clinsynth[report]' ({error.name} is missing), then "
            f"clinsynth report {run_folder}"
        )
        return
    try:
        from clinsynth.reporting.page import write
        from clinsynth.reporting.run_folder import Run

        write(run_folder / PAGE, [Run(run_folder)])
    except Exception as error:  # whatever it is: the run is worth more than its picture
        log.debug("the report failed", exc_info=True)
        print(
            f"The report could not be made ({type(error).__name__}: {error}). The run is whole; "
            f"clinsynth report {run_folder} tries again"
        )
    else:
        print(f"The report is {run_folder / PAGE}")


def _beside(path: Path) -> Path:
    """In a folder; beside a bundle, which is whole as it is."""
    if path.is_file() or (path / MANIFEST).exists():
        return path.with_name(f"{path.name}.html")
    return path / PAGE


def main(arguments: Sequence[str]) -> None:
    """Runs the command."""
    run(report, _paths_as_list(arguments), "clinsynth report")


def _paths_as_list(arguments: Sequence[str]) -> list[str]:
    """The arguments with all paths as the one list that the parser wants, wherever they stand."""
    options: list[str] = []
    paths: list[str] = []
    left = list(arguments)
    while left:
        argument = left.pop(0)
        if not argument.startswith("-"):
            paths.append(argument)
            continue
        options.append(argument)
        switch = argument in SWITCHES and left[:1] not in (["true"], ["false"])
        if left and not ("=" in argument or switch or left[0].startswith("-")):
            options.append(left.pop(0))
    return [json.dumps(paths), *options] if paths else options

"""Which format a file or folder is in."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from clinsynth.formats import brat
from clinsynth.formats.conll_lines import seem_tagged
from clinsynth.formats.lines import read_text

FIRST = 20  # lines that tell


def detected(path: Path, endings: Mapping[str, str]) -> str | None:
    """The name of the format, or ``None`` if neither ending nor first lines tell.

    Args:
        path: A file or folder.
        endings: Names of formats by the endings of their files.
    """
    if path.is_dir():
        marks = (*brat.BRAT, *brat.SHARED_TASK)
        return "brat" if any(file.suffix in marks for file in path.rglob("*")) else "text"
    ending = (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()
    found = endings.get(ending)
    if ending in (".txt", ".tsv"):
        lines = _first_lines(path)
        if lines and lines[0].split("|")[1:2] == ["t"]:
            return "pubtator"
        if seem_tagged(lines):
            return "iob2"
    return "text" if ending == ".txt" else found


def _first_lines(path: Path) -> list[str]:
    """Some lines that are not empty."""
    return list(islice((line for line in read_text(path).split("\n") if line.strip()), FIRST))

"""Which format a file or folder is in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from clinsynth.formats import brat, doccano
from clinsynth.formats.conll_lines import seem_tagged
from clinsynth.formats.lines import read_text

HEAD = 4096  # bytes that tell
FIRST = 20  # lines that tell


def detected(path: Path, endings: Mapping[str, str]) -> str | None:
    """The name of the format, or ``None`` if neither ending nor first lines tell.

    Args:
        path: A file or folder.
        endings: Names of formats by the endings of their files.
    """
    if path.is_dir():
        files = list(path.rglob("*"))
        if any(file.suffix in (*brat.BRAT, *brat.SHARED_TASK) for file in files):
            return "brat"
        xml = (file for file in files if file.suffix.lower() in (".xmi", ".xml"))
        return "xmi" if any(map(is_xmi, xml)) else "text"
    ending = (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()
    found = endings.get(ending)
    if ending == ".xml" and is_xmi(path):
        return "xmi"
    if ending == ".jsonl" and _is_doccano(_first_lines(path)):
        return "doccano"
    if ending == ".json" and _is_label_studio(read_text(path)):
        return "label-studio"
    if ending in (".txt", ".tsv"):
        lines = _first_lines(path)
        if lines and lines[0].split("|")[1:2] == ["t"]:
            return "pubtator"
        if seem_tagged(lines):
            return "iob2"
    return "text" if ending == ".txt" else found


def _is_doccano(lines: Sequence[str]) -> bool:
    """Whether the first line has spans as doccano spells them."""
    try:
        value = json.loads(lines[0]) if lines else None
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict) or "text" not in value:
        return False
    entities = value.get("entities")
    return any(name in value for name in doccano.MARKS) or (
        isinstance(entities, list) and any("start_offset" in entity for entity in entities[:1])
    )


def _is_label_studio(text: str) -> bool:
    """Whether JSON is a list of tasks, which have data."""
    if not text.lstrip("\ufeff \t\r\n").startswith("["):
        return False
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return bool(value) and isinstance(value[0], dict) and "data" in value[0]


def is_xmi(path: Path) -> bool:
    """Whether a file of XML seems to be UIMA XMI."""
    if path.suffix == ".gz" or not path.is_file():
        return False
    with path.open("rb") as stream:
        return b"http://www.omg.org/XMI" in stream.read(HEAD)


def _first_lines(path: Path) -> list[str]:
    """Some lines that are not empty."""
    return list(islice((line for line in read_text(path).split("\n") if line.strip()), FIRST))

"""One row of an input, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinsynth_onnx.document import Document

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the input.

    Attributes:
        place: Where it is, for people: a line, a row, a file.
        document: What it holds; ``None`` if it is bad.
        problem: What is wrong with it.
        raw: What it holds instead.
        done: Bytes of the input read with it, where the input is a file of lines; else rows.
    """

    place: str
    document: Document | None
    problem: str = ""
    raw: str = ""
    done: int = 0


@dataclass(frozen=True, slots=True)
class Columns:
    """What the fields are called that hold text and id."""

    text: str = "text"
    id: str = "id"


Rows = Callable[[Path, Columns], Iterator[Row]]


def name_of(path: Path) -> str:
    """What people call an input."""
    return "standard input" if str(path) == STDIN else str(path)


def identifier(value: object, number: str) -> Any:
    """An id as it is, a whole number as text, the row's number where there is none."""
    if value is None or value == "":
        return number
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def not_utf8(error: UnicodeDecodeError) -> str:
    """What is wrong with bytes."""
    return f"byte {error.start + 1} is not UTF-8"

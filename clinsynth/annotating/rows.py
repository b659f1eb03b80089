"""One row of an input, whatever its format."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from clinsynth.formats.options import NO_OPTIONS, ReadingOptions
from clinsynth_onnx.document import ABOUT_ENTITIES, RELATIONS_NOT_STATED, Document

STDIN = "-"
LONGEST_NAME = 40  # characters of a column's name that is shown
# names in ``Document.meta`` that mean something: other fields of an input called so get another name
MEANT = ABOUT_ENTITIES | RELATIONS_NOT_STATED.keys()


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
    """Which fields of an input hold what, and how they are written.

    Attributes:
        text: Name of the field of the text.
        id: Name of the field of the id.
        quoted: Whether fields of CSV and TSV may stand in quotation marks; ``None`` for yes in CSV and no
            where tabs separate.
        reading: What a corpus does not say of itself.
    """

    text: str = "text"
    id: str = "id"
    quoted: bool | None = None
    reading: ReadingOptions = NO_OPTIONS

    def check(self, names: Collection[str], where: str) -> None:
        """Raises ``MissingColumnError`` if the names lack the text's, or the id's where that was chosen."""
        wanted = [("text", self.text)] + [("id", self.id)] * (self.id != Columns().id)
        for what, name in wanted:
            if name not in names:
                there = ", ".join(_visible(column) for column in names)
                raise MissingColumnError(
                    f"{where} has no column {name!r}; its columns are: {there or 'none'}. "
                    f"Remedy: name the column of the {what} with --{what}_column"
                )


class MissingColumnError(ValueError):
    """An input without the text's column, or the id's; the message names the columns that are there."""


def _visible(name: str) -> str:
    """A column's name, in quotes where it would be misread, e.g. with a space before it.

    A long one is not shown: in a table without a line of names it may be a patient's text.
    """
    if len(name) > LONGEST_NAME or "\n" in name:
        return f"one of {len(name)} characters"
    return repr(name) if name != name.strip() or "," in name or not name else name


Rows = Callable[[Path, Columns], Iterator[Row]]


def name_of(path: Path) -> str:
    """What people call an input."""
    return "standard input" if str(path) == STDIN else str(path)


def opened(path: Path) -> io.BufferedReader:
    """The bytes of an input, unpacked where its ending is ``.gz``."""
    if str(path) == STDIN:
        return cast(io.BufferedReader, sys.stdin.buffer)
    if path.suffix == ".gz":
        return io.BufferedReader(cast(io.RawIOBase, gzip.open(path)))
    return path.open("rb")


def unique(names: Sequence[str], where: str) -> None:
    """Raises ``ValueError`` if two columns have the same name."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{where} has two columns {twice!r}. Remedy: give one another name")


def identifier(value: object, number: str) -> Any:
    """An id as it is, a whole number as text, the row's number where there is none."""
    if value is None or value == "":
        return number
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def others(fields: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """The fields besides those that are ``known``, for ``Document.meta``.

    One with a name that means something there gets an underscore after it.
    """
    meta: dict[str, Any] = {}
    for name, value in fields.items():
        if name not in known:
            kept = name
            while kept in MEANT or (kept != name and kept in fields):
                kept += "_"
            meta[kept] = value
    return meta


def not_utf8(error: UnicodeDecodeError) -> str:
    """What is wrong with bytes."""
    return f"byte {error.start + 1} is not UTF-8"

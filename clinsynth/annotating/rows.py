"""One row of an input, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinsynth.formats.options import NO_OPTIONS, ReadingOptions
from clinsynth_onnx.document import ABOUT_ENTITIES, RELATIONS_NOT_STATED, Document

STDIN = "-"
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

    def check(self, names: list[str], where: str) -> None:
        """Raises ``ValueError``, with the names that are there, if they lack the text or a named id."""
        wanted = [("text", self.text)] + [("id", self.id)] * (self.id != Columns().id)
        for what, name in wanted:
            if name not in names:
                raise ValueError(
                    f"{where} has no column {name!r}; its columns are: {', '.join(names) or 'none'}. "
                    f"Remedy: name the column of the {what} with --{what}_column"
                )


Rows = Callable[[Path, Columns], Iterator[Row]]


def name_of(path: Path) -> str:
    """What people call an input."""
    return "standard input" if str(path) == STDIN else str(path)


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

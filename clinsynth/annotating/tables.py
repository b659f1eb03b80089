"""Rows of tables: CSV, TSV and Parquet."""

from __future__ import annotations

import csv
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinsynth.annotating.rows import STDIN, Columns, Row, Rows, identifier, name_of, not_utf8
from clinsynth_onnx.document import Document

# characters of a CSV field, and of a record where it goes on to another line: what an opening quote that
# nothing closes may take before it is noticed
LARGEST = 1 << 20
PARQUET_ROWS = 512  # read together
BUFFER = 1 << 20  # bytes of a Parquet column read ahead; without it a whole group of rows is in memory


class _Lines:
    """The lines of a table; those of a record that turns out to be none can be put back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._back: deque[str] = deque()
        self._taken: list[str] = []
        self._characters = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._characters > LARGEST:
            raise csv.Error(f"it goes on for more than {LARGEST} characters")
        line = self._back.popleft() if self._back else next(self._lines)
        self._taken.append(line)
        self._characters += len(line)
        return line

    def record(self) -> str:
        """The lines taken since this was last called, as they stand."""
        lines, self._taken, self._characters = self._taken, [], 0
        return "".join(lines).rstrip("\r\n")

    def put_back(self) -> None:
        """All lines taken for the record but the first."""
        self._back.extendleft(reversed(self._taken[1:]))
        del self._taken[1:]


def separated(delimiter: str) -> Rows:
    """A reader of CSV with this delimiter.

    A quote that nothing closes takes the lines after it with it, until the next quote or
    for ``LARGEST`` characters. Then its first line alone is the bad row, and the others are read again.
    """

    def rows(path: Path, columns: Columns) -> Iterator[Row]:
        csv.field_size_limit(LARGEST)
        source: Path | int = sys.stdin.fileno() if str(path) == STDIN else path
        # bytes that are not UTF-8 pass as halves of characters, so that only their row is bad; the sig
        # is for the byte order mark that Excel begins with
        with open(source, encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:  # noqa: PTH123
            lines = _Lines(stream)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            header = _header(reader, path, columns)
            lines.record()
            number = 0
            while True:
                problem, record = "", None
                try:
                    record = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    lines.put_back()
                    problem = f"it is not CSV ({error})"
                raw = lines.record()
                if record == []:  # an empty line
                    continue
                number += 1
                place = f"{name_of(path)}, row {number}"
                problem = problem or _problem(record or [], header)
                if problem:
                    yield Row(place, None, problem, raw, number)
                else:
                    fields = dict(zip(header, record or [], strict=True))
                    yield Row(place, _document(fields, columns, number), done=number)

    return rows


def _header(reader: Iterator[list[str]], path: Path, columns: Columns) -> list[str]:
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise ValueError(
            f"{name_of(path)}: its first line, which names the columns, is not CSV ({error}). "
            "Remedy: correct it, or name the format with --input_format"
        ) from error
    if columns.text not in header:
        found = ", ".join(header) or "none"
        raise ValueError(
            f"{name_of(path)} has no column {columns.text!r}; its columns are: {found}. "
            "Remedy: name the column of the text with --text_column"
        )
    return header


def _problem(record: Sequence[str], header: Sequence[str]) -> str:
    if len(record) != len(header):
        return f"it has {'more' if len(record) > len(header) else 'fewer'} fields than the header"
    if any("\udc80" <= character <= "\udcff" for field in record for character in field):
        return "it has bytes that are not UTF-8"
    return ""


def _document(fields: dict[str, str], columns: Columns, number: int) -> Document:
    meta = {name: one for name, one in fields.items() if name not in (columns.text, columns.id)}
    return Document(fields[columns.text], id=fields.get(columns.id) or str(number), meta=meta)


def parquet(path: Path, columns: Columns) -> Iterator[Row]:
    """The rows of a Parquet file. Raises ``ValueError`` if it is none."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise ValueError(
            "Parquet needs pyarrow, which is not installed. Remedy: pip install 'clinsynth[parquet]'"
        ) from error
    try:
        file = pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER)
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"{path} is not a Parquet file ({error}). Remedy: get it again") from error
    names = file.schema_arrow.names
    if columns.text not in names:
        raise ValueError(
            f"{path} has no column {columns.text!r}; its columns are: {', '.join(names)}. "
            "Remedy: name the column of the text with --text_column"
        )
    number = 0
    wanted = [name for name in (columns.text, columns.id) if name in names]
    for batch in file.iter_batches(PARQUET_ROWS, columns=wanted):
        texts = values(batch.column(columns.text))
        own_ids = values(batch.column(columns.id)) if columns.id in wanted else [None] * len(texts)
        for text, own in zip(texts, own_ids, strict=True):
            number += 1
            place = f"{path}, row {number}"
            if isinstance(text, str) and not isinstance(own, Unreadable):
                yield Row(place, Document(text, id=str(identifier(own, str(number)))), done=number)
                continue
            if isinstance(text, Unreadable):
                problem, raw = f"its text cannot be read: {text.problem}", text.raw
            elif isinstance(own, Unreadable):
                problem, raw = f"its id cannot be read: {own.problem}", own.raw
            else:
                problem, raw = f"its text is {'missing' if text is None else type(text).__name__}", repr(text)
            yield Row(place, None, problem, raw, number)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands for a value of an Arrow column that is not what its type says.

    Attributes:
        problem: What is wrong with it.
        raw: What it holds.
    """

    problem: str
    raw: str


def values(column: Any) -> list[Any]:
    """The values of an Arrow array; Arrow does not check that its strings are UTF-8."""
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return [_value(scalar) for scalar in column]


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        return Unreadable(not_utf8(error), error.object.decode("utf-8", "backslashreplace"))

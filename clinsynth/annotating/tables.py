"""Rows of CSV and TSV, in the dialects that spreadsheets write."""

from __future__ import annotations

import csv
import re
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from clinsynth.annotating.decoding import characters, whole_lines
from clinsynth.annotating.rows import Columns, Row, Rows, name_of, others, unique
from clinsynth_onnx.document import Document

# characters of a CSV field, and of a record where it goes on to another line: what an opening quote that
# nothing closes may take before it is noticed
LARGEST = 1 << 20
HEADER = 1 << 16  # characters of a first line that may be a header
DELIMITERS = (",", ";", "\t", "|")
NOT_UTF8 = re.compile("[\udc80-\udcff]")  # halves of characters that stand for bytes
BYTES_PROBLEM = "bytes that are not UTF-8. Remedy: save the table as UTF-8, in Excel as CSV UTF-8"
LONG = 6  # characters of an id that a line of a text has hardly by chance
QUOTED_REMEDY = "if its fields stand in quotation marks, say --quoted true"


class _Lines:
    """The lines of a table; those of a record that turns out to be none can be put back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self._characters = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._characters > LARGEST:
            raise csv.Error(f"it goes on for more than {LARGEST} characters")
        line = self._back.popleft() if self._back else next(self._lines)
        self.taken.append(line)
        self._characters += len(line)
        return line

    def record(self) -> str:
        """The lines taken since this was last called, as they stand."""
        lines, self.taken, self._characters = self.taken, [], 0
        return "".join(lines).rstrip("\r\n")

    def put_back(self) -> None:
        """All lines taken for the record but the first."""
        self._back.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


@dataclass(frozen=True, slots=True)
class _Dialect:
    delimiter: str
    quoted: bool


def separated(delimiter: str) -> Rows:
    """A reader of tables with this delimiter, or another one by which the first line has the text's column.

    Where fields are quoted, a quote that nothing closes takes the lines after it with it, until the next
    quote or for ``LARGEST`` characters. Then its first line alone is the bad row, and the others are read
    again. So it is where the quote is closed in a line that seems to be the next row, by its id. Where they
    are not quoted, a row is a line and quotation marks are text.
    """

    def rows(path: Path, columns: Columns) -> Iterator[Row]:
        csv.field_size_limit(LARGEST)
        with characters(path) as stream:
            try:
                yield from _rows(whole_lines(stream), path, columns, delimiter)
            except UnicodeDecodeError as error:  # of UTF-16 and UTF-32 alone
                raise ValueError(
                    f"{name_of(path)} is not {error.encoding.upper()} to its end ({error.reason}). "
                    "Remedy: get it again, or save it as UTF-8"
                ) from error

    return rows


def _rows(stream: Iterator[str], path: Path, columns: Columns, delimiter: str) -> Iterator[Row]:
    filled = (line for line in stream if line.strip())  # empty lines may stand before the header
    first = next(filled, "")
    if separator := re.fullmatch(r'"?sep=([^\r\n"])"?\s*', first, re.IGNORECASE):  # what Excel reads
        delimiter, first = separator[1], next(filled, "")
    else:
        delimiter = _delimiter(first, delimiter, columns.text)
    dialect = _Dialect(delimiter, delimiter != "\t" if columns.quoted is None else columns.quoted)
    lines = _Lines(chain([first], stream))
    reader = _records(lines, dialect)
    header = _header(reader, path, columns, dialect)
    lines.record()
    names_row = header.index(columns.id) if columns.id in header else 0  # where no id is, the first column
    number = 0
    while True:
        record: list[str] = []
        try:
            record = next(reader)
            problem = _misfit(record, header, dialect) if record else ""
            if not problem and _took_next_row(record, lines.taken, names_row, dialect):
                problem = "its quotation mark is closed in what seems to be another row"
        except StopIteration:
            return
        except csv.Error as error:
            problem = f"it is not CSV ({error})"
        if problem:
            lines.put_back()
        raw = lines.record()
        if not record and not problem:  # an empty line
            continue
        if any(map(NOT_UTF8.search, record)):
            problem = problem or f"it has {BYTES_PROBLEM}"
        number += 1
        document = None if problem else _document(dict(zip(header, record, strict=True)), columns, number)
        yield Row(f"{name_of(path)}, row {number}", document, problem, raw if problem else "", number)


def is_tabbed(path: Path, columns: Columns) -> bool:
    """Whether the first line of a file names the column of the text, and others, with tabs between."""
    try:
        with characters(path) as stream:
            names = stream.readline(HEADER).rstrip("\r\n").split("\t")
    except (UnicodeDecodeError, EOFError, OSError, zlib.error):  # told where it is read
        return False
    return len(names) > 1 and columns.text in [name.strip('"') for name in names]


def _delimiter(first: str, usual: str, text: str) -> str:
    """What separates the names of the columns: what gives the text's name, else what is there at all."""
    possible = (usual, *(other for other in DELIMITERS if other != usual))
    for delimiter in possible:
        if text in [name.strip('"') for name in first.rstrip("\r\n").split(delimiter)]:
            return delimiter
    return usual if usual in first else max(possible, key=first.count)


def _records(lines: _Lines, dialect: _Dialect) -> Iterator[list[str]]:
    if dialect.quoted:
        return csv.reader(lines, delimiter=dialect.delimiter, strict=True)
    return (_split(line, dialect) for line in lines)


def _split(line: str, dialect: _Dialect) -> list[str]:
    """The fields of a line without quotes; none of an empty one."""
    content = line.removesuffix("\n").removesuffix("\r")
    return content.split(dialect.delimiter) if content else []


def _header(reader: Iterator[list[str]], path: Path, columns: Columns, dialect: _Dialect) -> list[str]:
    try:
        given = next(reader, [])
    except csv.Error as error:
        raise ValueError(
            f"{name_of(path)}: its first line, which names the columns, is not CSV ({error}). "
            "Remedy: correct it, or name the format with --input_format"
        ) from error
    if not dialect.quoted and columns.text not in given and f'"{columns.text}"' in given:
        raise ValueError(
            f"{name_of(path)}: the names of its columns stand in quotation marks, which are part of the "
            "text where tabs separate. Remedy: say --quoted true"
        )
    if any(map(NOT_UTF8.search, given)):
        raise ValueError(f"{name_of(path)}: its first line has {BYTES_PROBLEM}")
    header = [name or f"column {i}" for i, name in enumerate(given, 1)]  # as an index that pandas wrote
    columns.check(header, name_of(path))
    unique(header, name_of(path))
    return header


def _took_next_row(record: Sequence[str], taken: Sequence[str], place: int, dialect: _Dialect) -> bool:
    """Whether a record has a line in it that has as many fields, and an id like that of the record."""
    if place >= len(record):
        return False
    lines = (_split(line, dialect) for line in taken[1:])
    return any(len(fields) == len(record) and _alike(record[place], fields[place]) for fields in lines)


def _alike(name: str, other: str) -> bool:
    """Whether an id may be that of a later row.

    It is if it goes on counting, or has the same letters before another number, or is a long one of the
    same form, as numbers of articles and UUIDs are. Other short numbers are none: lists in texts have them.
    """
    number, later = (re.fullmatch(r"(\D*)(\d{1,18})", given) for given in (name, other))
    if name == other:
        return False
    if number and later and number[1] == later[1]:
        counts_on = int(later[2]) == int(number[2]) + 1
        return bool(number[1].strip()) or counts_on or len(name) == len(other) >= LONG
    return len(name) >= LONG and _form(name) == _form(other) != name


def _form(name: str) -> str:
    """An id with the same sign for all digits, hexadecimal ones where it consists of them."""
    hexadecimal = re.fullmatch(r"(?i)(?=\D*\d)[0-9a-f-]+", name)
    return re.sub("[0-9a-fA-F]" if hexadecimal else r"\d", "0", name)


def _misfit(record: Sequence[str], header: Sequence[str], dialect: _Dialect) -> str:
    if len(record) == len(header):
        return ""
    problem = f"it has {'more' if len(record) > len(header) else 'fewer'} fields than the header"
    doubt = not dialect.quoted and any('"' in field for field in record)
    return f"{problem}; {QUOTED_REMEDY}" if doubt else problem


def _document(fields: dict[str, str], columns: Columns, number: int) -> Document:
    meta = others(fields, (columns.text, columns.id))
    return Document(fields[columns.text], id=fields.get(columns.id) or str(number), meta=meta)

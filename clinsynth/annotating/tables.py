"""Rows of CSV and TSV, in the dialects that spreadsheets write."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TextIO

from clinsynth.annotating.rows import STDIN, Columns, Row, Rows, name_of, others
from clinsynth_onnx.document import Document

# characters of a CSV field, and of a record where it goes on to another line: what an opening quote that
# nothing closes may take before it is noticed
LARGEST = 1 << 20
DELIMITERS = (",", ";", "\t", "|")
MARKS = {  # the longer ones first: that of UTF-16 is the beginning of that of UTF-32
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
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
        with _opened(path) as stream:
            try:
                yield from _rows(_whole_lines(stream), path, columns, delimiter)
            except UnicodeDecodeError as error:  # of UTF-16 and UTF-32 alone
                raise ValueError(
                    f"{name_of(path)} is not {error.encoding.upper()} to its end ({error.reason}). "
                    "Remedy: get it again, or save it as UTF-8"
                ) from error

    return rows


def _rows(stream: Iterator[str], path: Path, columns: Columns, delimiter: str) -> Iterator[Row]:
    first = next(stream, "")
    if re.fullmatch(r"sep=.\r?\n?", first, re.IGNORECASE):  # what Excel writes and reads
        delimiter, first = first[4], next(stream, "")
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
        problem, record = "", None
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.put_back()
            problem = f"it is not CSV ({error})"
        if record and len(lines.taken) > 1 and _took_next_row(record, lines.taken, names_row, dialect):
            lines.put_back()
            problem = "its quotation mark is closed in what seems to be another row"
        raw = lines.record()
        if record == [] and not problem:  # an empty line
            continue
        number += 1
        place = f"{name_of(path)}, row {number}"
        problem = problem or _problem(record or [], header, dialect)
        if problem:
            yield Row(place, None, problem, raw, number)
        else:
            fields = dict(zip(header, record or [], strict=True))
            yield Row(place, _document(fields, columns, number), done=number)


def _opened(path: Path) -> TextIO:
    """The characters of a file; the encoding is told by its mark, or by zeros where ASCII begins.

    Bytes that are not UTF-8 pass as halves of characters, so that only their row is bad.
    """
    stream: BinaryIO = sys.stdin.buffer if str(path) == STDIN else path.open("rb")
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)  # type: ignore[type-var]
    head = buffered.peek(4)[:4]
    encoding = next((name for mark, name in MARKS.items() if head.startswith(mark)), "utf-8")
    if encoding == "utf-8" and len(head) == 4 and 0 in head:
        zeros = [byte == 0 for byte in head]
        encoding = {(False, True, False, True): "utf-16-le", (True, False, True, False): "utf-16-be"}.get(
            (zeros[0], zeros[1], zeros[2], zeros[3]), "utf-8"
        )
    errors = "surrogateescape" if encoding.startswith("utf-8") else "surrogatepass"
    return io.TextIOWrapper(buffered, encoding=encoding, errors=errors, newline="")


def _whole_lines(stream: TextIO) -> Iterator[str]:
    """Lines that end as the first one does: after a line feed, a carriage return alone is text."""
    line, ends = "", ""
    for piece in stream:
        line += piece
        ends = ends or ("\n" if piece.endswith("\n") else "\r")
        if line.endswith(ends):
            yield line
            line = ""
    if line:
        yield line


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
    header = [name or f"column {i}" for i, name in enumerate(given, 1)]  # as an index that pandas wrote
    columns.check(header, name_of(path))
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{name_of(path)} has two columns {twice!r}. Remedy: give one another name")
    return header


def _took_next_row(record: Sequence[str], taken: Sequence[str], place: int, dialect: _Dialect) -> bool:
    """Whether a record has a line in it that has as many fields, and the number after its own as id."""
    own = re.fullmatch(r"(.*?)(\d{1,18})", record[place]) if place < len(record) else None
    if own is None:
        return False
    for line in taken[1:]:
        fields = _split(line, dialect)
        other = re.fullmatch(r"(.*?)(\d{1,18})", fields[place]) if len(fields) == len(record) else None
        if other and other[1] == own[1] and int(other[2]) == int(own[2]) + 1:
            return True
    return False


def _problem(record: Sequence[str], header: Sequence[str], dialect: _Dialect) -> str:
    if len(record) != len(header):
        problem = f"it has {'more' if len(record) > len(header) else 'fewer'} fields than the header"
        doubt = not dialect.quoted and any('"' in field for field in record)
        return f"{problem}; {QUOTED_REMEDY}" if doubt else problem
    if any("\udc80" <= character <= "\udcff" for field in record for character in field):
        return "it has bytes that are not UTF-8"
    return ""


def _document(fields: dict[str, str], columns: Columns, number: int) -> Document:
    meta = others(fields, (columns.text, columns.id))
    return Document(fields[columns.text], id=fields.get(columns.id) or str(number), meta=meta)

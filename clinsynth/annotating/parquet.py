"""Rows of Parquet files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinsynth.annotating.rows import Columns, Row, identifier, not_utf8, others, unique
from clinsynth_onnx.document import Document

ROWS = 512  # read together
BUFFER = 1 << 20  # bytes of a column read ahead; without it a whole group of rows is in memory


def rows(path: Path, columns: Columns) -> Iterator[Row]:
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
    columns.check(names, str(path))
    unique(names, str(path))
    number = 0
    for batch in file.iter_batches(ROWS):
        for fields in zip(*(values(batch.column(name)) for name in names), strict=True):
            number += 1
            yield _row(dict(zip(names, fields, strict=True)), columns, f"{path}, row {number}", number)


def _row(fields: dict[str, Any], columns: Columns, place: str, number: int) -> Row:
    text = fields[columns.text]
    named = {columns.text: "text", columns.id: "id"}
    for name, value in fields.items():
        if isinstance(value, Unreadable):
            what = named.get(name, f"column {name!r}")
            return Row(place, None, f"its {what} cannot be read: {value.problem}", value.raw, number)
    if not isinstance(text, str):
        problem = f"its text is {'missing' if text is None else type(text).__name__}"
        return Row(place, None, problem, repr(text), number)
    try:
        meta = {name: plain(value) for name, value in others(fields, (columns.text, columns.id)).items()}
    except ValueError as error:
        return Row(place, None, str(error), text, number)
    given = plain(fields.get(columns.id))
    if isinstance(given, float) and given.is_integer():  # pandas makes these of whole numbers and gaps
        given = int(given)
    name = str(identifier(given, str(number)))
    return Row(place, Document(text, id=name, meta=meta), done=number)


def plain(value: Any) -> Any:
    """A value as JSON has it: times as ISO 8601 says, bytes in hexadecimal digits, else what ``str`` gives.

    A number that is none (NaN, which pandas writes for a missing one) becomes ``None``. Raises
    ``ValueError`` on an infinite number.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if math.isinf(value):
            raise ValueError("it has an infinite number, which JSON cannot say")
        return None if math.isnan(value) else value
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


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

"""Annotated documents as a table: a row a document, with the columns of the input."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from clinsynth.annotating.rows import Columns
from clinsynth_onnx.document import Document

TableName = Literal["csv", "tsv", "parquet"]
PARQUET_ROWS = 1024  # of a group, which is in memory as a whole

Refuse = Callable[[Document, str], None]


class UnfitError(ValueError):
    """A document that a table cannot hold; the message holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table.

    Attributes:
        id: Name of the column of the ids.
        text: Name of the column of the texts.
        others: Names of the input's other columns, and the type of each in Parquet: ``string``, ``bool``,
            ``int64`` or ``double``; ``json`` for a string that is JSON.
        entities: Name of the column of the entities.
        relations: Name of the column of the relations.
    """

    id: str
    text: str
    others: dict[str, str]
    entities: str
    relations: str

    @property
    def names(self) -> list[str]:
        """All columns in order."""
        return [self.id, self.text, *self.others, self.entities, self.relations]


def check_installed(name: str) -> None:
    """Raises ``ValueError`` if what writes the table is not there."""
    if name == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ValueError(
            "Parquet needs pyarrow, which is not installed. Remedy: pip install 'clinsynth[parquet]'"
        )


def write(
    name: TableName,
    path: Path,
    documents: Callable[[], Iterable[Document]],
    columns: Columns,
    refuse: Refuse,
) -> None:
    """Writes the table. ``documents`` is called twice: to find the columns, and to write the rows.

    Args:
        name: What kind of table.
        path: The file to write.
        documents: The documents; what ``meta`` they have becomes columns.
        columns: What the input calls text and id, and so will the table.
        refuse: Called with each document that the table cannot hold, and why.
    """
    layout = _layout(documents(), columns)
    if name == "parquet":
        _write_parquet(path, documents(), layout, refuse)
    else:
        line = _csv_line if name == "csv" else _tsv_line
        with path.open("wb") as stream:
            stream.write(_header(name, line, layout))
            for document in documents():
                try:
                    stream.write(line(_cells(document, layout)))
                except UnfitError as error:
                    refuse(document, str(error))


def _layout(documents: Iterable[Document], columns: Columns) -> Layout:
    kinds: dict[str, set[str]] = {}
    for document in documents:
        for name, value in document.meta.items():
            kinds.setdefault(name, set()).add(_kind(value))
    ours = []
    for name in (columns.id, columns.text, "entities", "relations"):
        while name in kinds or name in ours:  # the input's columns keep their names
            name += "_"
        ours.append(name)
    others = {name: _column_type(found - {"null"}) for name, found in kinds.items()}
    return Layout(ours[0], ours[1], others, ours[2], ours[3])


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, int) and not isinstance(value, bool):
        return "int64" if -(1 << 63) <= value < 1 << 63 else "json"
    return {str: "string", bool: "bool", float: "double"}.get(type(value), "json")


def _column_type(kinds: set[str]) -> str:
    """The type that holds all values as they are; numbers of both sorts are not: a double rounds."""
    if not kinds:
        return "string"
    return next(iter(kinds)) if len(kinds) == 1 else "json"


def _header(name: TableName, line: Callable[[list[str]], bytes], layout: Layout) -> bytes:
    try:
        return line(layout.names)
    except UnfitError as error:
        raise ValueError(
            f"the names of the columns cannot be written as {name}: {error}. Remedy: the same command with "
            f"--output_format {'csv' if name == 'tsv' else 'jsonl'} goes on from here"
        ) from None


def _entities(document: Document) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = document.to_json(mentions=True)["entities"]
    return entities


def _cells(document: Document, layout: Layout) -> list[str]:
    """A row of text: strings as they are, all else as JSON, nothing where there is nothing."""
    meta = (document.meta.get(name) for name in layout.others)
    return [
        document.id,
        document.text,
        *("" if value is None else value if isinstance(value, str) else _json(value) for value in meta),
        _json(_entities(document)),
        _json(document.to_json()["relations"]),
    ]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _csv_line(cells: list[str]) -> bytes:
    stream = io.StringIO(newline="")
    # with both in its line end it quotes both; else a carriage return stands bare, and is not read again
    csv.writer(stream, lineterminator="\r\n").writerow(cells)
    return _utf8(stream.getvalue().removesuffix("\r\n") + "\n")


def _tsv_line(cells: list[str]) -> bytes:
    if any(character in cell for cell in cells for character in "\t\n\r"):
        raise UnfitError("a field has a tab or a line break, which TSV without quotation marks cannot hold")
    return _utf8("\t".join(cells) + "\n")


def _utf8(line: str) -> bytes:
    try:
        return line.encode("utf-8")
    except UnicodeEncodeError:
        raise UnfitError("it has half a character, which UTF-8 cannot hold") from None


def _write_parquet(path: Path, documents: Iterable[Document], layout: Layout, refuse: Refuse) -> None:
    import pyarrow
    from pyarrow import parquet

    score = ("score", pyarrow.float64())
    span = [("start", pyarrow.int64()), ("end", pyarrow.int64()), ("label", pyarrow.string())]
    pair = [("head", pyarrow.int64()), ("tail", pyarrow.int64()), ("label", pyarrow.string())]
    types = {"json": pyarrow.string()}
    schema = pyarrow.schema(
        [
            (layout.id, pyarrow.string()),
            (layout.text, pyarrow.large_string()),
            *(
                (name, types.get(kind) or pyarrow.type_for_alias(kind))
                for name, kind in layout.others.items()
            ),
            (layout.entities, pyarrow.list_(pyarrow.struct([*span, ("text", pyarrow.string()), score]))),
            (layout.relations, pyarrow.list_(pyarrow.struct([*pair, score]))),
        ]
    )
    with parquet.ParquetWriter(path, schema) as writer:
        for rows in _groups(documents, layout, refuse):
            writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))


def _groups(documents: Iterable[Document], layout: Layout, refuse: Refuse) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    for document in documents:
        row = _values(document, layout)
        try:
            _utf8(_json(row))
        except UnfitError as error:
            refuse(document, str(error))
            continue
        rows.append(row)
        if len(rows) == PARQUET_ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def _values(document: Document, layout: Layout) -> dict[str, Any]:
    whole = document.to_json(mentions=True)
    others = {}
    for name, kind in layout.others.items():
        value = document.meta.get(name)
        others[name] = _json(value) if kind == "json" and value is not None else value
    return {
        layout.id: document.id,
        layout.text: document.text,
        **others,
        layout.entities: [{"score": 1.0, **entity} for entity in whole["entities"]],
        layout.relations: [{"score": 1.0, **relation} for relation in whole["relations"]],
    }

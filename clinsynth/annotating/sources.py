"""Where documents to annotate come from: rows that are read one by one, the bad ones with a reason."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from clinsynth.corpora import formats
from clinsynth_onnx.document import Document

STDIN = "-"
PARQUET_ROWS = 512  # read together
ENDS = 65_536  # bytes at either end of a file that tell it from another


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


def format_of(path: str, name: str | None) -> str:
    """The name of the input format. Raises ``ValueError`` that lists them."""
    if name is not None:
        if name not in (*OWN, *formats.FORMATS):
            known = ", ".join(dict.fromkeys((*OWN, *formats.FORMATS)))
            raise ValueError(f"there is no input format {name!r}. Remedy: use one of {known}")
        return name
    if path == STDIN:
        return "lines"
    endings = {".csv": "csv", ".tsv": "tsv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
    found = endings.get(Path(path).suffix.lower())
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no {path}. Remedy: check the path")
    return found or formats.detect(Path(path))


def read(path: str, name: str, columns: Columns) -> Iterator[Row]:
    """The rows of a file, a folder or standard input. Raises ``ValueError`` where it cannot go on."""
    if name in OWN:
        return OWN[name](Path(path), columns)
    return _corpus(Path(path), name)


def size(path: str, name: str) -> int | None:
    """Bytes of a file of lines, as ``Row.done`` counts them; ``None`` where that is not known."""
    return Path(path).stat().st_size if name in ("jsonl", "lines") and path != STDIN else None


def fingerprint(path: str) -> str:
    """Tells an input from another, or from itself after a change, without reading all of it."""
    root = Path(path)
    sha = hashlib.sha256()
    for file in sorted(root.rglob("*")) if root.is_dir() else [root]:
        if file.is_file():
            stat = file.stat()
            sha.update(
                f"{file.name}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode("utf-8", "surrogateescape")
            )
            if file == root:
                with file.open("rb") as stream:
                    sha.update(stream.read(ENDS))
                    stream.seek(max(0, stat.st_size - ENDS))
                    sha.update(stream.read(ENDS))
    return sha.hexdigest()


def _lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Number, bytes read so far and content of each line, without its end."""
    stream: BinaryIO = sys.stdin.buffer if str(path) == STDIN else path.open("rb")
    with stream:
        done = 0
        for number, line in enumerate(stream, 1):
            done += len(line)
            yield number, done, line.removesuffix(b"\n").removesuffix(b"\r")


def _name(path: Path) -> str:
    return "standard input" if str(path) == STDIN else str(path)


def _plain_lines(path: Path, columns: Columns) -> Iterator[Row]:
    for number, done, line in _lines(path):
        place = f"{_name(path)}:{number}"
        try:
            yield Row(place, Document(line.decode("utf-8"), id=str(number)), done=done)
        except UnicodeDecodeError as error:
            yield Row(place, None, _not_utf8(error), line.decode("utf-8", "backslashreplace"), done)


def _jsonl(path: Path, columns: Columns) -> Iterator[Row]:
    for number, done, line in _lines(path):
        if not line.strip():
            continue
        place = f"{_name(path)}:{number}"
        raw = line.decode("utf-8", "backslashreplace")
        try:
            value = json.loads(line.decode("utf-8"), parse_constant=_no_constant)
            yield Row(place, _from_object(value, columns, str(number)), done=done)
        except UnicodeDecodeError as error:
            yield Row(place, None, _not_utf8(error), raw, done)
        except json.JSONDecodeError as error:
            yield Row(place, None, f"it is not JSON ({error.msg} at character {error.pos})", raw, done)
        except RecursionError:
            yield Row(place, None, "its JSON is nested too deep", raw, done)
        except ValueError as error:
            yield Row(place, None, str(error), raw, done)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number that JSON has")


def _from_object(value: object, columns: Columns, number: str) -> Document:
    """A Document, or text and id under their names; what else there is goes to ``meta``."""
    if not isinstance(value, Mapping):
        raise ValueError("it is not a JSON object")
    if columns.text not in value:
        raise ValueError(f"it has no field {columns.text!r}")
    meta = value.get("meta", {})
    if not isinstance(meta, Mapping):
        raise ValueError("its 'meta' is not an object")
    ours = {columns.text, columns.id, "entities", "relations", "meta"}
    whole = {name: value[name] for name in ("entities", "relations") if name in value}
    return Document.from_json(
        {
            **whole,
            "text": value[columns.text],
            "id": _identifier(value.get(columns.id), number),
            "meta": {**meta, **{name: one for name, one in value.items() if name not in ours}},
        }
    )


def _identifier(value: object, number: str) -> Any:
    """An id as it is, a whole number as text, the row's number where there is none."""
    if value is None or value == "":
        return number
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _table(delimiter: str) -> Rows:
    def rows(path: Path, columns: Columns) -> Iterator[Row]:
        csv.field_size_limit(sys.maxsize)
        # bytes that are not UTF-8 pass as halves of characters, so that only their row is bad
        source: Path | int = sys.stdin.fileno() if str(path) == STDIN else path
        with open(source, encoding="utf-8", errors="surrogateescape", newline="") as stream:  # noqa: PTH123
            reader = csv.DictReader(stream, delimiter=delimiter, restkey="", restval=None)
            if columns.text not in (reader.fieldnames or ()):
                found = ", ".join(reader.fieldnames or ()) or "none"
                raise ValueError(
                    f"{_name(path)} has no column {columns.text!r}; its columns are: {found}. "
                    "Remedy: name the column of the text with --text_column"
                )
            number = 0
            while True:
                number += 1
                place = f"{_name(path)}, row {number}"
                try:
                    record = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield Row(place, None, f"it is not CSV ({error})", "", number)
                    continue
                yield _from_record(record, columns, place, number)

    return rows


def _from_record(record: Mapping[str, Any], columns: Columns, place: str, number: int) -> Row:
    raw = json.dumps(record, ensure_ascii=True)
    if "" in record and isinstance(record[""], list):
        return Row(place, None, "it has more fields than the header", raw, number)
    if None in record.values():
        return Row(place, None, "it has fewer fields than the header", raw, number)
    if any("\udc80" <= character <= "\udcff" for one in record.values() for character in one):
        return Row(place, None, "it has bytes that are not UTF-8", raw, number)
    meta = {name: one for name, one in record.items() if name not in (columns.text, columns.id)}
    identifier = record.get(columns.id) or str(number)
    return Row(place, Document(record[columns.text], id=identifier, meta=meta), done=number)


def _parquet(path: Path, columns: Columns) -> Iterator[Row]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise ValueError(
            "Parquet needs pyarrow, which is not installed. Remedy: pip install 'clinsynth[parquet]'"
        ) from error
    try:
        file = pyarrow.parquet.ParquetFile(path)
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
        for record in batch.to_pylist():
            number += 1
            place, text = f"{path}, row {number}", record[columns.text]
            if not isinstance(text, str):
                problem = "its text is missing" if text is None else f"its text is {type(text).__name__}"
                yield Row(place, None, problem, repr(text), number)
                continue
            identifier = _identifier(record.get(columns.id), str(number))
            yield Row(place, Document(text, id=str(identifier)), done=number)


def _texts(path: Path, columns: Columns) -> Iterator[Row]:
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    if not files:
        raise ValueError(f"there is no .txt file in {path}. Remedy: check the path")
    for number, file in enumerate(files, 1):
        data = file.read_bytes()
        try:
            yield Row(str(file), Document(data.decode("utf-8"), id=file.stem), done=number)
        except UnicodeDecodeError as error:
            yield Row(str(file), None, _not_utf8(error), data.decode("utf-8", "backslashreplace"), number)


def _corpus(path: Path, name: str) -> Iterator[Row]:
    for number, document in enumerate(formats.read(path, name), 1):
        yield Row(f"{path}, document {number}", document, done=number)


def _not_utf8(error: UnicodeDecodeError) -> str:
    return f"byte {error.start + 1} is not UTF-8"


OWN: dict[str, Rows] = {
    "text": _texts,
    "lines": _plain_lines,
    "jsonl": _jsonl,
    "csv": _table(","),
    "tsv": _table("\t"),
    "parquet": _parquet,
}

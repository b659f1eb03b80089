"""Where documents to annotate come from: rows that are read one by one, the bad ones with a reason."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import json
import sys
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from clinsynth.annotating import parquet
from clinsynth.annotating.rows import (
    STDIN,
    Columns,
    MissingColumnError,
    Row,
    Rows,
    identifier,
    name_of,
    not_utf8,
    opened,
    others,
)
from clinsynth.annotating.tables import is_tabbed, separated
from clinsynth.formats import registry
from clinsynth_onnx.document import Document

InputName = Literal["lines", "csv", "tsv", "parquet", registry.FormatName]
DEEPER = 100  # levels of nesting kept free: later steps write documents from further down the stack
ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
FROM_STDIN = ("lines", "jsonl", "csv", "tsv")
ENDS = 65_536  # bytes at either end of a file that tell it from another


def format_of(path: str, name: str | None, columns: Columns) -> str:
    """The name of the input format. Raises ``ValueError`` that lists them."""
    known = tuple(dict.fromkeys((*READERS, *registry.FORMATS)))
    if name is not None and name not in known:
        raise ValueError(f"there is no input format {name!r}. Remedy: use one of {', '.join(known)}")
    if path == STDIN:
        if name not in (None, *FROM_STDIN):
            raise ValueError(
                f"standard input is read as one of {', '.join(FROM_STDIN)}, not {name}. Remedy: name a file"
            )
        return name or "lines"
    file = Path(path)
    if not file.exists():
        raise FileNotFoundError(f"there is no {path}. Remedy: check the path")
    return name or _detected(file, columns, known)


def _detected(path: Path, columns: Columns, known: Sequence[str]) -> str:
    ending = (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()
    if ending in ENDINGS:
        return ENDINGS[ending]
    if ending == ".txt" and path.is_file() and is_tabbed(path, columns):  # what Excel calls Unicode text
        return "tsv"
    if ending in (".xlsx", ".xls", ".ods"):
        raise ValueError(f"{path} is a spreadsheet, which is not read. Remedy: save it as CSV UTF-8")
    found = registry.seems(path)
    if found is None:
        raise ValueError(
            f"the ending of {path} tells no format. Remedy: name one with --input_format: {', '.join(known)}"
        )
    return found


def read(path: str, name: str, columns: Columns, written: Collection[Path] = ()) -> Iterator[Row]:
    """The rows of a file, a folder or standard input. Raises ``ValueError`` where it cannot go on.

    Args:
        path: The input.
        name: Its format.
        columns: Which fields hold what.
        written: What this program writes, and would not read if it lay in the folder.
    """
    if columns.reading.given() and name in (*READERS, "text"):
        options = ", ".join(columns.reading.given())
        raise ValueError(f"{path} is read as {name}, where {options} means nothing. Remedy: leave it out")
    if name == "text":
        return _unpacked(_texts(Path(path), written), path)
    if name in READERS:
        return _unpacked(READERS[name](Path(path), columns), path)
    return _corpus(Path(path), name, columns)


def _unpacked(rows: Iterator[Row], path: str) -> Iterator[Row]:
    try:
        yield from rows
    except (EOFError, zlib.error) as error:
        raise ValueError(f"{path} cannot be unpacked to its end. Remedy: get it again") from error


def size(path: str, name: str) -> int | None:
    """Bytes of a file of lines, as ``Row.done`` counts them; ``None`` where that is not known."""
    packed = path == STDIN or path.endswith(".gz")
    return Path(path).stat().st_size if name in ("jsonl", "lines") and not packed else None


def fingerprint(path: str, name: str, written: Collection[Path] = ()) -> str:
    """Tells an input from another, or from itself after a change, without reading all of it.

    What this program writes, ``written``, does not count where it lies in the folder, nor does what is not
    read there: hidden files, and beside texts all others.
    """
    root = Path(path).resolve()
    inside = [place for place in written if place.is_relative_to(root)]
    sha = hashlib.sha256()
    there = [root] if root.is_file() else sorted(root.iterdir() if name == "text" else root.rglob("*"))
    for file in there:
        unread = file != root and (file.name.startswith(".") or (name == "text" and not _is_text(file)))
        if file.is_file() and not unread and not any(file.is_relative_to(place) for place in inside):
            stat = file.stat()
            inner = file.relative_to(root) if file != root else file.name
            sha.update(f"{inner}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
            if file == root:
                with file.open("rb") as stream:
                    sha.update(stream.read(ENDS))
                    stream.seek(max(0, stat.st_size - ENDS))
                    sha.update(stream.read(ENDS))
    return sha.hexdigest()


def _lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Number, bytes read so far and content of each line, without its end and without a byte order mark."""
    with opened(path) as stream:
        done = 0
        for number, line in enumerate(stream, 1):
            done += len(line)
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            yield number, done, line.removesuffix(b"\n").removesuffix(b"\r")


def _plain_lines(path: Path, columns: Columns) -> Iterator[Row]:
    for number, done, line in _lines(path):
        place = f"{name_of(path)}:{number}"
        try:
            yield Row(place, Document(line.decode("utf-8"), id=str(number)), done=done)
        except UnicodeDecodeError as error:
            yield Row(place, None, not_utf8(error), line.decode("utf-8", "backslashreplace"), done)


def _jsonl(path: Path, columns: Columns) -> Iterator[Row]:
    known = False
    for number, done, line in _lines(path):
        if not line.strip():
            continue
        place = f"{name_of(path)}:{number}"
        raw = line.decode("utf-8", "backslashreplace")
        try:
            value = json.loads(line.decode("utf-8"), parse_constant=_no_constant)
            if isinstance(value, Mapping) and not known:
                known = True
                columns.check(value, place)  # what the first lacks, all will: told once
            document = _from_object(value, columns, str(number))
            _check_writable(document)
            yield Row(place, document, done=done)
        except MissingColumnError:
            raise
        except UnicodeDecodeError as error:
            yield Row(place, None, not_utf8(error), raw, done)
        except json.JSONDecodeError as error:
            yield Row(place, None, f"it is not JSON ({error.msg} at character {error.pos})", raw, done)
        except RecursionError:
            yield Row(place, None, "its JSON is nested too deep", raw, done)
        except OverflowError:
            yield Row(place, None, "it has a score that is too large", raw, done)
        except ValueError as error:
            yield Row(place, None, str(error), raw, done)


def _check_writable(document: Document) -> None:
    """Raises ``RecursionError`` or ``ValueError`` on what a later step could not write as JSON."""
    value: object = document.to_json()
    for _ in range(DEEPER):
        value = [value]
    try:
        json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise ValueError("it has a number that is too large") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number that JSON has")


def _from_object(value: object, columns: Columns, number: str) -> Document:
    """A Document, or text and id under their names; what else there is goes to ``meta``."""
    if not isinstance(value, Mapping):
        raise ValueError("it is not a JSON object")
    if columns.text not in value:
        raise ValueError(f"it has no column {columns.text!r}")
    meta = value.get("meta", {})
    if not isinstance(meta, Mapping):
        raise ValueError("its 'meta' is not an object")
    known = (columns.text, columns.id, "entities", "relations", "meta")
    whole = {name: value[name] for name in ("entities", "relations") if name in value}
    return Document.from_json(
        {
            **whole,
            "text": value[columns.text],
            "id": identifier(value.get(columns.id), number),
            "meta": {**meta, **others(value, known)},
        }
    )


def _texts(path: Path, written: Collection[Path]) -> Iterator[Row]:
    if not path.is_dir():
        yield _text(path, 1)
        return
    folder = path.resolve()
    there = [file for file in sorted(path.iterdir()) if folder / file.name not in written]
    files = [file for file in there if _is_text(file)]
    if not files:
        raise ValueError(f"there is no .txt file in {path}. Remedy: check the path")
    if len(there) > len(files):
        print(f"{path}: {len(there) - len(files)} others are not read, only .txt files are", file=sys.stderr)
    for number, file in enumerate(files, 1):
        try:  # a pipe would be waited for without end
            row = _text(file, number) if file.is_file() else Row(str(file), None, "it is no file", "", number)
        except OSError as error:
            row = Row(str(file), None, f"it cannot be read ({error.strerror})", "", number)
        yield row


def _is_text(file: Path) -> bool:
    return file.suffix.lower() == ".txt"


def _text(file: Path, number: int) -> Row:
    packed = file.suffix == ".gz"
    data = gzip.decompress(file.read_bytes()) if packed else file.read_bytes()
    data = data.removeprefix(codecs.BOM_UTF8)
    name = (file.with_suffix("") if packed else file).stem
    try:
        return Row(str(file), Document(data.decode("utf-8"), id=name), done=number)
    except UnicodeDecodeError as error:
        return Row(str(file), None, not_utf8(error), data.decode("utf-8", "backslashreplace"), number)


def _corpus(path: Path, name: str, columns: Columns) -> Iterator[Row]:
    for number, document in enumerate(registry.read(path, name, columns.reading), 1):
        yield Row(f"{path}, document {number}", document, done=number)


READERS: dict[str, Rows] = {
    "lines": _plain_lines,
    "jsonl": _jsonl,
    "csv": separated(","),
    "tsv": separated("\t"),
    "parquet": parquet.rows,
}

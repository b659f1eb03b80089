"""Bytes to text and lines, with an error that names the line where that fails."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from clinsynth.formats.errors import CorpusError

UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # its byte order marks
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", *UTF_16)


def read_text(path: Path) -> str:
    """The whole file as it is, line ends included; unpacked if its name ends in ``.gz``.

    Raises ``CorpusError`` where it is not UTF-8.
    """
    try:
        data = path.read_bytes() if path.suffix != ".gz" else gzip.decompress(path.read_bytes())
    except FileNotFoundError as error:
        raise CorpusError(path, None, "there is no such file", "check the path") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CorpusError(path, None, f"the file cannot be unpacked ({error})", "get it again") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        encoding = "UTF-16" if data.startswith(UTF_16) else "WINDOWS-1252"
        raise CorpusError(
            path,
            line,
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            f"convert the file, e.g. iconv -f {encoding} -t UTF-8",
        ) from error


def read_lines(path: Path) -> list[str]:
    """The lines of a file that consists of lines, without their ends.

    Only a line feed ends a line: other Unicode line separators are text. Raises ``CorpusError`` on
    an empty file, a byte order mark, bytes that are not UTF-8, and carriage returns at line ends,
    which would shift or spoil what the lines hold.
    """
    if path.is_file():
        with path.open("rb") as stream:
            head = stream.read(3)
        if head.startswith(BYTE_ORDER_MARKS):
            remedy = "save it as UTF-8 without one"
            if head.startswith(UTF_16):
                remedy = "convert it, e.g. iconv -f UTF-16 -t UTF-8"
            raise CorpusError(path, 1, "the file begins with a byte order mark", remedy)
    text = read_text(path)
    if text.startswith("\ufeff"):  # in a file that is packed
        raise CorpusError(path, 1, "the file begins with a byte order mark", "save it as UTF-8 without one")
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    if not any(lines):
        raise CorpusError(path, None, "the file is empty", "get it again, or leave it out")
    for number, line in enumerate(lines, 1):
        if line.endswith("\r"):
            raise CorpusError(
                path,
                number,
                "the line ends with a carriage return (CRLF)",
                f"convert the file, e.g. sed -i 's/\\r$//' {path.name}",
            )
    return lines

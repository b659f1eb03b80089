"""The characters and lines of a table's file, in the encodings that spreadsheets write."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from clinsynth.annotating.rows import opened

MARKS = {  # the longer ones first: that of UTF-16 is the beginning of that of UTF-32
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# which of the first four bytes are zero where two characters of ASCII stand without a mark
ZEROS: dict[tuple[bool, ...], str] = {
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}


def characters(path: Path) -> TextIO:
    """The characters of a file; the encoding is told by its mark, or by zeros where ASCII begins.

    Bytes that are not UTF-8 pass as halves of characters, so that only their row is bad.
    """
    stream = opened(path)
    try:
        head = stream.peek(4)[:4]
    except BaseException:  # of a packed file that is none
        stream.close()
        raise
    encoding = next((name for mark, name in MARKS.items() if head.startswith(mark)), "utf-8")
    if encoding == "utf-8" and len(head) == 4:
        encoding = ZEROS.get(tuple(byte == 0 for byte in head), encoding)
    errors = "surrogateescape" if encoding.startswith("utf-8") else "surrogatepass"
    return io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")


def whole_lines(stream: TextIO) -> Iterator[str]:
    """Lines, which a carriage return alone ends only if it ends the first: else it is text."""
    line = ""
    ends: tuple[str, ...] = ("\n",)
    for number, piece in enumerate(stream):
        line += piece
        if number == 0 and piece.endswith("\r"):
            ends = ("\n", "\r")
        if line.endswith(ends):
            yield line
            line = ""
    if line:
        yield line

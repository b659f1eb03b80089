"""What every part of clinsynth does with files in the same way: their hashes, and lines of JSON."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def sha256_of(path: Path) -> str:
    """The hash of a file's content, in hexadecimal digits; the file may be larger than memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def json_line(value: object) -> str:
    """A JSON text with a line feed, which can always be encoded as UTF-8.

    Characters stand as they are. Where there is half a character (a lone surrogate), which UTF-8 cannot
    hold but JSON can spell, all that are not ASCII are spelt out.
    """
    line = json.dumps(value, ensure_ascii=False) + "\n"
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value) + "\n"
    return line

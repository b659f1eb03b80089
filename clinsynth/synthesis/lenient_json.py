"""JSON as language models write it: fenced, in prose, cut off, or not JSON but a list of lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from clinsynth.formats.rejects import Rejected

CUT = "the answer is cut off or its JSON is broken here"
DEEP = "the answer's JSON is nested too deeply"
OUTSIDE = "a line is not part of a list"

MAX_DEPTH = 8
FENCE = re.compile(r"^[ \t]*```[\w-]*[ \t]*$", re.MULTILINE)
TEXT = re.compile(r'"[^"]')
START = re.compile(r"\{\s*[\"}]|\[\s*[\"\[{\]]")
ESCAPE = re.compile(r'\\(["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
NEXT = re.compile(r'\n\s*(?=["\[{])')
NEXT_OBJECT = re.compile(r'\}\s*,?\s*(?=\{\s*")')
SPACE = re.compile(r"\s*")
LISTED = re.compile(r"\s*(?:[-*\u2022]|\(?\d{1,4}[.):])\s+(?:\[[ xX]\]\s+)?")
QUOTED = re.compile(r'"(.*)"\s*,?\s*\Z')


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a key that occurs several times, which JSON leaves open, all values as a list."""
    found: dict[str, list[Any]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_fields)  # line breaks in strings are common


@dataclass(frozen=True, slots=True)
class Partial:
    """A JSON object or array that lacks something: what of it is whole."""

    value: dict[str, Any] | list[Any]


def values(answer: str, labels: Sequence[str], cut_off: bool = False) -> Iterator[Any]:
    """What is whole in an answer, in its order: JSON values, ``Partial`` and ``Rejected``.

    Code fences and prose around JSON are left out; a line of such prose that holds a tag of one of
    ``labels`` is a ``Rejected``. In an answer without JSON each line that is an item of a list or holds
    a tag is a string, any other a ``Rejected``, and so is the last line of one that is ``cut_off``.
    """
    text = FENCE.sub("", answer)
    tag = re.compile("|".join(rf"<\s*{re.escape(label)}\b" for label in labels) or r"(?!)", re.IGNORECASE)
    escaped = ESCAPE.sub(lambda m: m[0] if m[1] else r"\\", text)
    begin = START.search(escaped)
    if begin is None or (tag.search(escaped) and not TEXT.search(escaped, begin.start())):
        yield from _lines(text, tag, cut_off)
        return
    position = 0
    while True:
        prose = escaped[position : begin.start() if begin else None]
        yield from (Rejected(OUTSIDE, line) for line in prose.splitlines() if tag.search(line))
        if begin is None:
            return
        position = begin.start()
        try:
            value, end = DECODER.raw_decode(escaped, position)
            yield value if _shallow(value) else Rejected(DEEP, escaped[position:end])
            position = end
        except RecursionError:
            yield Rejected(DEEP, escaped[position:])
            return
        except ValueError:
            reader = _Broken(escaped)
            value, position = reader.container(position)
            yield value
            yield from reader.rejects
        begin = START.search(escaped, position)


def _shallow(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return not level


def _lines(text: str, tag: re.Pattern[str], cut_off: bool) -> Iterator[str | Rejected]:
    lines = [line for line in text.splitlines() if line.strip()]
    for i, line in enumerate(lines, 1):
        if cut_off and i == len(lines):
            yield Rejected(CUT, line)
            continue
        content = LISTED.sub("", line, count=1)
        if content == line and not tag.search(line):
            yield Rejected(OUTSIDE, line)
            continue
        quoted = QUOTED.fullmatch(content.strip())
        yield quoted[1] if quoted else content.strip()


class _Broken:
    """Reads what is whole of a container that is not whole."""

    def __init__(self, text: str) -> None:
        self.rejects: list[Rejected] = []
        self._text = text

    def container(self, position: int, depth: int = 0) -> tuple[Any, int]:
        """The whole parts of the array or object that begins here, and where reading ended."""
        if depth == MAX_DEPTH:
            self.rejects.append(Rejected(DEEP, self._text[position:]))
            return Partial([]), len(self._text)
        if self._text[position] == "[":
            return self._array(position + 1, depth)
        return self._object(position + 1, depth)

    def _array(self, position: int, depth: int) -> tuple[list[Any] | Partial, int]:
        items: list[Any] = []
        before = len(self.rejects)

        def whole() -> list[Any] | Partial:
            return items if len(self.rejects) == before else Partial(items)

        while True:
            position = self._skip(position, ",")
            if self._text[position : position + 1] == "]":
                return whole(), position + 1
            begin = position
            try:
                value, position = self._decoded(position)
                if not isinstance(value, str | list | dict) and self._skip(position, "") == len(self._text):
                    raise ValueError("a number at the cut may lack digits")
                items.append(value)
                continue
            except (ValueError, RecursionError):
                pass
            if self._text[begin : begin + 1] in ("[", "{"):
                value, position = self.container(begin, depth + 1)
                items.append(value)
                if position < len(self._text):
                    continue
                return Partial(items), position
            following = NEXT.search(self._text, begin)
            end = following.end() if following else len(self._text)
            if self._text[begin:end].strip():
                self.rejects.append(Rejected(CUT, self._text[begin:end]))
            position = end
            if following is None:
                return Partial(items), position

    def _object(self, position: int, depth: int) -> tuple[dict[str, Any] | Partial, int]:
        fields: dict[str, Any] = {}
        before = len(self.rejects)
        while True:
            begin = position = self._skip(position, ",")
            if self._text[position : position + 1] == "}":
                return (fields if len(self.rejects) == before else Partial(fields)), position + 1
            try:
                key, position = DECODER.raw_decode(self._text, position)
                position = self._skip(position, "")
                if not isinstance(key, str) or self._text[position : position + 1] != ":":
                    raise ValueError("no key")
                position = self._skip(position + 1, "")
            except (ValueError, RecursionError):
                break
            try:
                fields[key], position = self._decoded(position)
                continue
            except (ValueError, RecursionError):
                pass
            if self._text[position : position + 1] not in ("[", "{"):
                break
            value, position = self.container(position, depth + 1)
            fields[key] = value
            if position >= len(self._text):
                return Partial(fields), position
        following = NEXT_OBJECT.search(self._text, begin)
        end = following.end() if following else len(self._text)
        if self._text[begin:end].strip():
            self.rejects.append(Rejected(CUT, self._text[begin:end]))
        return Partial(fields), end

    def _decoded(self, position: int) -> tuple[Any, int]:
        value, end = DECODER.raw_decode(self._text, position)
        if not _shallow(value):
            raise ValueError("nested too deeply")
        following = self._skip(end, "")
        if self._text[following : following + 1] not in ("", ",", "]", "}"):
            raise ValueError("the value goes on: a quotation mark in it is not escaped")
        return value, end

    def _skip(self, position: int, separators: str) -> int:
        while True:
            match = SPACE.match(self._text, position)
            position = match.end() if match else position
            if position < len(self._text) and self._text[position] in separators:
                position += 1
            else:
                return position

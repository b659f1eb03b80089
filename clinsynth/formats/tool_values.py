"""What the files of annotation tools have in common: JSON values, offsets in some unit, meta that stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from clinsynth.formats.bioc_offsets import CHARACTERS, CODE_UNITS, Layout, OffsetError
from clinsynth_onnx.document import ABOUT_ENTITIES, Document

Fail = Callable[[str, str], Exception]  # makes an error from a problem and a remedy

CORRECT = "correct it, or export the file again"


def portable_meta(document: Document) -> dict[str, Any]:
    """Meta that stays true when people change the annotations."""
    return {key: value for key, value in document.meta.items() if key not in ABOUT_ENTITIES}


def identifier(candidates: Iterable[object], number: int) -> str:
    """The first that is a string or a whole number, else the number of the document."""
    for value in candidates:
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return str(value)
    return str(number)


def objects(value: Mapping[str, Any], key: str, fail: Fail) -> Sequence[Mapping[str, Any]]:
    """A list of objects; empty if there is none, or ``null``."""
    found = value.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        raise fail(f"its {key!r} is not a list of objects", CORRECT)
    return found


def string(value: Mapping[str, Any], key: str, fail: Fail) -> str:
    """A string that is not empty."""
    found = value.get(key)
    if not isinstance(found, str) or not found:
        raise fail(f"{key!r} has to be a string that is not empty, not {found!r}", CORRECT)
    return found


def whole_number(value: object, fail: Fail) -> int:
    """An offset."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise fail(f"an offset is {value!r}, not a whole number", CORRECT)
    return value


def placed(text: str, mentions: Sequence[tuple[int, int, str | None]], fail: Fail) -> list[tuple[int, int]]:
    """Where mentions are in a text, as [start, end) in characters.

    Offsets count characters, or UTF-16 code units (as JavaScript does) where only so all mentions are what
    the file says of them.

    Args:
        text: The text.
        mentions: Start, end, and what stands there if the file says it.
        fail: Makes the error to raise where neither unit is right.
    """
    problem = ""
    for unit in (CHARACTERS, CODE_UNITS):
        layout = Layout(unit)
        layout.add(0, text)
        spans = []
        try:
            for start, end, said in mentions:
                ((first, last),) = layout.spans([(start, end - start)])
                if said is not None and text[first:last].split() != said.split():
                    raise OffsetError(f"[{start}, {end}) is {text[first:last]!r}, not {said!r}")
                spans.append((first, last))
        except OffsetError as error:
            problem = problem or error.problem
        else:
            return spans
    raise fail(problem, "correct the offsets; they count characters from 0, the end is exclusive")

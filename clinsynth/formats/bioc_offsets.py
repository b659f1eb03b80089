"""Where the passages and annotations of a BioC document lie in its text.

BioC leaves open what an offset counts: most files count characters, some UTF-8 bytes (C++ tools) or
UTF-16 code units (Java tools).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

CHARACTERS, BYTES, CODE_UNITS = "characters", "UTF-8 bytes", "UTF-16 code units"
LONGEST_GAP = 10_000_000  # between passages; a wrong offset must not fill the memory with spaces


class OffsetError(ValueError):
    """An offset that cannot be right.

    Args:
        problem: What is wrong.
        remedy: What to do about it.
    """

    def __init__(self, problem: str, remedy: str = "correct the offsets") -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(problem)


class Layout:
    """The text of a document, put together from pieces at their offsets; gaps are spaces.

    Args:
        unit: What offsets count.
    """

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.text = ""
        self._width = 0
        self._starts: Sequence[int] | None = None

    def add(self, offset: int, piece: str) -> tuple[int, int]:
        """Where in the text, in characters, the piece lies that begins at ``offset``.

        Raises ``OffsetError`` where that is before the end of the text so far, or far behind it.
        """
        if offset < self._width:
            raise OffsetError(
                f"the passage at offset {offset} begins in the one before, which ends at {self._width}"
            )
        if offset > self._width + LONGEST_GAP:
            raise OffsetError(
                f"the passage at offset {offset} is far from the end of the one before, {self._width}"
            )
        if piece:  # an abstract that is empty does not lengthen the title
            self.text += " " * (offset - self._width)
            self._width = offset + sum(self._widths(piece))
        start = len(self.text)
        self.text += piece
        return start, len(self.text)

    def spans(self, locations: Iterable[tuple[int, int]]) -> list[list[int]]:
        """[start, end] in characters of each (offset, length), in order, once the text is whole.

        Raises ``OffsetError`` where one is empty or not inside the text.
        """
        places = sorted((offset, offset + length) for offset, length in locations)
        spans = [[self._character(start), self._character(end)] for start, end in places]
        if any(not 0 <= start < end for start, end in spans):
            raise OffsetError(
                f"at {[list(place) for place in places]} it is not inside the text, which has "
                f"{self._width} {self.unit}",
                "correct its location",
            )
        return spans

    def _character(self, offset: int) -> int:
        """The character that begins at ``offset``, or -1."""
        if self.unit == CHARACTERS:
            return offset if 0 <= offset <= len(self.text) else -1
        if self._starts is None:
            self._starts = list(accumulate(self._widths(self.text), initial=0))
        place = bisect_left(self._starts, offset)
        return place if place < len(self._starts) and self._starts[place] == offset else -1

    def _widths(self, piece: str) -> Iterable[int]:
        if self.unit == BYTES:
            return (1 + (c > "\x7f") + (c > "\u07ff") + (c > "\uffff") for c in piece)
        if self.unit == CODE_UNITS:
            return (1 + (c > "\uffff") for c in piece)
        return (1 for _ in piece)

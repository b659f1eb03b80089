"""What a corpus format is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from clinsynth.formats.writing import Writing
from clinsynth_onnx.document import Document

Reader = Callable[..., Iterator[Document]]


@dataclass(frozen=True, slots=True)
class Format:
    """A corpus format.

    Attributes:
        read: Documents of a file, or of a folder where the format is one, from its path and options by name.
        writing: The inverse, or ``None`` where there is no use for it.
        suffixes: File endings by which it is known.
        options: Names of the ``ReadingOptions`` that ``read`` takes.
    """

    read: Reader
    writing: Writing | None
    suffixes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

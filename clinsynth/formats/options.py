"""What a file does not say of itself, and a reader has to be told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ReadingOptions:
    """Options of readers; each format has its part of them.

    Attributes:
        label: Label of mentions whose tags are B, I and O alone, in CoNLL columns.
        token_column: Number of the column of tokens, from 1, in CoNLL columns; the first if not given.
        tag_column: Number of the column of tags, from 1, in CoNLL columns; the last if not given.
        layer: Layers of UIMA XMI whose annotations are mentions, by names separated by commas, or name of a
            spaCy span group.
        feature: Feature of a layer of UIMA XMI that holds the label.
    """

    label: str | None = None
    token_column: int | None = None
    tag_column: int | None = None
    layer: str | None = None
    feature: str | None = None

    def given(self) -> dict[str, Any]:
        """Those that are not ``None``."""
        return {name: value for name, value in asdict(self).items() if value is not None}


NO_OPTIONS = ReadingOptions()

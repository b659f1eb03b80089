"""What a file does not say of itself, and a reader has to be told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ReadingOptions:
    """Options of readers; each format has its part of them.

    Attributes:
        label: Label of mentions whose tags are B, I and O alone (CoNLL columns).
        token_column: Number of the column of tokens, from 1 (CoNLL columns).
        tag_column: Number of the column of tags, from 1 (CoNLL columns).
        layer: Names of UIMA types, separated by commas, or of a spaCy span group, that are mentions.
        feature: Feature of a UIMA type that holds the label.
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

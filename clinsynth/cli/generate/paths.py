"""Options that take a file or several."""

from __future__ import annotations

from pathlib import Path

Paths = Path | list[Path]


def paths(given: Paths | None) -> list[Path]:
    """A path or several, as a list."""
    return [given] if isinstance(given, Path) else list(given or [])

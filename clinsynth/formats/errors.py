"""What is said of a file that cannot be read or written as it stands."""

from __future__ import annotations

from pathlib import Path


class CorpusError(ValueError):
    """A corpus file is not what its format asks for.

    Args:
        path: The file.
        line: The line at fault, from 1; ``None`` if it is the file as a whole.
        problem: What is wrong.
        remedy: What to do about it.
    """

    def __init__(self, path: Path, line: int | None, problem: str, remedy: str) -> None:
        self.path = path
        self.line = line
        self.problem = problem
        self.remedy = remedy
        place = f"{path}:{line}" if line else str(path)
        super().__init__(f"{place}: {problem}. Remedy: {remedy}")


class UnwritableError(ValueError):
    """A document holds something that a format has no place for.

    Args:
        document: Its id.
        problem: What the format cannot hold.
    """

    def __init__(self, document: str, problem: str) -> None:
        self.problem = problem
        super().__init__(f"document {document!r}: {problem}. Remedy: write jsonl, which holds everything")

"""What people are told of an annotation on the way, never with the text."""

from __future__ import annotations

import sys
import time

SHOWN = 20  # bad rows that are told one by one


class Reporter:
    """Counts rows, and tells of the bad ones on standard error."""

    def __init__(self) -> None:
        self.documents = 0
        self.bad = 0
        self._before = 0
        self._start = time.perf_counter()

    def go_on(self, documents: int, bad: int) -> None:
        """Begins with what was done when the work was stopped."""
        self.documents = self._before = documents
        self.bad = bad
        if documents + bad:
            print(f"Going on after {documents + bad} rows", file=sys.stderr)

    @property
    def rate(self) -> float:
        """Documents a second, since this process began."""
        return (self.documents - self._before) / (time.perf_counter() - self._start)

    def refuse(self, place: str, problem: str) -> None:
        """Tells of a bad row, unless there were many."""
        self.bad += 1
        if self.bad <= SHOWN:
            print(f"{place}: {problem}", file=sys.stderr)
        elif self.bad == SHOWN + 1:
            print("... further bad rows are counted only", file=sys.stderr)

    def end(self, about: str, output: str, rejects: str) -> None:
        """Tells what was done.

        Args:
            about: What annotated.
            output: Where the result is; empty for standard output.
            rejects: Where the bad rows are; empty if they are not kept.
        """
        bad = f", {self.bad} bad rows" if self.bad else ""
        kept = f", kept in {rejects}" if self.bad and rejects else ""
        where = f": {output}" if output else ""
        print(
            f"{self.documents} documents{bad}{kept}, {self.rate:.1f} documents/s with {about}{where}",
            file=sys.stderr,
        )

"""What cannot be used, and why: counted, and kept where a person can look."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something that a language model wrote and that cannot be used.

    Args:
        reason: Why, in a few words that are the same for all such cases and hold none of the text.
        raw: What it was, as it was written.
        source: The ``custom_id`` of the request, or the id of the document.
        detail: What in particular; may quote the text.
    """

    reason: str
    raw: str
    source: str = ""
    detail: str = ""


def by_reason(rejects: Iterable[Rejected]) -> dict[str, int]:
    """How often each reason occurs, the most frequent first."""
    return dict(Counter(reject.reason for reject in rejects).most_common())


def write_ledger(path: Path, rejects: Iterable[Rejected]) -> None:
    """One JSON object a line."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for reject in rejects:
            stream.write(json.dumps(asdict(reject)) + "\n")

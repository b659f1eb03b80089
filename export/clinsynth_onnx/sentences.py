"""Where sentences begin: a rule that needs no model and gives the same answer everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable

from clinsynth_onnx.schema import Layout

END = re.compile(r"""[.!?]['")\]]*\s+(?=["'(\[]*[A-Z0-9])|\n\s*\n""")
ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Za-z]|al|approx|ca|cf|Dr|e\.g|Eq|Fig|Figs|i\.e|Mr|Mrs|Ms|No|Nos|Prof|Ref|resp|sp|spp|St|vs))\.\Z"
)


LINE_END = re.compile(r"\n\s*(?=\S)")


def sentence_starts(text: str, passages: Iterable[int] = (), layout: Layout = "prose") -> list[int]:
    """Character offsets at which sentences begin, the first one 0.

    A sentence ends at a full stop, exclamation or question mark that white space and a capital or
    a digit follow, unless the stop belongs to an abbreviation or an initial; and at an empty line.

    Args:
        text: The whole text.
        passages: Where its passages begin: a title or heading has no full stop, and ends all the same.
        layout: Whether the text is lines, so that a sentence ends with its line too.
    """
    starts = [0]
    for match in END.finditer(text):
        before = text[max(0, match.start() - 8) : match.start() + 1]
        if text[match.start()] != "." or not ABBREVIATION.search(before):
            starts.append(match.end())
    lines = (match.end() for match in LINE_END.finditer(text)) if layout == "lines" else ()
    return sorted({*starts, *passages, *lines})

"""Where sentences begin: a rule that needs no model and gives the same answer everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from clinsynth_onnx.document import Document, passage_starts
from clinsynth_onnx.schema import Layout

END = re.compile(r"""[.!?]['")\]]*\s+(?=["'(\[]*[A-Z0-9])|\n\s*\n""")
ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Za-z]|al|approx|ca|cf|Dr|e\.g|Eq|Fig|Figs|i\.e|Mr|Mrs|Ms|No|Nos|Prof|Ref|resp|sp|spp|St|vs))\.\Z"
)
LINE_END = re.compile(r"\n\s*(?=(\S+))")  # and the first word after it
WIDTHS = range(50, 133)  # columns that texts are cut to; a wider line is a paragraph


def sentence_starts(text: str, passages: Iterable[int] = (), layout: Layout = "prose") -> list[int]:
    """Character offsets at which sentences begin, the first one 0.

    A sentence ends at a full stop, exclamation or question mark that white space and a capital or
    a digit follow, unless the stop belongs to an abbreviation or an initial; and at an empty line.

    Args:
        text: The whole text.
        passages: Where its passages begin: a title or heading has no full stop, and ends all the same.
        layout: Whether the text is lines, so that a sentence ends with its line too, unless the line was
            full: where a text is cut to a width, a line ends because the next word does not fit.
    """
    starts = [0]
    for match in END.finditer(text):
        before = text[max(0, match.start() - 8) : match.start() + 1]
        if text[match.start()] != "." or not ABBREVIATION.search(before):
            starts.append(match.end())
    return sorted({*starts, *passages, *(_line_starts(text) if layout == "lines" else ())})


def sentences(document: Document, layout: Layout = "prose") -> list[tuple[int, int]]:
    """Begin and end of each sentence, the white space after it included.

    Passages end a sentence, and lines too in a text whose layout is lines.
    """
    starts = sentence_starts(document.text, passage_starts(document), layout)
    return list(zip(starts, [*starts[1:], len(document.text)], strict=True))


def _line_starts(text: str) -> Iterator[int]:
    """Where lines begin that do not go on with the one before."""
    width = max(len(line.rstrip()) for line in text.split("\n"))
    for match in LINE_END.finditer(text):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()].rstrip()
        full = width in WIDTHS and len(line) + 1 + len(match[1]) > width
        if not full:
            yield match.end()

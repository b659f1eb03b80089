"""A document's entities in colour, in lines that a terminal does not break again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from clinsynth_onnx.document import Document

STYLES = (
    "black on bright_yellow",
    "black on bright_cyan",
    "black on bright_green",
    "black on bright_magenta",
)


def show(document: Document, labels: tuple[str, ...], console: Console) -> None:
    """Prints the text with each mention on its label's colour, the label behind it.

    On a terminal lines end between words that are in no mention; elsewhere only where the text has a line
    end. A mention with its label that is wider than the terminal is broken as any long word is.
    """
    text, whole = _highlighted(document, labels)
    if not console.is_terminal:
        console.print(text, soft_wrap=True)
        return
    for line in text.divide(list(_breaks(text.plain, whole, console.width))):
        line.rstrip()
        console.print(line)


def _highlighted(document: Document, labels: tuple[str, ...]) -> tuple[Text, list[tuple[int, int]]]:
    """The coloured text, and in it start and end of each mention with its label."""
    text = Text()
    whole = []
    done = 0
    for entity in sorted(document.entities, key=lambda e: (e.start, -e.end)):
        if entity.start < done:
            continue  # inside a mention already shown; decoded entities never overlap
        text.append(document.text[done : entity.start])
        start = len(text)
        style = STYLES[labels.index(entity.label) % len(STYLES)]
        text.append(document.mention(entity), style=style)
        text.append(f" {entity.label} ", style=f"bold {style}")
        whole.append((start, len(text)))
        done = entity.end
    text.append(document.text[done:])
    return text, whole


def _breaks(text: str, whole: list[tuple[int, int]], width: int) -> Iterator[int]:
    """Where lines begin so that none is wider than the terminal, as far as words and mentions allow."""
    starts = (match.end() for match in re.finditer(r"\s(?=\S)", text))
    possible = [place for place in starts if not any(start < place < end for start, end in whole)]
    line, last = 0, 0
    for place in [*possible, len(text)]:
        if last > line and cell_len(text[line:place].rstrip()) > width:
            yield last
            line = last
        last = place

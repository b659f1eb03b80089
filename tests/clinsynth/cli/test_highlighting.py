"""What ``tag`` shows: mentions stay whole and with their label, whatever the width of the terminal."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from clinsynth.cli.highlighting import show
from clinsynth_onnx.document import Document, Entity

TEXT = "She was seen for Wilson disease, cystic fibrosis\nand ataxia-telangiectasia of long standing."
MENTIONED = "Wilson disease|cystic fibrosis|ataxia-telangiectasia"
DOCUMENT = Document(
    TEXT, tuple(Entity(found.start(), found.end(), "Disease") for found in re.finditer(MENTIONED, TEXT))
)


def shown(document: Document, width: int, terminal: bool = True) -> list[str]:
    """The lines without their colours."""
    stream = io.StringIO()
    console = Console(highlight=False, file=stream, width=width, force_terminal=terminal)
    show(document, ("Disease",), console)
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).split("\n")[:-1]


@pytest.mark.parametrize("width", range(31, 120))
def test_a_mention_stays_with_its_label(width: int) -> None:
    lines = shown(DOCUMENT, width)
    for mention in ("Wilson disease Disease", "cystic fibrosis Disease", "ataxia-telangiectasia Disease"):
        assert any(mention in line for line in lines), lines
    assert max(map(len, lines)) <= width
    assert " ".join(lines).split() == re.sub(MENTIONED, r"\g<0> Disease ", TEXT).split()


def test_what_is_piped_has_the_lines_of_the_text() -> None:
    lines = shown(DOCUMENT, 40, terminal=False)
    assert len(lines) == 2 and lines[0].endswith("cystic fibrosis Disease ")


@given(text=st.text(st.sampled_from("ab \n\t漢é"), max_size=60), width=st.integers(12, 30), data=st.data())
def test_no_character_is_lost(text: str, width: int, data: st.DataObject) -> None:
    entities: tuple[Entity, ...] = ()
    if text:
        start = data.draw(st.integers(0, len(text) - 1))
        entities = (Entity(start, data.draw(st.integers(start + 1, len(text))), "Disease"),)
    words = "".join(shown(Document(text, entities), width)).split()
    without = "".join(words).replace("Disease", "", 1) if entities else "".join(words)
    assert without == "".join(text.split())

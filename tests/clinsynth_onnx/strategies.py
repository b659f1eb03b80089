"""Hypothesis strategies for Documents."""

from __future__ import annotations

from hypothesis import strategies as st

from clinsynth_onnx.document import Document, Entity

PIECES = [
    "cancer",
    "fever",
    "gene",
    "e\u0301",
    "caf\u00e9",
    "na\u0308ive",
    "\U0001f469\u200d\u2695\ufe0f",
    "\u7ef4\u751f\u7d20",
    "\u00a0",
    " ",
    "\r\n",
    "\n\n",
    "\t",
    ". ",
    ". The ",
    "-",
    "(",
    "E. coli",
    "\u200b",
    "\u00ad",
    "\ufeff",
    "\x00",
    "\u0627\u0644",
    "1.5",
]

texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
    st.text(max_size=60),
)


@st.composite
def documents(draw: st.DrawFn, labels: tuple[str, ...] = ("Gene", "Disease")) -> Document:
    """Documents with any spans, overlapping and duplicate ones too."""
    text = draw(texts)
    entities = []
    if text:
        for _ in range(draw(st.integers(0, 6))):
            start = draw(st.integers(0, len(text) - 1))
            end = draw(st.integers(start + 1, min(len(text), start + 20)))
            entities.append(Entity(start, end, draw(st.sampled_from(labels))))
    return Document(text, tuple(entities), id="doc")

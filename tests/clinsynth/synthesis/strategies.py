"""Hypothesis strategies for documents that tags can show, and for what language models write."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from clinsynth_onnx.document import Document, Entity, Relation
from tests.clinsynth_onnx.strategies import PIECES

TAG_LIKE = [
    "<",
    ">",
    "&",
    ";",
    "/",
    "</",
    "&lt;",
    "&gt;",
    "&amp;",
    "&#60;",
    "&#x3c;",
    "&#",
    "&alpha;",
    "&amp",
    "lt;",
    "#60;",
    "<Disease>",
    "</Disease>",
    "<disease ",
    "< Gene >",
    '<Gene id="1">',
    "&lt;Disease&gt;",
    "&lt;/gene>",
    "<i>",
    "<Gene",
    "[Gene]",
    "[/disease]",
    "@GENE$",
    "@disease$",
    "@",
    "$",
    "<!--",
    "<br/>",
    "GENE",
    "Disease",
    "p < 0.05",
    "a<b>c",
    '"',
    "'",
    "\\",
    "id=",
    "=",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "```",
    "1. ",
    "- ",
    "label",
    "<think>",
    "</think>",
    "...",
    "\u2028",
    "\x1c",
    "\x85",
    "\x00",
    "K",
    "\u212a",
    "\u017f",
]
texts = st.one_of(
    st.lists(st.sampled_from(PIECES + TAG_LIKE), max_size=25).map("".join),
    st.text(max_size=40),
)


@st.composite
def documents(
    draw: st.DrawFn, labels: tuple[str, ...] = ("Gene", "Disease"), relations: bool = False
) -> Document:
    """Documents with text, whose mentions do not overlap and are in the order of the text."""
    text = draw(texts.filter(bool))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=10)))
    spans = [(a, b) for a, b in pairwise(cuts) if draw(st.booleans())]
    entities = tuple(Entity(a, b, draw(st.sampled_from(labels))) for a, b in spans)
    related: tuple[Relation, ...] = ()
    if relations:
        pairs = [
            (i, j)
            for i, head in enumerate(entities)
            for j, tail in enumerate(entities)
            if head.label == "Gene" and tail.label == "Disease"
        ]
        if pairs:
            chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=4))
            related = tuple(Relation(i, j, "Association") for i, j in chosen)
    return Document(text, entities, related)


@st.composite
def pairs(draw: st.DrawFn) -> Document:
    """Documents with one Gene and one Disease, associated or not."""
    text = draw(texts.filter(lambda t: len(t) > 1))
    a, b, c, d = sorted(draw(st.lists(st.integers(0, len(text)), min_size=4, max_size=4)))
    if a == b or c == d:
        a, b, c, d = 0, 1, len(text) - 1, len(text)
    labels = draw(st.permutations(["Gene", "Disease"]))
    head = labels.index("Gene")
    related = (Relation(head, 1 - head, "Association"),) if draw(st.booleans()) else ()
    return Document(text, (Entity(a, b, labels[0]), Entity(c, d, labels[1])), related)


markup = st.lists(st.one_of(st.sampled_from(PIECES + TAG_LIKE), st.text(max_size=5)), max_size=30).map(
    "".join
)
"""Text that is nearly tagged text, or nearly JSON."""

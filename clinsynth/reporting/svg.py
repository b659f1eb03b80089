"""Matplotlib's figures as inline SVG that takes its colours from the page, light or dark."""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
XLINK = "{http://www.w3.org/1999/xlink}href"
# each stands for a variable of the page's style sheet: matplotlib knows no variables
COLOURS = {
    name: f"#0000{i:02x}"
    for i, name in enumerate(("ink", "soft", "line", "paper", "s1", "s2", "s3", "s4", "s5", "s6"), 1)
}
SERIES = ("s1", "s2", "s3", "s4", "s5", "s6")
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be read, searched and scaled
    "text.parse_math": False,  # a label may have a dollar sign
    "font.size": 10.5,
    "text.color": COLOURS["ink"],
    "axes.edgecolor": COLOURS["soft"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.titlesize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "xtick.color": COLOURS["ink"],
    "ytick.color": COLOURS["ink"],
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
}
# who made it, and a style sheet that would hold for the whole page
NOT_FOR_A_PAGE = (f"{{{SVG}}}metadata", f"{{{SVG}}}style")
_FONT = re.compile(r"font-family:[^;]*;? *")
_COLOUR = re.compile("|".join(COLOURS.values()))
_REFERENCE = re.compile(r"url\(#([^)]*)\)")
_USED = re.compile(r"(?:url\(|href=\")#([^)\"]*)")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMES = {colour: name for name, colour in COLOURS.items()}


def colour(number: int) -> str:
    """The colour of a series; there are six, and then they come again."""
    return COLOURS[SERIES[number % len(SERIES)]]


def plain(text: str) -> str:
    """A text without what neither a font nor XML can hold: control characters, halves of characters."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def inline(figure: Figure, name: str, says: str) -> Markup:
    """The figure as an ``svg`` element.

    Args:
        figure: What was drawn, with colours of ``COLOURS``.
        name: What its ids begin with; no two figures of a page have the same.
        says: What it shows, for who cannot see it.
    """
    stream = io.StringIO()
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # the reader's fonts have it
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK[1:].partition("}")[0])
    root = ET.fromstring(stream.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in NOT_FOR_A_PAGE:
                parent.remove(child)
    used = set(_USED.findall(ET.tostring(root, encoding="unicode")))
    for element in root.iter():
        if element.attrib.get("id") not in used:
            element.attrib.pop("id", None)
        for key, value in list(element.attrib.items()):
            if key == "id":
                value = f"{name}-{value}"
            elif key == XLINK:
                value = f"#{name}-{value[1:]}"
            else:
                value = _REFERENCE.sub(rf"url(#{name}-\1)", value)
                value = _COLOUR.sub(lambda match: f"var(--{_NAMES[match[0]]})", value)
                value = _FONT.sub("", value)
            element.set(key, value)
    for key in ("width", "height"):
        root.attrib.pop(key, None)
    root.set("role", "img")
    root.set("aria-label", plain(says))
    return Markup(ET.tostring(root, encoding="unicode"))

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from markupsafe import Markup

from clinsynth.reporting import charts
from clinsynth.reporting.svg import COLOURS

HARD = ("cost in $ of $x", "<i>&amp;", "\x00\x1b", "\ud83d", "数")


def parsed(svg: Markup) -> ET.Element:
    return ET.fromstring(svg)


@pytest.mark.parametrize("label", HARD)
def test_any_label_is_text(label: str) -> None:
    svg = charts.intervals("x", "F1", {label: [(0.5, 0.4, 0.6)]}, ["F1"])
    told = "".join(parsed(svg).itertext())
    shown = re.sub("[\x00\x1b\ud83d]", "\ufffd", label)
    assert shown in told and shown in str(parsed(svg).get("aria-label"))


def test_colours_are_those_of_the_page_and_ids_are_its_own() -> None:
    svg = charts.shares("mine", "share", {"a": {"X": 0.4, "Y": 0.6}, "b": {"X": 1.0}})
    assert "var(--s1)" in svg and "var(--s2)" in svg and "var(--ink)" in svg
    assert not re.search("|".join(COLOURS.values()), svg)
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) == set(), "no colour is fixed"
    assert all(name.startswith("mine-") for name in re.findall(r'\bid="([^"]*)"', svg))
    assert "<style" not in svg and "font-family" not in svg
    assert parsed(svg).get("role") == "img" and "X 40%" in str(parsed(svg).get("aria-label"))


def test_the_same_numbers_draw_the_same_picture() -> None:
    first, second = (charts.distributions("x", "words", {"a": [1, 2, 2], "b": [5]}) for _ in range(2))
    assert first == second
    assert charts.distributions("x", "words", {"a": []}) == ""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from clinsynth.curation.density import PIECES, beside, density, departures
from clinsynth_onnx.document import RELATIONS_NOT_STATED, Document, Entity, Relation
from clinsynth_onnx.schema import Layout

PROSE = Document("Gout came. It went. Was it gout?", (Entity(0, 4, "Disease"), Entity(27, 31, "Disease")))
NOTE = Document("PLAN:\n\ngout diet\nhome", (Entity(7, 11, "Disease"),))
PAIR = (Entity(0, 4, "Disease"), Entity(10, 14, "Disease"))


def test_density_of_prose_and_of_lines() -> None:
    assert density([PROSE]) == {
        "sentences a document": 3.0,
        "share of sentences with nothing tagged": 0.3333,
        "Disease in 100 words": round(200 / 7, 4),
    }
    found = density([NOTE], "lines")
    assert found["lines a document"] == 3.0 and found["share of lines with nothing tagged"] == 0.6667


def test_relations_are_counted_where_they_are_known() -> None:
    related = Document("Gout like gout.", PAIR, (Relation(0, 1, "same"),))
    unknown = Document("Gout like gout.", PAIR, meta=RELATIONS_NOT_STATED)
    assert density([related, unknown])["relations a document"] == 1.0
    assert density([related, Document("Gout like gout.", PAIR)])["relations a document"] == 0.5
    both = {"concepts": ["A|B", "C"], "concept_relations": [["same", "A", "C"], ["same", "B", "C"]]}
    assert density([Document("Gout like gout.", PAIR, meta=both)])["relations a document"] == 2.0


def test_written_text_beside_real_text() -> None:
    found = beside({"written": [PROSE], "real train": [NOTE], "real test": []})
    assert found["Disease in 100 words"] == {"written": round(200 / 7, 4), "real train": 25.0}
    assert found["sentences a document"]["real test"] == 0.0


def test_departures_from_what_was_asked() -> None:
    found = departures([PROSE, Document("One. Two. Three. Four. Five.")], 4, 4, 0.2)
    assert found["documents of less than 4 sentences"] == 1
    assert found["documents of more than 5 sentences"] == 0, "a title counts as no sentence"
    assert found["share of sentences with nothing tagged"] == {"asked for": 0.2, "written": 0.75}
    assert departures([NOTE], 1, 2, 0.5, "lines")["documents of more than 2 lines"] == 1


@given(st.lists(st.text(max_size=40), max_size=5), st.sampled_from(get_args(Layout)))
def test_any_text_has_a_density(texts: list[str], layout: Layout) -> None:
    found = density([Document(text) for text in texts], layout)
    assert all(value >= 0 for value in found.values())
    assert found[f"share of {PIECES[layout]} with nothing tagged"] <= 1

"""Tables say what was measured, and "not run" of the rest."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from clinsynth.reproducing import results
from clinsynth.reproducing.output import all_tables, draw
from clinsynth.reproducing.pages import fill
from clinsynth.reproducing.plan import CorpusPlan, Row, Settings, cells
from clinsynth.reproducing.results import Line
from clinsynth.reproducing.scoring import Measured

CORPORA = {
    "toy": CorpusPlan(
        "Toy",
        "20 notes",
        {"F1": "strict_f1", "macro": "macro"},
        "t",
        Settings(),
        rows={"written": 1, "some": {10: 1, 50: 1}},
    ),
    "other": CorpusPlan("Other", "20 notes", {"F1": "f1"}, "t", Settings(), rows={"written": 1}),
}
ROWS = {
    "written": Row("written text", pays=True, export=True, curve="written text"),
    "some": Row("$size documents", curve="real text"),
}


def line(row: str = "written", size: int | None = None, mean: float = 0.8125) -> Line:
    return Line(
        corpus="toy",
        row=row,
        size=size,
        title=results.titled(ROWS[row], size),
        seeds=[0, 1],
        folds=[],
        documents=20,
        scores={
            "strict_f1": Measured(mean, mean - 0.1, mean + 0.1, 0.01, None),
            "macro": Measured(0.5, None, None, None, None),
        },
        always={},
        learned={"documents": size or 90, "sentences": 9 * (size or 90), "mentions": 100, "relations": 0},
        overlap={"texts": 90, "overlapping": 2},
        minutes=3.25,
        ms_per_document=None if size else 4.5,
        commands=["clinsynth fit --config a.yaml"],
        code="abc",
        date="2026-01-02",
    )


def test_what_was_not_measured_is_told() -> None:
    made = all_tables([line()], CORPORA, ROWS)
    assert made["reproduce"].splitlines() == [
        "| trained on | Toy, F1 | Other, F1 |",
        "| --- | --- | --- |",
        "| written text | 0.812 (0.71 to 0.91) | not run |",
    ]
    full = made["reproduce in full"].splitlines()
    assert full[2] == "| written text | 0.812 sd 0.010 seeds (0.71 to 0.91) | 0.500 | not run |"
    assert full[3:] == [f"| {n} documents | not run | not run | not run |" for n in (10, 50)]
    assert (
        "| Toy | written text | 90 | 810 | 2 of 90 | 0, 1 | abc | 2026-01-02 |" in made["reproduce overlap"]
    )
    assert "| Toy | written text | - | - | 90 | F1 0.812 | 3.2 | 4.5 |" in made["reproduce cost"]
    assert "clinsynth fit --config a.yaml" in made["reproduce commands"]


def test_csv_has_a_line_for_each_score() -> None:
    from clinsynth.reproducing.tables import csv_table

    rows = list(csv.DictReader(io.StringIO(csv_table([line(), line("some", 10)]))))
    assert [(row["row"], row["size"], row["score"]) for row in rows] == [
        ("written", "", "strict_f1"),
        ("written", "", "macro"),
        ("some", "10", "strict_f1"),
        ("some", "10", "macro"),
    ]
    assert float(rows[0]["mean"]) == 0.8125 and rows[2]["overlapping"] == "2"


def test_results_are_kept_and_joined(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results.write(path, [line(), line("some", 10)])
    kept = results.read(path)
    assert {one.place: one for one in kept} == {one.place: one for one in (line(), line("some", 10))}
    newer = replace(line(), code="def")
    assert {one.place: one.code for one in results.joined(kept, [newer])} == {
        ("toy", "written", None): "def",
        ("toy", "some", 10): "abc",
    }
    path.write_text("{}")
    with pytest.raises(ValueError, match="is no file of results"):
        results.read(path)


def test_pages_are_filled_between_their_marks() -> None:
    page = "# T\n<!-- table: reproduce -->\nold\n<!-- end of table -->\nrest\n"
    once = fill(page, {"reproduce": "| new |"})
    assert once == "# T\n<!-- table: reproduce -->\n\n| new |\n\n<!-- end of table -->\nrest\n"
    assert fill(once, {"reproduce": "| new |"}) == once
    with pytest.raises(ValueError, match=r"no table 'reproduce'\. The tables are other"):
        fill(page, {"other": ""})


def test_curves_are_svg_that_is_the_same_each_time(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found = [line(), line("some", 10, 0.4), line("some", 50, 0.6)]
    (path,) = draw(tmp_path / "a", found, CORPORA, ROWS)
    assert path.name == "toy.svg"
    text = path.read_text(encoding="utf-8")
    assert ET.fromstring(text).tag.endswith("svg") and "real text" in text and "http://www.w3.org" in text
    (again,) = draw(tmp_path / "b", found, CORPORA, ROWS)
    assert again.read_bytes() == path.read_bytes()
    assert draw(tmp_path / "c", found[:2], CORPORA, ROWS) == [], "one point is no curve"


def test_a_row_without_all_of_its_folds_is_left_out_and_told() -> None:
    corpora = {"toy": replace(CORPORA["toy"], folds=[1, 2, 3], rows={"written": 1})}
    rows = {"written": replace(ROWS["written"], settings=Settings({"data": "$real"}))}
    planned = list(cells(corpora, rows, [0, 1]))
    assert len(planned) == 6
    found = [
        {"corpus": cell.corpus, "row": cell.row, "size": cell.size, "seed": cell.seed, "fold": cell.fold}
        for cell in planned
        if (cell.seed, cell.fold) != (1, 2)
    ]
    kept, told = results.whole(found, planned)
    assert [(result["seed"], result["fold"]) for result in kept] == [(0, 1), (0, 2), (0, 3)]
    assert told == ["toy, written, seed 1: 2 of 3 folds have a result"]
    assert results.whole(found[:3], planned) == (found[:3], []), "seeds that were not run are not missing"

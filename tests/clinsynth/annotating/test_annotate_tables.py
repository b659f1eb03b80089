"""Tables through the command: in and out, by pipe, and over a stop."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from clinsynth.annotating import work
from clinsynth.runs.exits import INCOMPLETE, INTERRUPTED
from clinsynth_onnx.predictor import Predictor
from tests.clinsynth.annotating.commands import annotate

NOTES = 'key;ward;note\na;A;"The gene, a ""fever"";"\nb;B;two\n'
TEXTS = ['The gene, a "fever";', "two"]
OPTIONS = ["--text_column=note", "--id_column=key"]


def rows_of(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        if delimiter == "\t":
            return list(csv.DictReader(stream, delimiter=delimiter, quoting=csv.QUOTE_NONE))
        return list(csv.DictReader(stream, strict=True))


@pytest.mark.parametrize("name", ["csv", "tsv"])
def test_a_table_becomes_a_table(name: str, tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(NOTES, encoding="utf-8-sig")
    output = tmp_path / f"out.{name}"
    assert annotate(tiny_bundle, tmp_path / "in.csv", output, *OPTIONS) == 0
    rows = rows_of(output, "\t" if name == "tsv" else ",")
    assert [(row["key"], row["ward"], row["note"]) for row in rows] == [
        ("a", "A", TEXTS[0]),
        ("b", "B", TEXTS[1]),
    ]
    with Predictor.load(tiny_bundle, engine="onnxruntime") as predictor:
        expected = [document.to_json(mentions=True)["entities"] for document in predictor(TEXTS)]
    assert [json.loads(row["entities"]) for row in rows] == expected
    assert all(TEXTS[0][e["start"] : e["end"]] == e["text"] for e in expected[0])


def test_an_annotated_table_can_be_annotated_again(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(NOTES)
    assert annotate(tiny_bundle, tmp_path / "in.csv", tmp_path / "1.csv", *OPTIONS) == 0
    assert annotate(tiny_bundle, tmp_path / "1.csv", tmp_path / "2.parquet", *OPTIONS) == 0
    assert annotate(tiny_bundle, tmp_path / "2.parquet", tmp_path / "3.csv", *OPTIONS) == 0
    assert [(row["key"], row["note"]) for row in rows_of(tmp_path / "3.csv")] == [
        ("a", TEXTS[0]),
        ("b", TEXTS[1]),
    ]


def test_what_a_table_cannot_hold_is_kept_beside_it(tiny_bundle: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text('id,text\n1,fever\n2,"two\nlines"\n3\n4,pain\n')
    assert annotate(tiny_bundle, source, tmp_path / "out.tsv") == INCOMPLETE
    assert [row["id"] for row in rows_of(tmp_path / "out.tsv", "\t")] == ["1", "4"]
    kept = list(map(json.loads, (tmp_path / "out.tsv.rejects.jsonl").read_text().splitlines()))
    assert [row["place"] for row in kept] == [f"{source}, row 3", "document 2"]
    assert "it has fewer fields than the header" in kept[0]["problem"] and kept[0]["raw"] == "3"
    assert "a tab or a line break" in kept[1]["problem"]
    assert json.loads(kept[1]["raw"])["text"] == "two\nlines"


def stop(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["csv", "parquet"])
@pytest.mark.parametrize("place", ["work._finish", "table_sink._layout"])
def test_a_stopped_table_goes_on_to_the_same_bytes(
    name: str, place: str, tiny_bundle: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.csv").write_text(NOTES)
    arguments = (tiny_bundle, tmp_path / "in.csv")
    assert annotate(*arguments, tmp_path / f"whole.{name}", *OPTIONS) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"clinsynth.annotating.{place}", stop)
        assert annotate(*arguments, tmp_path / f"out.{name}", *OPTIONS) == INTERRUPTED
    assert not (tmp_path / f"out.{name}").exists()
    assert annotate(*arguments, tmp_path / f"out.{name}", *OPTIONS) == 0
    assert "Going on after 2 rows" in capfd.readouterr().err
    assert (tmp_path / f"out.{name}").read_bytes() == (tmp_path / f"whole.{name}").read_bytes()
    assert not (tmp_path / f"out.{name}.partial").exists()


def test_work_for_tsv_goes_on_as_csv(tiny_bundle: Path, tmp_path: Path) -> None:
    """As the error on names that TSV cannot hold says."""
    (tmp_path / "in.csv").write_text('text,"two\nlines"\nfever,x\n')
    arguments = (tiny_bundle, tmp_path / "in.csv", tmp_path / "out.tsv")
    with pytest.raises(ValueError, match=r"names of the columns .* --output_format csv goes on from here"):
        annotate(*arguments)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "_to_journal", lambda *_: None)
        assert annotate(*arguments, "--output_format=csv") == 0
    assert [row["two\nlines"] for row in rows_of(tmp_path / "out.tsv")] == ["x"]


def test_tables_from_standard_input(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").write_text(NOTES, encoding="utf-16")
    for output in (tmp_path / "out.csv", "-"):
        with (tmp_path / "in").open() as stream:
            monkeypatch.setattr(sys, "stdin", stream)
            assert annotate(tiny_bundle, "-", output, "--input_format=csv", *OPTIONS) == 0
    assert [row["note"] for row in rows_of(tmp_path / "out.csv")] == TEXTS
    shown = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [document["text"] for document in shown] == TEXTS
    with pytest.raises(ValueError, match=r"standard input is read as one of lines, .*, not parquet\. Remedy"):
        annotate(tiny_bundle, "-", "-", "--input_format=parquet")
    with pytest.raises(ValueError, match=r"standard output takes JSON lines, not csv\. Remedy"):
        annotate(tiny_bundle, "-", "-", "--output_format=csv")

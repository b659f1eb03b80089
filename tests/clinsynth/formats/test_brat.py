"""Brat standoff: invented notes in the real format, and what can be wrong with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.formats import brat, registry
from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth_onnx.document import Document, Entity, Relation
from tests.clinsynth_onnx.strategies import documents

TEXT = "Zorvexin eased left\r\nand right arm pain.\n"
NOTES = """\
R1\tTreats Arg1:T1 Arg2:T2
T1\tDrug 0 8\tZorvexin
T2\tSymptom 15 19;31 39\tleft arm pain
N1\tReference T1 MESH:D1\tZorvexin
#1\tAnnotatorNotes T1\tsure
A1\tNegation T2
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "notes"
    made.mkdir()
    (made / "n1.txt").write_bytes(TEXT.encode())
    (made / "n1.ann").write_bytes(NOTES.encode())
    return made


def test_everything_of_a_note_is_read(folder: Path, tmp_path: Path) -> None:
    (document,) = brat.read(folder)
    assert document.text == TEXT and document.id == "n1"
    assert [document.mention(e) for e in document.entities] == ["Zorvexin", "left\r\nand right arm pain"]
    assert document.relations == (Relation(0, 1, "Treats"),)
    assert document.meta == {
        "fragments": {"1": [[15, 19], [31, 39]]},
        "concepts": ["MESH:D1", None],
        "brat": ["#1\tAnnotatorNotes T1\tsure", "A1\tNegation T2"],
    }
    assert registry.write(tmp_path / "copy", [document], "brat") == []
    assert list(brat.read(tmp_path / "copy")) == [document]


def test_ids_that_other_lines_name_are_kept(folder: Path, tmp_path: Path) -> None:
    notes = NOTES.replace("T2", "T7").replace("R1", "R4") + "#2\tAnnotatorNotes R4\tsure\n"
    (folder / "n1.ann").write_bytes(notes.encode())
    (document,) = brat.read(folder)
    assert document.meta["brat_ids"] == {"T": ["T1", "T7"], "R": ["R4"]}
    assert registry.write(tmp_path / "copy", [document], "brat") == []
    assert sorted((tmp_path / "copy" / "n1.ann").read_text().split("\n")) == sorted(notes.split("\n"))
    fewer = replace(
        document, entities=document.entities[:1], relations=(), meta={"brat_ids": {"T": [], "R": []}}
    )
    with pytest.raises(UnwritableError, match="names 0 entities of 1"):
        brat.write(tmp_path / "fewer", [fewer])


def test_names_and_further_concepts_are_kept(folder: Path, tmp_path: Path) -> None:
    own = ["N5\tReference T1 MESH:D1\tzorvexin sodium", "N6\tReference T1 OTHER:2", "N7\tReference T9 X:1\tx"]
    notes = NOTES.replace("N1\tReference T1 MESH:D1\tZorvexin", "\n".join(own))
    (folder / "n1.ann").write_bytes(notes.encode())
    (document,) = brat.read(folder)
    assert document.meta["concepts"] == ["MESH:D1", None]
    assert registry.write(tmp_path / "copy", [document], "brat") == []
    written = (tmp_path / "copy" / "n1.ann").read_text()
    assert [line for line in written.split("\n") if line.startswith("N")] == own


@given(drawn=st.lists(documents(), min_size=1, max_size=3))
def test_what_is_written_is_read_back(
    drawn: list[Document], tmp_path_factory: pytest.TempPathFactory
) -> None:
    named = [replace(document, id=f"n{i}") for i, document in enumerate(drawn)]
    path = tmp_path_factory.mktemp("brat") / "notes"
    assert registry.write(path, named, "brat") == []
    assert list(registry.read(path)) == named


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden"])
def test_ids_that_are_no_file_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnwritableError, match="file name"):
        brat.write(tmp_path / "x", [Document("text", id=name)])


def test_ids_that_repeat_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnwritableError, match="of its own"):
        brat.write(tmp_path / "x", [Document("text", id="a"), Document("text", id="a")])


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (Document("a", id="x" * 252), "at most 251 bytes"),
        (Document("a\ud800", id="a"), "lone surrogate"),
        (Document("a", (Entity(0, 1, "S"),), id="a", meta={"concepts": ["x", "y"]}), "2 concepts for 1"),
        (Document("a", (Entity(0, 1, "a b"),), id="a"), "label"),
    ],
)
def test_what_brat_cannot_hold_is_named(tmp_path: Path, document: Document, says: str) -> None:
    with pytest.raises(UnwritableError, match=says):
        brat.write(tmp_path / "x", [document])


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("0 8\tZorvexin", "1 9\tZorvexin", 2, "'orvexin '"),
        ("0 8\tZorvexin", "0 99\tZorvexin", 2, "not inside the text"),
        ("15 19;31 39", "31 39;15 19", 3, "not inside the text"),
        ("Drug 0 8\tZorvexin", "Drug 0 8", 2, "not brat standoff"),
        ("Arg2:T2", "Arg2:T9", 1, "names T9"),
        ("Treats Arg1:T1 Arg2:T2", "Treats Arg1:T1", 1, "not a relation"),
        ("T2\tSymptom", "T1\tSymptom", 3, "a T1 already"),
        ("Arg2:T2", "Arg2:T1", 1, "relates T1 to itself"),
        ("A1\tNegation T2", "R1\tTreats Arg1:T2 Arg2:T1", 6, "a R1 already"),
        ("A1\tNegation T2", "Xegation", 6, "not brat standoff"),
        ("\n", "\r\n", 1, "carriage return"),
        ("sure", "s\xfcre", 5, "not UTF-8"),
    ],
)
def test_a_malformed_note_is_told_with_its_line(
    folder: Path, old: str, new: str, line: int, says: str
) -> None:
    assert old in NOTES
    (folder / "n1.ann").write_bytes(NOTES.replace(old, new).encode("latin-1"))
    with pytest.raises(CorpusError, match=rf"n1\.ann:{line}: .*Remedy") as caught:
        list(brat.read(folder))
    assert says in str(caught.value)


def test_files_without_their_counterpart_are_told(folder: Path, tmp_path: Path) -> None:
    (folder / "n2.txt").touch()
    with pytest.raises(CorpusError, match=r"n2\.txt: there is no n2\.ann"):
        list(brat.read(folder))
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=r"no \.txt and \.ann"):
        list(brat.read(tmp_path / "empty"))


@pytest.mark.parametrize("empty", [b"", b"\n"])
def test_a_note_without_annotations_is_a_document(folder: Path, empty: bytes) -> None:
    (folder / "n1.ann").write_bytes(empty)
    assert list(brat.read(folder)) == [Document(TEXT, id="n1")]

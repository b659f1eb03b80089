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
        registry.get_format("brat").writing.write(tmp_path / "fewer", [fewer])


def test_names_and_further_concepts_are_kept(folder: Path, tmp_path: Path) -> None:
    normalizations = [
        "N5\tReference T1 MESH:D1\tzorvexin sodium",
        "N6\tReference T1 OTHER:2",
        "N7\tReference T9 X:1\tx",
    ]
    notes = NOTES.replace("N1\tReference T1 MESH:D1\tZorvexin", "\n".join(normalizations))
    (folder / "n1.ann").write_bytes(notes.encode())
    (document,) = brat.read(folder)
    assert document.meta["concepts"] == ["MESH:D1", None]
    assert registry.write(tmp_path / "copy", [document], "brat") == []
    written = (tmp_path / "copy" / "n1.ann").read_text()
    assert [line for line in written.split("\n") if line.startswith("N")] == normalizations


def test_roles_and_relations_of_events_are_kept(folder: Path, tmp_path: Path) -> None:
    notes = """\
T1\tDrug 0 8\tZorvexin
T2\tSymptom 15 19\tleft
T3\tRelief 9 14\teased
E1\tRelief:T3 Theme:T2
R1\tBefore Cause:T1 Effect:E1
R2\tTreats Effect:T2 Cause:T1
R3\tTreats Arg1:T1 Arg2:T2
A1\tNegation E1
M1\tSpeculation E1
*\tEquiv T1 T2
#1\tAnnotatorNotes R1\tsure
"""
    (folder / "n1.ann").write_text(notes)
    (document,) = brat.read(folder)
    assert document.relations == (Relation(1, 0, "Treats"), Relation(0, 1, "Treats"))
    assert document.meta["brat_roles"] == {"0": ["Effect", "Cause"]}
    assert registry.write(tmp_path / "copy", [document], "brat") == []
    assert sorted((tmp_path / "copy" / "n1.ann").read_text().split("\n")) == sorted(notes.split("\n"))
    assert "brat_roles" not in document.annotated(()).meta


def test_shared_task_standoff_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "PMID-1.txt").write_text("ZRX1 raises QTP2")  # without a final line break
    (folder / "PMID-1.a1").write_text("T1\tProtein 0 4\tZRX1\nT2\tProtein 12 16\tQTP2\n")
    (folder / "PMID-1.a2").write_text(
        "T3\tRegulation 5 11\traises\nE1\tRegulation:T3 Theme:T2 Cause:T1\nR1\tCoref Subject:T2 Object:T1\n"
    )
    (folder / "PMID-2.txt").write_text("No protein")
    (folder / "PMID-2.a1").touch()
    assert registry.detect(folder) == "brat"
    first, second = registry.read(folder)
    assert [(first.mention(e), e.label) for e in first.entities] == [
        ("ZRX1", "Protein"),
        ("QTP2", "Protein"),
        ("raises", "Regulation"),
    ]
    assert first.relations == (Relation(1, 0, "Coref"),) and second == Document("No protein", id="PMID-2")
    assert registry.write(tmp_path / "copy", [first, second], "brat") == []
    (folder / "PMID-1.a2").write_text("T3\tRegulation 5 12\traises\n")
    with pytest.raises(CorpusError, match=r"PMID-1\.a2:1: .*'raises '"):
        list(registry.read(folder))
    (folder / "PMID-1.ann").touch()
    with pytest.raises(CorpusError, match=r"its annotations are in \.a1, \.a2, \.ann"):
        list(registry.read(folder))
    (folder / "PMID-3.txt").touch()
    with pytest.raises(CorpusError, match=r"PMID-3\.txt: there is no PMID-3\.a1"):
        list(registry.read(folder))


def test_folders_in_folders_are_in_the_ids(tmp_path: Path) -> None:
    written = [Document("fever", (Entity(0, 5, "Symptom"),), id=name) for name in ("b/2", "10", "a/b/1", "9")]
    assert registry.write(tmp_path / "notes", written, "brat") == []
    assert registry.detect(tmp_path / "notes") == "brat"
    assert list(registry.read(tmp_path / "notes")) == sorted(written, key=lambda document: document.id)


def test_fragments_keep_their_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "1.txt").write_text("arm and leg pain  today")
    notes = "T1\tSymptom 12 16;0 3\tpain arm\n"
    (folder / "1.ann").write_text(notes)
    (document,) = brat.read(folder)
    assert document.entities == (Entity(0, 16, "Symptom"),)
    assert "1 discontinuous mentions" in caplog.text
    assert registry.write(tmp_path / "copy", [document], "brat") == []
    assert (tmp_path / "copy" / "1.ann").read_text() == notes
    (folder / "1.ann").write_text("T1\tSymptom 12 23\tpain today\n")
    (document,) = brat.read(folder)
    assert document.entities == (Entity(12, 23, "Symptom"),)
    assert "differ in white space" in caplog.text


@given(drawn=st.lists(documents(), min_size=1, max_size=3))
def test_what_is_written_is_read_back(
    drawn: list[Document], tmp_path_factory: pytest.TempPathFactory
) -> None:
    named = [replace(document, id=f"n{i}") for i, document in enumerate(drawn)]
    path = tmp_path_factory.mktemp("brat") / "notes"
    assert registry.write(path, named, "brat") == []
    assert list(registry.read(path)) == named


@pytest.mark.parametrize("name", ["", "a//b", "/a", "a/../b", "..", ".hidden", "a\\b"])
def test_ids_that_are_no_file_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnwritableError, match="file name"):
        registry.get_format("brat").writing.write(tmp_path / "x", [Document("text", id=name)])


def test_ids_that_repeat_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnwritableError, match="another document has the same id"):
        registry.get_format("brat").writing.write(tmp_path / "x", [Document("text", id="a")] * 2)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (Document("a", id="x" * 252), "more than 245 bytes"),
        (Document("a\ud800", id="a"), "lone surrogate"),
        (Document("a", (Entity(0, 1, "S"),), id="a", meta={"concepts": ["x", "y"]}), "2 concepts for 1"),
        (Document("a", (Entity(0, 1, "a b"),), id="a"), "label"),
    ],
)
def test_what_brat_cannot_hold_is_named(tmp_path: Path, document: Document, says: str) -> None:
    with pytest.raises(UnwritableError, match=says):
        registry.get_format("brat").writing.write(tmp_path / "x", [document])


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("0 8\tZorvexin", "1 9\tZorvexin", 2, "'orvexin '"),
        ("0 8\tZorvexin", "0 99\tZorvexin", 2, "not inside the text"),
        ("15 19;31 39", "15 19;18 39", 3, "the fragments [15, 19, 18, 39] overlap"),
        ("15 19;31 39", "15 19;31 31", 3, "not inside the text"),
        ("Drug 0 8\tZorvexin", "Drug 0 8", 2, "not brat standoff"),
        ("Arg2:T2", "Arg2:T9", 1, "names T9, which is not a mention or an event"),
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

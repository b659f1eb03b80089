"""Our own format, which format a file is in, and writing that checks itself."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.formats import jsonl, registry, text
from clinsynth.formats.counts import count
from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth_onnx.document import Document, Entity, Relation
from tests.clinsynth_onnx.strategies import documents

DOCUMENT = Document("BRCA1 and cancer", (Entity(0, 5, "Gene", 0.25), Entity(10, 16, "Disease")), id="a")


@given(drawn=st.lists(documents(), min_size=1, max_size=4))
def test_jsonl_holds_everything(drawn: list[Document], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "some.jsonl"
    assert registry.write(path, drawn, "jsonl") == []
    assert list(registry.read(path)) == drawn


def test_jsonl_keeps_scores(tmp_path: Path) -> None:
    jsonl.write(tmp_path / "x.jsonl", [DOCUMENT])
    (back,) = jsonl.read(tmp_path / "x.jsonl")
    assert [e.score for e in back.entities] == [0.25, 1.0]


def test_jsonl_holds_half_a_character(tmp_path: Path) -> None:
    document = Document("caf\u00e9 \ud83d", id="1")
    registry.write(tmp_path / "x.jsonl", [document], "jsonl")
    assert list(registry.read(tmp_path / "x.jsonl")) == [document]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"text": "ab", "entities": [{"start": 0', "not JSON"),
        ('["ab"]', "not a JSON object"),
        ('{"text": "ab", "entities": [{"start": 0, "end": 9, "label": "Gene"}]}', "ends after the text"),
        ('{"text": "ab", "entities": [{"start": "0", "end": 1, "label": "Gene"}]}', "'start' must be"),
        ('{"txt": "ab"}', "unknown field 'txt'"),
        ('{"text": "ab"}\r', "carriage return"),
    ],
)
def test_a_malformed_line_is_told(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"text": "fine"}\n' + line + "\n", encoding="utf-8", newline="")
    with pytest.raises(CorpusError, match=r"bad\.jsonl:2: .*Remedy") as caught:
        list(jsonl.read(path))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", "", "jsonl"),
        ("a.tsv", "", "relation-tsv"),
        ("a.XML", "", "bioc-xml"),
        ("a.json", "", "bioc-json"),
        ("a.conll", "", "iob2"),
        ("a.iobes", "", "iobes"),
        ("a.txt", "\n12|t|A title\n12|a|\n", "pubtator"),
        ("a.txt", "A text", "text"),
        ("a.txt", "fever B-Symptom\nand O\n", "iob2"),
        ("a.txt", "-DOCSTART- -X- O O\n", "iob2"),
        ("a.tsv", "fever\tB\nand\tO\n", "iob2"),
        ("a.txt", "Blood group O\n", "text"),
        ("a.tsv", "@GENE$ and @DISEASE$\t1\n", "relation-tsv"),
        ("a.PubTator", "", "pubtator"),
    ],
)
def test_formats_are_told_apart(tmp_path: Path, name: str, content: str, expected: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert registry.detect(tmp_path / name) == expected


def test_folders_are_brat_or_text(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("two", encoding="utf-8")
    (tmp_path / "a.txt").write_text("one\r\n", encoding="utf-8", newline="")
    assert registry.detect(tmp_path) == "text"
    assert list(registry.read(tmp_path)) == [Document("one\r\n", id="a"), Document("two", id="b")]
    (tmp_path / "a.ann").touch()
    assert registry.detect(tmp_path) == "brat"


def test_unknown_formats_and_endings_are_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="name the format, one of jsonl"):
        registry.detect(tmp_path / "x.doc")
    with pytest.raises(ValueError, match="no corpus format 'word'"):
        list(registry.read(tmp_path / "x.doc", "word"))
    with pytest.raises(ValueError, match="only read"):
        registry.write(tmp_path / "x", [DOCUMENT], "text")
    with pytest.raises(CorpusError, match="no such file"):
        list(registry.read(tmp_path / "missing.jsonl"))
    with pytest.raises(CorpusError, match=r"no \.txt file"):
        list(text.read(tmp_path))


def test_nothing_is_overwritten_and_a_failure_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.pubtator"
    broken = Document("line\nbreak", id="1")
    with pytest.raises(UnwritableError):
        registry.write(path, [DOCUMENT, broken], "pubtator")
    assert list(tmp_path.iterdir()) == []
    registry.write(path, [DOCUMENT], "pubtator")
    with pytest.raises(FileExistsError, match="Remedy"):
        registry.write(path, [DOCUMENT], "pubtator")


def test_lost_meta_is_told(tmp_path: Path) -> None:
    document = Document("text", id="1", meta={"journal": "X"})
    assert registry.write(tmp_path / "x.pubtator", [document], "pubtator") == ["1"]


def test_counts() -> None:
    related = Document(
        "abcd",
        (Entity(0, 1, "Gene"), Entity(1, 2, "Disease")),
        (Relation(0, 1, "CID"),),
        meta={"concepts": ["G1", "D1|D2"], "concept_relations": [["CID", "G1", "D1"], ["CID", "G1", "D9"]]},
    )
    counts = count([related, DOCUMENT, DOCUMENT])
    assert counts.documents == 3 and counts.distinct == 2
    assert counts.characters == 36
    assert counts.entities == {"Disease": 3, "Gene": 3}
    assert counts.relations == {"CID": 1} and counts.concept_relations == {"CID": 2}
    assert counts.unmentioned == 1


def test_a_packed_file_is_in_the_format_of_what_is_in_it(tmp_path: Path) -> None:
    jsonl.write(tmp_path / "x.jsonl", [DOCUMENT])
    packed = tmp_path / "x.jsonl.gz"
    packed.write_bytes(gzip.compress((tmp_path / "x.jsonl").read_bytes()))
    assert list(registry.read(packed)) == [DOCUMENT]


@pytest.mark.parametrize("name", ["x.tsv", "x.txt", "x.conll", "x.jsonl"])
def test_utf_16_is_told_with_a_remedy_that_works(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("caf\u00e9\tO\n", encoding="utf-16")
    with pytest.raises(CorpusError, match=r"Remedy: .*iconv -f UTF-16 -t UTF-8"):
        list(registry.read(path))


@pytest.mark.parametrize("name", ["brat", "bioc-json"])
def test_what_would_be_read_otherwise_is_not_written(name: str, tmp_path: Path) -> None:
    stale = Document("a b c d", (Entity(0, 5, "S"),), id="n", meta={"fragments": {"0": [[0, 1], [2, 3]]}})
    with pytest.raises(UnwritableError, match="its entities unchanged"):
        registry.write(tmp_path / "x", [stale], name)
    assert list(tmp_path.iterdir()) == []

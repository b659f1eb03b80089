"""PubTator: invented abstracts in the real format, and what can be wrong with a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.formats import pubtator, registry
from clinsynth.formats.counts import count
from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth_onnx.document import Document, Entity, Relation
from tests.clinsynth_onnx.strategies import documents

GOOD = """\
101|t|Zorvexin and tremor
101|a|Patients on zorvexin (ZX) had tremor, mild or severe ataxia.
101\t0\t8\tZorvexin\tChemical\tD1
101\t13\t19\ttremor\tDisease\tD2
101\t32\t40\tzorvexin\tChemical\tD1
101\t42\t44\tZX\tChemical\tD1
101\t50\t56\ttremor\tDisease\tD2
101\t58\t79\tmild or severe ataxia\tDisease\tD3|D4\tmild ataxia|severe ataxia
101\tCID\tD1\tD2
101\tCID\tD1\tD4
101\tCID\tD1\tD9

102|t|Nothing here
102|a|

"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.txt"
    path.write_text(GOOD, encoding="utf-8", newline="")
    return path


def test_mentions_concepts_and_relations_are_read(good: Path) -> None:
    first, second = pubtator.read(good)
    assert [first.mention(e) for e in first.entities] == [
        "Zorvexin",
        "tremor",
        "zorvexin",
        "ZX",
        "tremor",
        "mild or severe ataxia",
    ]
    assert first.relations == (Relation(0, 1, "CID"), Relation(0, 5, "CID"))
    assert first.meta["concept_relations"] == [["CID", "D1", "D2"], ["CID", "D1", "D4"], ["CID", "D1", "D9"]]
    assert first.meta["parts"] == {"5": "mild ataxia|severe ataxia"}
    assert second == Document(
        "Nothing here", id="102", meta={"passages": [[0, 12, "title"], [12, 12, "abstract"]]}
    )


def test_writing_restores_the_file(good: Path, tmp_path: Path) -> None:
    read = list(pubtator.read(good))
    registry.get_format("pubtator").writing.write(tmp_path / "out.txt", read)
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == GOOD
    assert list(pubtator.read(tmp_path / "out.txt")) == read


@given(document=documents())
def test_what_can_be_written_is_read_back(
    document: Document, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("pubtator") / "one.pubtator"
    holds = not set(document.text) & set("\n\r") and not any(
        "\t" in document.mention(e) for e in document.entities
    )
    if holds:
        assert registry.write(path, [document], "pubtator") == []
        (back,) = registry.read(path)
        assert replace(back, meta={}) == document
    else:
        with pytest.raises(UnwritableError, match="doc"):
            registry.write(path, [document], "pubtator")
        assert not path.exists()


@given(cut=st.integers(0, 30), entity=st.integers(0, 3))
def test_a_title_is_kept_wherever_it_ends(
    cut: int, entity: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = "Title é here  and an abstract."
    document = Document(
        text, (Entity(entity, entity + 2, "Gene"),), id="7", meta={"passages": [[0, cut, "title"]]}
    )
    path = tmp_path_factory.mktemp("pubtator") / "one.txt"
    registry.get_format("pubtator").writing.write(path, [document])
    (back,) = pubtator.read(path)
    assert back.text == text and back.entities == document.entities
    title, abstract = back.meta["passages"]
    assert title[1] == (cut if text[cut : cut + 1] == " " else len(text))
    assert abstract[1] == len(text)


BIORED = """\
501|t|Zorvexin and tremor in KCNX2 carriers
501|a|
501\t0\t8\tZorvexin\tChemicalEntity\tD1
501\t13\t19\ttremor\tDiseaseOrPhenotypicFeature\tD2,D3
501\t23\t28\tKCNX2\tGeneOrGeneProduct\t901,902
501\t29\t37\tcarriers\tSequenceVariant\tc|DEL|12_14|
501\tPositive_Correlation\tD1\tD3\tNovel
501\tAssociation\tD1\tD3\tNo
501\tAssociation\t902\tD2\tNo
501\tAssociation\tc|DEL|12_14|\tD2\tNovel
501\tBind\t901\t901\tNo

"""


def test_relations_with_novelty_several_types_and_several_concepts(tmp_path: Path) -> None:
    path = tmp_path / "biored.pubtator"
    path.write_text(BIORED, encoding="utf-8")
    (document,) = pubtator.read(path)
    assert document.relations == (
        Relation(0, 1, "Positive_Correlation"),
        Relation(0, 1, "Association"),
        Relation(2, 1, "Association"),
        Relation(3, 1, "Association"),
    )
    assert document.meta["novelty"] == ["Novel", "No", "No", "Novel", "No"]
    assert document.meta["concept_relations"][-1] == ["Bind", "901", "901"], "kept, though it joins nothing"
    registry.get_format("pubtator").writing.write(tmp_path / "out", [document])
    assert (tmp_path / "out").read_text(encoding="utf-8") == BIORED


def test_novelty_of_a_part_of_the_relations_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.pubtator"
    path.write_text(BIORED.replace("\tD1\tD3\tNo\n", "\tD1\tD3\n"), encoding="utf-8")
    (document,) = pubtator.read(path)
    assert document.meta["novelty"] == ["Novel", None, "No", "Novel", "No"]
    assert registry.write(tmp_path / "out.pubtator", [document], "pubtator") == []


def test_a_relation_may_put_types_before_concepts(tmp_path: Path) -> None:
    path = tmp_path / "x.pubtator"
    path.write_text(BIORED.replace("\tD1\tD3\tNovel", "\tChemicalEntity|D1\tDisease|D3"), encoding="utf-8")
    (document,) = pubtator.read(path)
    assert document.relations[0] == Relation(0, 1, "Positive_Correlation")
    assert document.meta["concept_relations"][0] == [
        "Positive_Correlation",
        "ChemicalEntity|D1",
        "Disease|D3",
    ]
    assert count([document]).unmentioned == 0


@pytest.mark.parametrize("triple", [["7", "D1", "D2"], ["a\tb", "D1", "D2"], ["CID", "", "D2"]])
def test_a_relation_that_would_be_read_as_something_else_is_refused(
    tmp_path: Path, triple: list[str]
) -> None:
    document = Document("ab", id="9", meta={"concept_relations": [triple]})
    with pytest.raises(UnwritableError, match="cannot hold the relation"):
        registry.write(tmp_path / "x", [document], "pubtator")


def test_relations_between_single_mentions_are_refused(tmp_path: Path) -> None:
    entities = (Entity(0, 1, "Gene"), Entity(1, 2, "Disease"))
    document = Document("ab", entities, (Relation(0, 1, "Association"),), "9")
    with pytest.raises(UnwritableError, match="between mentions"):
        registry.get_format("pubtator").writing.write(tmp_path / "x", [document])


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("101\t0\t8\tZorvexin", "101\t1\t9\tZorvexin", 3, "stands at 0"),
        ("101\t13\t19\ttremor", "101\t13\t990\ttremor", 4, "not inside the text"),
        ("101\t13\t19\ttremor", "101\t19\t13\ttremor", 4, "not inside the text"),
        ("101\t13\t19\ttremor", "101\t-3\t19\ttremor", 4, "whole numbers"),
        ("101\t13\t19\ttremor\tDisease\tD2", "101\t13\t19\ttremor\t\tD2", 4, "no label"),
        ("101\t13\t19\ttremor\tDisease\tD2", "101\t13\t19\ttremor", 4, "4 tab-separated columns"),
        ("101\tCID\tD1\tD9\n", "101\tCID\t\tD9\n", 11, "no label, or not two concepts"),
        ("101\tCID\tD1\tD9\n", "101\tCID\n", 11, "2 tab-separated columns"),
        ("101\tCID\tD1\tD9\n\n", "101\tCID\tD1\tD9\n", 12, "empty line between documents"),
        ("102|a|\n\n", "", 13, "is missing"),
        ("101|a|", "101|b|", 2, "is missing"),
        ("\n", "\r\n", 1, "carriage return"),
    ],
)
def test_a_malformed_file_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert old in GOOD
    path = tmp_path / "bad.txt"
    path.write_text(GOOD.replace(old, new), encoding="utf-8", newline="")
    with pytest.raises(CorpusError, match="Remedy: ") as caught:
        list(pubtator.read(path))
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: ")


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"", None, "empty"),
        (b"\n\n", None, "empty"),
        (GOOD.replace("mild", "m\u00efld").encode("latin-1"), 2, "not UTF-8"),
        (GOOD.encode("utf-16"), 1, "byte order mark"),
        (b"\xef\xbb\xbf" + GOOD.encode(), 1, "byte order mark"),
    ],
)
def test_a_wrong_encoding_or_nothing_is_told(
    tmp_path: Path, content: bytes, line: int | None, says: str
) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=says) as caught:
        list(pubtator.read(path))
    assert caught.value.line == line and caught.value.path == path


def test_white_space_that_differs_in_a_mention_is_logged_and_the_offsets_hold(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "quirk.txt"
    path.write_text(GOOD.replace("101\t0\t8\tZorvexin", "101\t0\t8\tZorvexin "), encoding="utf-8")
    first, _ = pubtator.read(path)
    assert first.mention(first.entities[0]) == "Zorvexin"
    assert f"{path}:3" in caplog.text


FIELDS = st.sampled_from(
    ["7", "0", "3", "9", "-1", "gout", "a gout", "Disease", "D1,D2", "CID", "", "\u00e9", "|"]
)
ROWS = st.lists(FIELDS, min_size=1, max_size=7).map("\t".join)


@given(rows=st.lists(ROWS, max_size=5), title=st.text("a gout\u00e9|\t", max_size=8))
def test_any_rows_are_read_whole_or_told(
    rows: list[str], title: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("pubtator") / "x.pubtator"
    text = "\n".join([f"7|t|{title}", "7|a|gout", *rows])
    path.write_text(text + "\n", encoding="utf-8")
    try:
        documents = list(pubtator.read(path))
    except CorpusError as error:
        assert error.line is not None and "Remedy" in str(error)
    else:
        read = sum(len(d.entities) + len(d.meta.get("concept_relations", ())) for d in documents)
        assert read == len([row for row in rows if row.strip()])

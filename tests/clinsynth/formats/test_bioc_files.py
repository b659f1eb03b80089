"""BioC XML and JSON, read and written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from clinsynth.formats import bioc_files, bioc_writer, registry
from clinsynth.formats.counts import count
from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth_onnx.document import Document, Entity, Relation
from tests.clinsynth.formats.bioc import PUBTATOR3, XML
from tests.clinsynth_onnx.strategies import documents


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "cdr.xml"
    path.write_text(XML, encoding="utf-8")
    return path


def test_passages_mentions_concepts_and_relations_are_read(source: Path) -> None:
    (document,) = bioc_files.read_xml(source)
    assert document.text == "Zorvexin and café tremor Mild or severe ataxia."
    assert [document.mention(e) for e in document.entities] == ["Zorvexin", "Mild or severe ataxia"]
    assert document.relations == (Relation(0, 1, "CID"),)
    assert document.meta == {
        "passages": [[0, 24, "title"], [25, 47, "abstract"]],
        "concepts": ["D1", "D2|D3"],
        "fragments": {"1": [[25, 29], [40, 46]]},
        "concept_relations": [["CID", "D1", "D3"]],
    }


@pytest.mark.parametrize("name", ["bioc-xml", "bioc-json"])
def test_what_was_read_is_written_whole(source: Path, tmp_path: Path, name: str) -> None:
    read = list(bioc_files.read_xml(source))
    assert registry.write(tmp_path / "copy", read, name) == []


@given(drawn=st.lists(documents(), min_size=1, max_size=3), related=st.booleans())
def test_json_gives_back_what_is_written(
    drawn: list[Document], related: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("bioc") / "x.json"
    assert registry.write(path, [with_relation(d) if related else d for d in drawn], "bioc-json") == []


@given(document=documents())
def test_xml_gives_back_what_it_can_hold(
    document: Document, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("bioc") / "x.xml"
    holds = not bioc_writer.XML_FORBIDS.search(document.text)
    try:
        registry.write(path, [with_relation(document)], "bioc-xml")
    except UnwritableError:
        assert not holds and not path.exists()
    else:
        assert holds


def with_relation(document: Document) -> Document:
    if len(document.entities) < 2:
        return document
    return Document(document.text, document.entities, (Relation(1, 0, "Association"),), document.id)


def test_no_part_of_a_text_is_lost_or_changed(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(
        XML.replace("and café", "and<!-- a --> ca<?b?>fé").replace("UTF-8", "ISO-8859-1"), "utf-8"
    )
    (document,) = bioc_files.read_xml(path)
    assert document.text == "Zorvexin and café tremor Mild or severe ataxia."
    path.write_text(XML.replace("and café", "<i>and</i> café"), "utf-8")
    with pytest.raises(CorpusError, match=r"x\.xml:5: <text> holds <i>"):
        list(bioc_files.read_xml(path))


def test_fragments_in_one_another_end_at_the_last_end(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    within = '<location offset="0" length="8"/><location offset="1" length="2"/>'
    path.write_text(XML.replace('<location offset="0" length="8"/>', within), "utf-8")
    (document,) = bioc_files.read_xml(path)
    assert document.entities[0] == Entity(0, 8, "Chemical")


@pytest.mark.parametrize(
    "ends",
    [
        '<infon key="tail">D3</infon><infon key="head">D1</infon>',
        '<node refid="1" role="tail"/><node refid="0" role="head"/>',
    ],
)
def test_roles_tell_head_and_tail(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "x.xml"
    old = '<infon key="Chemical">D1</infon>\n<infon key="Disease">D3</infon>'
    assert old in XML
    path.write_text(XML.replace(old, ends), "utf-8")
    (document,) = bioc_files.read_xml(path)
    assert document.relations == (Relation(0, 1, "CID"),)


def test_two_relations_of_one_document(tmp_path: Path) -> None:
    entities = (Entity(0, 1, "Gene"), Entity(1, 2, "Disease"), Entity(2, 3, "Gene"))
    relations = (Relation(0, 1, "Association"), Relation(2, 1, "Association"))
    assert registry.write(tmp_path / "x.xml", [Document("abc", entities, relations, "1")], "bioc-xml") == []


WRAPPED = [
    json.dumps({"documents": [PUBTATOR3, PUBTATOR3]}),
    json.dumps({"PubTator3": [PUBTATOR3, PUBTATOR3]}),
    json.dumps([{"source": "PMC", "documents": [PUBTATOR3]}, {"documents": [PUBTATOR3]}]),
    json.dumps(PUBTATOR3) + "\n" + json.dumps(PUBTATOR3) + "\n",
    "\ufeff" + json.dumps([PUBTATOR3, PUBTATOR3]),
]


@pytest.mark.parametrize("content", WRAPPED)
def test_what_web_apis_give_is_read_and_written_back(tmp_path: Path, content: str) -> None:
    path = tmp_path / "api.json"
    path.write_text(content, encoding="utf-8")
    documents = list(bioc_files.read_json(path))
    assert [[d.mention(e) for e in d.entities] for d in documents] == [["Zorvexin", "tremor"]] * 2
    assert documents[0].relations == (Relation(0, 1, "Association"),)
    assert documents[0].meta["entity_infons"] == {"0": {"valid": True}}
    assert documents[0].meta["concept_relation_infons"] == {"0": {"score": "0.9"}}
    assert registry.write(tmp_path / "copy.json", documents, "bioc-json") == []


def test_novelty_and_passages_survive_every_change_of_format(tmp_path: Path) -> None:
    source = tmp_path / "biored.pubtator"
    source.write_text(
        "5|t|Zorvexin and tremor\n5|a|Ataxia, too.\n5\t0\t8\tZorvexin\tChemical\tD1\n"
        "5\t13\t19\ttremor\tDisease\tD2,D3\n5\tAssociation\tD1\tD3\tNovel\n5\tBind\tD1\tD3\n\n",
        encoding="utf-8",
    )
    documents = list(registry.read(source))
    for name in ("bioc-xml", "bioc-json", "pubtator"):
        assert registry.write(tmp_path / name, documents, name) == []
        assert list(registry.read(tmp_path / name, name)) == documents
    assert (tmp_path / "pubtator").read_bytes() == source.read_bytes()


UNPLACED = '<annotation id="M"><infon key="type">Indexing</infon><text/></annotation></passage>'


def test_an_annotation_without_a_place_is_kept_counted_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "x.xml"
    path.write_text(XML.replace("</passage>", UNPLACED, 1), "utf-8")
    (document,) = bioc_files.read_xml(path)
    assert len(document.entities) == 2
    assert count([document]).unplaced == {"Indexing": 1}
    assert "1 annotations without a place" in caplog.text
    assert registry.write(tmp_path / "copy.xml", [document], "bioc-xml") == []


def test_ids_may_begin_anew_or_be_missing_unless_a_relation_names_them(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(XML.replace('<annotation id="1">', '<annotation id="0">'), "utf-8")
    assert len(next(bioc_files.read_xml(path)).entities) == 2
    path.write_text(XML.replace('<annotation id="1">', "<annotation>"), "utf-8")
    assert len(next(bioc_files.read_xml(path)).entities) == 2
    nodes = '<node refid="0" role="a"/><node refid="1" role="b"/>'
    named = XML.replace('<infon key="Chemical">D1</infon>', nodes)
    third = '<annotation id="0"><infon key="type">A</infon><location offset="9" length="3"/></annotation>'
    path.write_text(named.replace("</passage>", third + "</passage>", 1), "utf-8")
    with pytest.raises(CorpusError, match="two annotations have this id"):
        list(bioc_files.read_xml(path))


@pytest.mark.parametrize(("encoding", "size"), [("utf-8", 1), ("utf-16-le", 2), ("utf-32-le", 4)])
@given(title=st.text("aé\U0001f9ec ", min_size=1, max_size=9), before=st.text("bβ\U0001f600 ", max_size=9))
def test_offsets_may_count_bytes_code_units_or_characters(
    encoding: str, size: int, title: str, before: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def length(text: str) -> int:
        return len(text.encode(encoding)) // size

    offset = length(title) + 1
    mention = {
        "infons": {"type": "Disease"},
        "text": "gout",
        "locations": [{"offset": offset + length(before), "length": 4}],
    }
    passages = [
        {"offset": 0, "text": title},
        {"offset": offset, "text": before + "gout", "annotations": [mention]},
    ]
    path = tmp_path_factory.mktemp("bioc") / "x.json"
    path.write_text(json.dumps({"id": "1", "passages": passages}), encoding="utf-8")
    (document,) = bioc_files.read_json(path)
    assert document.text.startswith(title) and document.text.endswith(f" {before}gout")
    assert [document.mention(e) for e in document.entities] == ["gout"]


def test_what_is_written_is_valid_by_the_dtd(source: Path, tmp_path: Path) -> None:
    dtd = Path(__file__).parents[4] / "shared" / "cases" / "BioC_document.dtd"
    if not dtd.is_file():
        pytest.skip("the DTD of BioC is not at hand")
    source.write_text(XML.replace("</passage>", UNPLACED, 1), "utf-8")
    documents = [*bioc_files.read_xml(source), Document("ab", (Entity(0, 1, "Gene"),), id="2")]
    registry.get_format("bioc-xml").writing.write(tmp_path / "out.xml", documents)
    tree = etree.parse(str(tmp_path / "out.xml"))
    etree.DTD(str(dtd)).assertValid(tree)
    assert {node.getparent().tag for node in tree.iter("annotation")} == {"passage"}

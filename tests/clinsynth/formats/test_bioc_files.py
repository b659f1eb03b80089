"""BioC XML and JSON: an invented collection in BC5CDR's manner, and what can be wrong with one."""

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
from tests.clinsynth_onnx.strategies import documents

XML = """\
<?xml version='1.0' encoding='UTF-8'?>
<!DOCTYPE collection SYSTEM "BioC.dtd">
<collection><source>none</source><date></date><key></key>
<document><id>301</id>
<passage><infon key="type">title</infon><offset>0</offset><text>Zorvexin and café tremor</text>
<annotation id="0"><infon key="type">Chemical</infon><infon key="MESH">D1</infon>
<location offset="0" length="8"/><text>Zorvexin</text></annotation>
</passage>
<passage><infon key="type">abstract</infon><offset>25</offset><text>Mild or severe ataxia.</text>
<annotation id="1"><infon key="type">Disease</infon><infon key="MESH">D2|D3</infon>
<location offset="25" length="4"/><location offset="40" length="6"/><text>Mild ataxia</text></annotation>
</passage>
<relation id="R0"><infon key="relation">CID</infon><infon key="Chemical">D1</infon>
<infon key="Disease">D3</infon></relation>
</document>
</collection>
"""


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


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('offset="0" length="8"', 'offset="1" length="8"', "annotation '0' says 'Zorvexin'"),
        ('offset="0" length="8"', 'offset="0" length="80"', "not inside the text"),
        ("<offset>25</offset>", "<offset>3</offset>", "begins in the one before"),
        ('<infon key="type">Chemical</infon>', "", "no type"),
        ('<infon key="relation">CID</infon>', "", "relation 'R0' has no type"),
        ('<infon key="Chemical">D1</infon>', '<infon key="Chemical"/>', "not two different nodes"),
        ('<infon key="type">Chemical</infon>', '<infon key="type"/>', "no type"),
        ("<offset>25</offset>", "<offset>99999999999</offset>", "far from the end"),
        (
            '<infon key="Chemical">D1</infon>',
            '<node refid="1" role="a"/><node refid="1" role="b"/>',
            "not two different nodes",
        ),
    ],
)
def test_a_wrong_document_is_told(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in XML
    path = tmp_path / "bad.xml"
    path.write_text(XML.replace(old, new), encoding="utf-8")
    with pytest.raises(CorpusError, match=r"bad\.xml: document '301': .*Remedy") as caught:
        list(bioc_files.read_xml(path))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (XML[:600].encode(), 11, "XML is broken"),
        (XML.encode("latin-1"), 5, "not UTF-8"),
        (b"", None, "empty"),
        (b"<html/>", None, "not a BioC collection"),
    ],
)
def test_a_broken_xml_file_is_told(tmp_path: Path, content: bytes, line: int | None, says: str) -> None:
    path = tmp_path / "bad.xml"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=r"bad\.xml.*Remedy") as caught:
        list(bioc_files.read_xml(path))
    assert says in str(caught.value) and caught.value.line == line


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ('{"documents": [\n', 2, "JSON is broken"),
        ('{"text": "a"}', None, "not a BioC collection"),
        (json.dumps([1]), None, "not a BioC collection"),
        (" ", None, "empty"),
    ],
)
def test_a_broken_json_file_is_told(tmp_path: Path, content: str, line: int | None, says: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=r"bad\.json.*Remedy") as caught:
        list(bioc_files.read_json(path))
    assert says in str(caught.value) and caught.value.line == line


JSON = {
    "id": "7",
    "infons": {},
    "relations": [],
    "passages": [
        {
            "offset": 0,
            "infons": {},
            "text": "abc",
            "sentences": [],
            "relations": [],
            "annotations": [
                {
                    "id": "1",
                    "infons": {"type": "Gene", "identifier": None},
                    "text": "a",
                    "locations": [{"offset": 0, "length": 1}],
                }
            ],
        }
    ],
}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"id": "7"', '"id": 7', "a field 'id' is 7"),
        ('"text": "abc"', '"text": 5', "a field 'text' is 5"),
        ('"offset": 0, "infons"', '"offset": "0", "infons"', "a field 'offset' is '0'"),
        ('"offset": 0, "length"', '"offset": 0.5, "length"', "a field 'offset' is 0.5"),
        ('"type": "Gene"', '"type": 5', "a field 'type' is 5"),
        ('"identifier": null', '"identifier": 5', "a field 'identifier' is 5"),
        ('{"type": "Gene", "identifier": null}', "[]", "a field 'infons' is []"),
    ],
)
def test_a_json_value_of_a_wrong_kind_is_told(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "x.json"
    head = {"source": "", "date": "", "key": "", "infons": {}, "documents": [JSON]}
    path.write_text(json.dumps(head))
    assert list(bioc_files.read_json(path)) == [Document("abc", (Entity(0, 1, "Gene"),), id="7")]
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(CorpusError, match=r"x\.json: document .*Remedy") as caught:
        list(bioc_files.read_json(path))
    assert says in str(caught.value)


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


@pytest.mark.parametrize("name", ["bioc-xml", "bioc-json"])
def test_what_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    stale = Document("ab", (Entity(0, 1, "Gene"),), meta={"concepts": ["x", "y"]})
    with pytest.raises(UnwritableError, match="2 concepts for 1 entities"):
        registry.write(tmp_path / "x", [stale], name)
    with pytest.raises(UnwritableError, match=r"cannot hold the character '\\ud800'"):
        registry.write(tmp_path / "x", [Document("a\ud800")], name)


def test_xml_refuses_control_characters_in_concepts(tmp_path: Path) -> None:
    document = Document("ab", (Entity(0, 1, "Gene"),), meta={"concepts": ["x\x00"]})
    with pytest.raises(UnwritableError, match="XML cannot hold"):
        registry.get_format("bioc-xml").writing.write(tmp_path / "x", [document])


def test_external_entities_are_neither_fetched_nor_expanded(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    path = tmp_path / "x.xml"
    path.write_text(
        f'<!DOCTYPE collection [<!ENTITY s SYSTEM "file://{tmp_path}/secret">]>'
        "<collection><document><id>1</id><passage><offset>0</offset><text>&s;</text></passage>"
        "</document></collection>"
    )
    with pytest.raises(CorpusError, match="defines entities"):
        list(bioc_files.read_xml(path))


def test_entities_in_attributes_are_not_expanded_either(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(
        f'<!DOCTYPE collection [<!ENTITY e "0">]>{XML[XML.index("<collection") :]}'.replace(
            'id="0"', 'id="&e;"'
        )
    )
    with pytest.raises(CorpusError, match="defines entities"):
        list(bioc_files.read_xml(path))


def test_two_relations_of_one_document(tmp_path: Path) -> None:
    entities = (Entity(0, 1, "Gene"), Entity(1, 2, "Disease"), Entity(2, 3, "Gene"))
    relations = (Relation(0, 1, "Association"), Relation(2, 1, "Association"))
    assert registry.write(tmp_path / "x.xml", [Document("abc", entities, relations, "1")], "bioc-xml") == []


PUBTATOR3 = {
    "id": "7",
    "passages": [
        {
            "infons": {"type": "title"},
            "offset": 0,
            "text": "Zorvexin",
            "annotations": [
                {
                    "id": "0",
                    "infons": {"type": "Chemical", "identifier": "MESH:D1", "valid": True},
                    "text": "Zorvexin",
                    "locations": [{"offset": 0, "length": 8}],
                }
            ],
        },
        {
            "infons": {"type": "abstract"},
            "offset": 9,
            "text": "tremor",
            "annotations": [
                {
                    "id": "0",
                    "infons": {"type": "Disease", "identifier": "MESH:D2"},
                    "text": "tremor",
                    "locations": [{"offset": 9, "length": 6}],
                }
            ],
        },
    ],
    "relations": [
        {
            "infons": {
                "type": "Association",
                "score": "0.9",
                "role1": {"identifier": "MESH:D1"},
                "role2": {"identifier": "MESH:D2"},
            },
            "nodes": [{"refid": "0", "role": "1,0"}, {"refid": "1", "role": "2,0"}],
        }
    ],
}
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


@given(
    value=st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        *PUBTATOR3,
                        "text",
                        "offset",
                        "infons",
                        "type",
                        "locations",
                        "length",
                        "annotations",
                        "documents",
                        "nodes",
                        "refid",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_any_json_is_read_or_told(value: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("bioc") / "x.json"
    path.write_text(json.dumps({"documents": [{"id": "1", "passages": [value]}, value]}), encoding="utf-8")
    try:
        list(bioc_files.read_json(path))
    except CorpusError as error:
        assert "Remedy" in str(error)

"""What can be wrong with BioC XML and JSON, and what they cannot hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.formats import bioc_files, registry
from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth_onnx.document import Document, Entity
from tests.clinsynth.formats.bioc import PUBTATOR3, XML


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

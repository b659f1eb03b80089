"""UIMA XMI: files written by cassis with the layers of DKPro and of a project, and what can be wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

cassis = pytest.importorskip("cassis")

from clinsynth.formats import registry  # noqa: E402
from clinsynth.formats.errors import CorpusError, UnwritableError  # noqa: E402
from clinsynth.formats.options import ReadingOptions  # noqa: E402
from clinsynth_onnx.document import Document, Entity, Relation  # noqa: E402
from tests.clinsynth_onnx.strategies import documents  # noqa: E402

TEXT = "\U0001f469 took zorvexin\r\nfor fever."
ANNOTATION = "uima.tcas.Annotation"
FINDING = "webanno.custom.Finding"


def project() -> Any:
    """As INCEpTION exports it: tokens, sentences, named entities, a layer and relations of a project."""
    types = cassis.load_dkpro_core_typesystem()
    finding = types.create_type(FINDING, ANNOTATION)
    types.create_feature(finding, "certainty", "uima.cas.String")
    relation = types.create_type("webanno.custom.Treats", ANNOTATION)
    entity = types.get_type("de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity")
    for name in ("Governor", "Dependent"):
        types.create_feature(relation, name, entity)
    cas = cassis.Cas(typesystem=types)
    cas.sofa_string, cas.sofa_mime = TEXT, "text/plain"
    for kind in ("Token", "Sentence"):
        made = types.get_type(f"de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.{kind}")
        cas.add(made(begin=0, end=1))
    drug = entity(begin=7, end=15, value="Drug", identifier="X:1")
    symptom = entity(begin=21, end=26, value="Symptom")
    for annotation in (symptom, drug, relation(begin=21, end=26, Governor=drug, Dependent=symptom)):
        cas.add(annotation)
    cas.add(finding(begin=21, end=26, certainty="sure"))
    return cas


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "note.xmi"
    project().to_xmi(path)
    return path


def test_named_entities_of_a_project_are_read(file: Path, tmp_path: Path) -> None:
    assert registry.detect(file) == "xmi" and registry.detect(tmp_path) == "xmi"
    (document,) = registry.read(file)
    assert document.id == "note" and document.text == TEXT
    assert sorted((document.mention(e), e.label) for e in document.entities) == [
        ("fever", "Symptom"),
        ("zorvexin", "Drug"),
    ]
    (relation,) = document.relations
    assert relation.label == "Treats" and document.mention(document.entities[relation.head]) == "zorvexin"
    assert sorted(map(str, document.meta["concepts"])) == ["None", "X:1"]
    assert registry.write(tmp_path / "copy", [document], "xmi") == []
    assert list(registry.read(tmp_path / "copy")) == [document]


def test_layers_and_features_are_chosen(file: Path) -> None:
    def read(layer: str, feature: str | None = None) -> list[tuple[str, str]]:
        (document,) = registry.read(file, None, ReadingOptions(layer=layer, feature=feature))
        return sorted((document.mention(e), e.label) for e in document.entities)

    assert read("Finding") == read(FINDING) == [("fever", "Finding")]
    assert read("Finding", "certainty") == [("fever", "sure")]
    assert read("Finding, NamedEntity") == [("fever", "Finding"), ("fever", "Symptom"), ("zorvexin", "Drug")]
    listed = (
        r"NamedEntity \(2 annotations, features: identifier, value\).*"
        r"Finding \(1 annotations, features: certainty\)"
    )
    with pytest.raises(CorpusError, match=rf"layer Findings\. Remedy: .*--layer.*{listed}"):
        read("Findings")
    with pytest.raises(CorpusError, match=rf"has no grade\. Remedy: .*{listed}"):
        read("Finding", "grade")


def test_without_named_entities_a_layer_has_to_be_named_unless_it_is_the_only_one(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    xml = (
        '<xmi:XMI xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore" '
        'xmlns:p="http:///p.ecore" xmi:version="2.0"><cas:NULL xmi:id="0"/>'
        '<p:A xmi:id="2" sofa="1" begin="0" end="5"/>{more}'
        '<cas:Sofa xmi:id="1" sofaNum="1" sofaID="_InitialView" sofaString="fever\U0001f469"/>'
        '<cas:View sofa="1" members="2 3"/></xmi:XMI>'
    )
    more = '<p:B xmi:id="3" sofa="1" begin="{}" end="{}"/>'
    path.write_text(xml.format(more=more.format(0, 2)))
    with pytest.raises(CorpusError, match="2 layers of annotations, and none is named"):
        list(registry.read(path))
    path.write_text(xml.format(more=more.format(0, 2).replace("p:B", "p:A")))
    assert [d.entities for d in registry.read(path)] == [(Entity(0, 5, "A"), Entity(0, 2, "A"))]
    path.write_text(xml.format(more=more.format(5, 6).replace("p:B", "p:A")))
    with pytest.raises(CorpusError, match=r"offset \[6\].*UTF-16"):  # in the middle of a character
        list(registry.read(path))
    path.write_text(xml.format(more=more.format(5, 99).replace("p:B", "p:A")))
    with pytest.raises(CorpusError, match=r"offset \[99\]"):
        list(registry.read(path))
    path.write_text(xml.format(more=""))
    with pytest.raises(CorpusError, match=r"cannot be read as UIMA XMI \(KeyError\)"):
        list(registry.read(path))
    path.write_text(xml.format(more=more.format(0, 2))[:-9])
    with pytest.raises(CorpusError, match="XML is broken"):
        list(registry.read(path))
    path.write_text('<!DOCTYPE a [<!ENTITY e "x">]>' + xml.format(more=""))
    with pytest.raises(CorpusError, match="defines entities"):
        list(registry.read(path))
    path.write_text("<collection/>")
    with pytest.raises(CorpusError, match="not UIMA XMI"):
        list(registry.read(path, "xmi"))


@given(drawn=st.lists(documents(), min_size=1, max_size=3), related=st.booleans())
def test_what_xml_can_hold_is_read_back(
    drawn: list[Document], related: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    named = [
        replace(
            document, id=f"n/{i}", relations=(Relation(1, 0, "R"),) * (related and len(document.entities) > 1)
        )
        for i, document in enumerate(drawn)
    ]
    path = tmp_path_factory.mktemp("xmi") / "notes"
    try:
        registry.write(path, named, "xmi")
    except UnwritableError as error:
        assert "XML cannot hold" in str(error)
    else:
        assert list(registry.read(path)) == named


def test_what_is_written_is_read_by_cassis_with_its_type_system(tmp_path: Path) -> None:
    document = Document("a \U0001f469 fever", (Entity(4, 9, "Symptom"),), id="x")
    registry.write(tmp_path / "out", [document], "xmi")
    types = cassis.load_typesystem(tmp_path / "out" / "TypeSystem.xml")
    cas = cassis.load_cas_from_xmi(tmp_path / "out" / "x.xmi", types)
    (found,) = cas.select("de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity")
    assert found.get_covered_text() == "fever" and found.value == "Symptom"

"""spaCy's DocBin: files that spaCy wrote, and documents that spaCy reads back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

spacy = pytest.importorskip("spacy")
from spacy.tokens import DocBin, Span  # noqa: E402

from clinsynth.formats import registry  # noqa: E402
from clinsynth.formats.errors import CorpusError, UnwritableError  # noqa: E402
from clinsynth.formats.options import ReadingOptions  # noqa: E402
from clinsynth_onnx.document import Document, Entity, Relation  # noqa: E402
from tests.clinsynth_onnx.strategies import documents  # noqa: E402

TEXT = "Zorvexin doesn't ease  fever."
ENTITIES = (Entity(0, 8, "Drug"), Entity(23, 28, "Symptom"))


def test_entities_of_a_file_of_spacy_are_read(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    doc = nlp(TEXT)
    doc.set_ents([Span(doc, 0, 1, "Drug", kb_id="D1"), doc.char_span(23, 28, "Symptom")])
    DocBin(docs=[doc, nlp("None")]).to_disk(tmp_path / "train.spacy")
    assert list(registry.read(tmp_path / "train.spacy")) == [
        Document(
            TEXT, (Entity(0, 8, "Drug"), Entity(23, 28, "Symptom")), id="1", meta={"concepts": ["D1", None]}
        ),
        Document("None", id="2"),
    ]


def test_groups_of_spans_are_read_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.spacy"
    doc = spacy.blank("en")(TEXT)
    doc.spans["sc"] = [doc[0:2], Span(doc, 0, 1, "Drug")]
    DocBin(docs=[doc]).to_disk(path)
    with pytest.raises(CorpusError, match="the span at 0 has no label"):
        list(registry.read(path))
    doc.spans["sc"] = [Span(doc, 0, 2, "Phrase"), Span(doc, 0, 1, "Drug")]
    DocBin(docs=[doc]).to_disk(path)
    (document,) = registry.read(path)
    assert document.entities == (Entity(0, 13, "Phrase"), Entity(0, 8, "Drug"))
    doc.spans["other"] = [Span(doc, 0, 1, "Other")]
    DocBin(docs=[doc]).to_disk(path)
    with pytest.raises(CorpusError, match=r"several groups of spans\. Remedy: .*--layer: other, sc"):
        list(registry.read(path))
    (document,) = registry.read(path, None, ReadingOptions(layer="other"))
    assert document.entities == (Entity(0, 8, "Other"),)
    with pytest.raises(CorpusError, match="no group of spans 'x'"):
        list(registry.read(path, None, ReadingOptions(layer="x")))


@given(drawn=st.lists(documents(), min_size=1, max_size=3))
def test_what_is_written_is_read_back(
    drawn: list[Document], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("spacy") / "x.spacy"
    try:
        registry.write(path, drawn, "spacy")
    except UnwritableError as error:
        assert "surrogates" in str(error)
    else:
        assert list(registry.read(path)) == drawn


def test_spacy_trains_on_what_is_written(tmp_path: Path) -> None:
    from spacy.training import Corpus

    document = Document("Pre-zorvexin fever", (Entity(4, 12, "Drug"),), id="n1", meta={"ward": "B"})
    assert registry.write(tmp_path / "train.spacy", [document], "spacy") == []
    nlp = spacy.blank("en")
    (example,) = Corpus(tmp_path / "train.spacy")(nlp)
    assert [(ent.text, ent.label_) for ent in example.reference.ents] == [("zorvexin", "Drug")]


def test_relations_and_other_files_are_refused(tmp_path: Path) -> None:
    related = Document("ab", (Entity(0, 1, "A"), Entity(1, 2, "B")), (Relation(0, 1, "R"),), "1")
    with pytest.raises(UnwritableError, match="no place for relations"):
        registry.write(tmp_path / "x.spacy", [related], "spacy")
    (tmp_path / "bad.spacy").write_bytes(b"text")
    with pytest.raises(CorpusError, match="not a DocBin"):
        list(registry.read(tmp_path / "bad.spacy"))
    with pytest.raises(CorpusError, match="no such file"):
        list(registry.read(tmp_path / "missing.spacy"))

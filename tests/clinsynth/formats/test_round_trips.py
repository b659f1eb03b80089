"""Annotate, correct in a tool, train: what annotate writes, its correction by the tool's library, `Files`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from clinsynth.annotating import sinks
from clinsynth.annotating.rows import Columns
from clinsynth.datamodules.files import Files
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.files import json_line
from clinsynth_onnx.schema import EntityType, Schema

TEXT = "\U0001f469 took zorvexin for fever"
PREDICTED = (Entity(7, 15, "Symptom", 0.4), Entity(20, 25, "Symptom", 0.9))
CORRECTED = (Entity(7, 15, "Drug"), Entity(20, 25, "Symptom"))
SCHEMA = Schema("notes", {"Drug": EntityType(), "Symptom": EntityType()})


def in_label_studio(path: Path) -> Path:
    tasks = json.loads(path.read_text(encoding="utf-8"))
    for number, task in enumerate(tasks, 1):
        results = [json.loads(json.dumps(result)) for result in task["predictions"][0]["result"]]
        results[0]["value"]["labels"] = ["Drug"]
        task |= {"id": number, "annotations": [{"id": 1, "result": results, "was_cancelled": False}]}
    exported = path.with_name("export.json")
    exported.write_text(json.dumps(tasks), encoding="utf-8")
    return exported


def in_doccano(path: Path) -> Path:
    exported = path.with_name("export.jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for number, value in enumerate(lines, 1):
        value["label"][0][2] = "Drug"
        value |= {"id": number, "Comments": []}
    exported.write_text("".join(json.dumps(value) + "\n" for value in lines), encoding="utf-8")
    return exported


def in_spacy(path: Path) -> Path:
    spacy = pytest.importorskip("spacy")
    nlp = spacy.blank("en")
    docs = list(spacy.tokens.DocBin().from_disk(path).get_docs(nlp.vocab))
    for doc in docs:
        drug, symptom = doc.ents
        doc.set_ents([spacy.tokens.Span(doc, drug.start, drug.end, "Drug"), symptom])
    exported = path.with_name("export.spacy")
    spacy.tokens.DocBin(docs=docs, store_user_data=True).to_disk(exported)
    return exported


def in_inception(path: Path) -> Path:
    cassis = pytest.importorskip("cassis")
    types = cassis.load_typesystem(path / "TypeSystem.xml")
    for file in path.glob("*.xmi"):
        cas = cassis.load_cas_from_xmi(file, types)
        drug, _ = cas.select("de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity")
        drug.value = "Drug"
        cas.to_xmi(file)
    return path


@pytest.mark.parametrize(
    ("name", "correct"),
    [
        ("label-studio", in_label_studio),
        ("doccano", in_doccano),
        ("spacy", in_spacy),
        ("xmi", in_inception),
    ],
)
def test_what_people_corrected_is_trained_on(
    name: str, correct: Callable[[Path], Path], tmp_path: Path
) -> None:
    journal = tmp_path / "documents.jsonl"
    predicted = [Document(TEXT, PREDICTED, id=f"n{i}") for i in range(3)]
    journal.write_text("".join(json_line(d.to_json()) for d in predicted), encoding="utf-8")
    written = sinks.write(journal, tmp_path, name, Columns(), lambda document, problem: pytest.fail(problem))
    exported = correct(written)
    data = Files(SCHEMA, train=str(exported), val=str(exported), format=None if exported.suffix else name)
    documents = data.task_documents("val")
    assert all(entity.score == 1.0 for document in documents for entity in document.entities)
    assert [(d.id, d.text, d.entities) for d in documents] == [(f"n{i}", TEXT, CORRECTED) for i in range(3)]

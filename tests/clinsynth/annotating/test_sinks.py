"""Annotated documents into every corpus format: good ones are written, others refused with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from clinsynth.annotating import sinks
from clinsynth.annotating.rows import Columns
from clinsynth.formats import registry
from clinsynth.formats.writing import Folder
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.files import json_line

GOOD = [
    Document("Zorvexin for fever", (Entity(0, 8, "Drug"), Entity(13, 18, "Symptom")), id=name)
    for name in ("10", "9", "a b")
]
BAD = Document("half of a \ud83d", id="11")
CORPORA = [name for name in get_args(registry.WritableName) if name not in ("jsonl", "relation-tsv")]


@pytest.mark.parametrize("name", CORPORA)
def test_what_a_format_can_hold_is_written_and_the_rest_refused(name: str, tmp_path: Path) -> None:
    source = tmp_path / "documents.jsonl"
    source.write_text("".join(json_line(d.to_json()) for d in [GOOD[0], BAD, *GOOD[1:]]), encoding="utf-8")
    refused = []

    def refuse(document: Document, problem: str) -> None:
        refused.append((document.id, problem))

    result = sinks.write(source, tmp_path, name, Columns(), refuse)
    found = [(d.id, d.text, d.entities) for d in registry.read(result, name)]
    good = [GOOD[0], BAD, *GOOD[1:]] if name == "doccano" else GOOD  # it is JSON in ASCII
    expected = [(d.id, d.text, d.entities) for d in good]
    is_folder = isinstance(registry.get_format(name).writing, Folder)
    assert found == (sorted(expected) if is_folder else expected)
    if name == "doccano":
        assert not refused
    else:
        ((identifier, problem),) = refused
        assert identifier == "11" and ("surrogate" in problem or "cannot hold the character" in problem)


@pytest.mark.parametrize("name", ["brat", "xmi"])
def test_two_documents_of_one_id_do_not_overwrite_each_other(name: str, tmp_path: Path) -> None:
    source = tmp_path / "documents.jsonl"
    source.write_text("".join(json_line(d.to_json()) for d in [GOOD[0], GOOD[0]]), encoding="utf-8")
    refused = []
    sinks.write(source, tmp_path, name, Columns(), lambda document, problem: refused.append(problem))
    assert refused == ["another document has the same id, and files are named after ids"]


@pytest.mark.parametrize("name", [name for name, known in registry.FORMATS.items() if known.writing])
def test_endings_tell_formats(name: str) -> None:
    for ending in registry.FORMATS[name].suffixes:
        assert sinks.format_of(f"out{ending}", None) == (name if ending != ".tsv" else "tsv")

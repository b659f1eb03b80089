"""The table for people."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from clinsynth.metrics.metric import ConceptScores, EntityScores, RelationScores
from clinsynth.metrics.report import table
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import EntityType, RelationType, Schema


def shown(result: object) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(table(result))  # type: ignore[arg-type]
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_entities_have_a_row_for_each_label_strict_and_relaxed() -> None:
    gold = Document("abcdef", (Entity(0, 3, "Gene"), Entity(4, 6, "Disease")))
    found = Document("abcdef", (Entity(0, 2, "Gene"), Entity(4, 6, "Disease")))
    scores = EntityScores(("Gene", "Disease"))
    scores.update([found], [gold], [0])
    text = shown(scores.result())
    assert "strict" in text and "relaxed" in text
    rows = [line.split() for line in text.splitlines() if line.strip().startswith("Gene ")]
    assert [row[1] for row in rows] == ["0.0000", "1.0000"], "strict, then relaxed"
    assert [line.split()[2] for line in text.splitlines() if "(micro)" in line] == ["0.5000", "1.0000"]


def test_relations_show_accuracy_and_correlation_too(schema: Schema) -> None:
    gold = Document("ab", (Entity(0, 1, "Gene"), Entity(1, 2, "Disease")), (Relation(0, 1, "Association"),))
    scores = RelationScores(schema)
    scores.update([gold], [gold], [0])
    text = shown(scores.result())
    rows = [line.split() for line in text.splitlines()]
    assert ["accuracy", "1.0000", "1.0000"] in rows and [
        "Association",
        "1.0000",
        "1.0000",
        "1.0000",
        "1",
    ] in rows
    assert ["always", "related", "1.0000", "1.0000", "1.0000"] in rows
    assert "Matthews correlation" in text and "macro F1" in text and "area under the ROC curve" in text


def test_one_document_has_no_interval() -> None:
    gold = Document("abcdef", (Entity(0, 3, "Gene"),))
    scores = EntityScores(("Gene",))
    scores.update([gold], [gold], [0])
    result = scores.result()
    assert result.scores["strict_f1"].to_json() == {"value": 1.0, "low": None, "high": None}
    assert result.to_json()["interval"] is None
    text = shown(result)
    assert "1 documents; too few for an interval" in text and "(1" not in text and "95 %" not in text


def test_relations_between_things_have_rows_for_any_label_and_for_sentences() -> None:
    types = {"A": EntityType()}
    schema = Schema("t", types, {name: RelationType(["A"], ["A"]) for name in ("R", "S")})
    gold = Document("a b. A c", (Entity(0, 1, "A"), Entity(2, 3, "A")), (Relation(0, 1, "R"),))
    scores = ConceptScores(schema)
    scores.update([replace(gold, relations=(Relation(0, 1, "S"),))], [gold], [0])
    text = shown(scores.result())
    rows = {line.rsplit(None, 4)[0]: line.split()[-4:] for line in text.splitlines() if line[-1:].isdigit()}
    assert rows["all (micro)"] == rows["inside a sentence"] == ["0.0000", "0.0000", "0.0000", "1"]
    assert rows["related, any label"] == ["1.0000", "1.0000", "1.0000", "1"]
    assert rows["across sentences"] == ["0.0000", "0.0000", "0.0000", "0"]
    assert "relations between things" in text and "accuracy" not in text

"""A table that was written is read again as it was, row by row, or its row is kept as what did not fit."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clinsynth.annotating import sources, table_sink
from clinsynth.annotating.rows import Columns
from clinsynth.annotating.table_sink import TableName
from clinsynth_onnx.document import Document, Entity, Relation

KINDS: tuple[TableName, ...] = get_args(TableName)
OURS = ("entities", "relations_")  # as reading calls the columns that writing adds

FOUND = Document(
    'Gout, "severe";\tand fever',
    (Entity(0, 4, "Disease", 0.5), Entity(20, 25, "Sign")),
    (Relation(0, 1, "Has", 0.25),),
    "a",
    {"ward": "A, B", "age": 7, "old": True, "codes": ["x", 1], "empty": None},
)


def write(
    path: Path, name: TableName, documents: Sequence[Document], columns: Columns | None = None
) -> list[tuple[str, str]]:
    """Writes; returns the ids of what did not fit, and why."""
    refused: list[tuple[str, str]] = []
    table_sink.write(
        name,
        path,
        lambda: documents,
        columns or Columns(),
        lambda document, problem: refused.append((document.id, problem)),
    )
    return refused


def read(path: Path, name: TableName, columns: Columns | None = None) -> list[Document]:
    rows = list(sources.read(str(path), name, columns or Columns()))
    assert [row.problem for row in rows] == [""] * len(rows)
    return [row.document for row in rows if row.document is not None]


def test_csv_has_a_column_for_each_of_the_input_and_json_for_what_was_found(tmp_path: Path) -> None:
    assert write(tmp_path / "out", "csv", [FOUND, Document("x", id="b")]) == []
    with (tmp_path / "out").open(encoding="utf-8", newline="") as stream:
        header, first, second = csv.reader(stream, strict=True)
    assert header == ["id", "text", "ward", "age", "old", "codes", "empty", "entities", "relations"]
    assert first[:7] == ["a", FOUND.text, "A, B", "7", "true", '["x", 1]', ""]
    entities = [
        {"start": 0, "end": 4, "label": "Disease", "text": "Gout", "score": 0.5},
        {"start": 20, "end": 25, "label": "Sign", "text": "fever"},
    ]
    assert json.loads(first[7]) == entities
    assert json.loads(first[8]) == [{"head": 0, "tail": 1, "label": "Has", "score": 0.25}]
    assert second == ["b", "x", "", "", "", "", "", "[]", "[]"]


def test_parquet_has_types(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert write(tmp_path / "out", "parquet", [FOUND, Document("x", id="b")]) == []
    table = parquet.read_table(tmp_path / "out")
    first, second = table.to_pylist()
    assert first["ward"] == "A, B" and first["age"] == 7 and first["old"] is True
    assert first["codes"] == '["x", 1]' and first["empty"] is None
    assert first["entities"][0] == {"start": 0, "end": 4, "label": "Disease", "text": "Gout", "score": 0.5}
    assert first["entities"][1]["score"] == 1.0
    assert first["relations"] == [{"head": 0, "tail": 1, "label": "Has", "score": 0.25}]
    assert second["age"] is None and second["entities"] == []


@pytest.mark.parametrize("name", KINDS)
def test_columns_keep_the_names_of_the_input(name: TableName, tmp_path: Path) -> None:
    columns = Columns(text="note", id="pmid")
    written = Document("fever", id="7", meta={"id": "x", "text": "y", "entities": "z"})
    assert write(tmp_path / "out", name, [written], columns) == []
    (found,) = read(tmp_path / "out", name, columns)
    assert (found.id, found.text) == ("7", "fever")
    assert {key: found.meta[key] for key in written.meta} == written.meta
    assert found.meta["entities_"] in ("[]", [])


def test_tsv_keeps_back_what_would_be_two_rows(tmp_path: Path) -> None:
    documents = [Document("a", id="1"), Document("b\nc", id="2"), Document("d", id="3", meta={"x": "\t"})]
    refused = write(tmp_path / "out", "tsv", documents)
    assert [name for name, _ in refused] == ["2", "3"]
    assert "which TSV without quotation marks cannot hold" in refused[0][1]
    assert [document.id for document in read(tmp_path / "out", "tsv")] == ["1"]


@pytest.mark.parametrize("name", KINDS)
def test_half_a_character_is_kept_back(name: TableName, tmp_path: Path) -> None:
    documents = [Document("a", id="1"), Document("\ud800", id="2"), Document("c", id="3")]
    assert [refused for refused, _ in write(tmp_path / "out", name, documents)] == ["2"]
    assert [document.id for document in read(tmp_path / "out", name)] == ["1", "3"]


def test_names_that_a_table_cannot_hold_are_told_with_a_way_on(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"names of the columns .* as tsv: .*--output_format csv goes on"):
        write(tmp_path / "out", "tsv", [Document("a", meta={"two\nlines": "x"})])
    with pytest.raises(ValueError, match=r"names of the columns .* as csv: .*--output_format jsonl goes on"):
        write(tmp_path / "out", "csv", [Document("a", meta={"\ud800": "x"})])


def test_more_rows_than_a_group_of_parquet_has(tmp_path: Path) -> None:
    documents = [Document("fever", id=str(i)) for i in range(2 * table_sink.PARQUET_ROWS + 1)]
    assert write(tmp_path / "out", "parquet", documents) == []
    assert [found.id for found in read(tmp_path / "out", "parquet")] == [given.id for given in documents]


CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("\",;\t\r\n|'\\ \x00\x85\u2028")
TEXTS = st.text(CHARACTERS, max_size=12)
NAMES = st.text(st.sampled_from("abc \"',;|"), min_size=1, max_size=4)
SCALARS = (
    st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.floats(allow_nan=False, allow_infinity=False)
)


@st.composite
def tables(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> list[Document]:
    """Documents that have the same columns, and an entity where there is text."""
    names = draw(st.lists(NAMES, unique=True, max_size=3))
    texts = draw(st.lists(TEXTS, min_size=1, max_size=5))
    return [
        Document(
            text,
            (Entity(0, len(text), "Sign", draw(st.floats(0, 1))),) if text else (),
            (),
            f"row {i:09}",
            {name: draw(values) for name in names},
        )
        for i, text in enumerate(texts)
    ]


def without_ours(found: Document) -> Document:
    meta = {key: value for key, value in found.meta.items() if key not in OURS}
    return Document(found.text, (), (), found.id, meta)


@pytest.mark.parametrize("name", ["csv", "tsv"])
@given(documents=tables(TEXTS))
@example(documents=[Document("a\rb", id="1"), Document("\n", id="2"), Document('"', id="3")])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_written_is_read_again(name: TableName, tmp_path: Path, documents: list[Document]) -> None:
    refused = {identifier for identifier, _ in write(tmp_path / "out", name, documents)}
    found = read(tmp_path / "out", name)
    fitting = [document for document in documents if document.id not in refused]
    assert [without_ours(document) for document in found] == [
        Document(document.text, (), (), document.id, document.meta) for document in fitting
    ]
    assert [json.loads(document.meta["entities"]) for document in found] == [
        document.to_json(mentions=True)["entities"] for document in fitting
    ]
    assert not refused or name == "tsv"


@given(documents=tables(TEXTS | SCALARS | st.none()) | tables(SCALARS) | tables(st.floats(0, 1)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parquet_that_was_written_is_read_again(tmp_path: Path, documents: list[Document]) -> None:
    pytest.importorskip("pyarrow")
    assert write(tmp_path / "out", "parquet", documents) == []
    found = read(tmp_path / "out", "parquet")
    mixed = {
        name
        for name in documents[0].meta
        if len({type(document.meta[name]) for document in documents} - {type(None)}) > 1
    }
    for before, after in zip(documents, found, strict=True):
        assert (after.id, after.text) == (before.id, before.text)
        for name, value in before.meta.items():
            is_json = name in mixed and value is not None
            assert (json.loads(after.meta[name]) if is_json else after.meta[name]) == value
        entities = [{"score": 1.0, **entity} for entity in before.to_json(mentions=True)["entities"]]
        assert after.meta["entities"] == entities

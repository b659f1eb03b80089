"""Rows of CSV, TSV and Parquet: one that is damaged costs only itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from clinsynth.annotating import sources, tables
from clinsynth.annotating.rows import Columns
from clinsynth_onnx.document import Document


def test_strings_of_parquet_that_are_not_utf8_are_bad_rows(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

    def strings(*values: bytes) -> Any:
        return pyarrow.Array.from_buffers(
            pyarrow.string(), len(values), pyarrow.array(values, pyarrow.binary()).buffers()
        )

    columns = {"text": strings(b"fever", b"p\xffn", b"pain"), "id": strings(b"a", b"b", b"\xff")}
    parquet.write_table(pyarrow.table(columns), tmp_path / "in.parquet")
    rows = list(sources.read(str(tmp_path / "in.parquet"), "parquet", Columns()))
    assert [row.document for row in rows] == [Document("fever", id="a"), None, None]
    assert [row.raw for row in rows[1:]] == ["p\\xffn", "\\xff"]
    assert "its text cannot be read: byte 2" in rows[1].problem and "its id" in rows[2].problem


def test_parquet_is_read_in_pieces_smaller_than_a_group_of_rows(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    texts = [os.urandom(5000).hex() for _ in range(8000)]  # 80 MB, one group
    parquet.write_table(pyarrow.table({"text": texts}), tmp_path / "in.parquet", use_dictionary=False)
    del texts
    pool = pyarrow.default_memory_pool()
    before, most = pool.bytes_allocated(), 0
    for row in sources.read(str(tmp_path / "in.parquet"), "parquet", Columns()):
        assert row.document
        most = max(most, pool.bytes_allocated() - before)
    assert most < 40_000_000


def table(path: Path, content: bytes) -> list[tuple[str, str]]:
    """Of each row its text, or what it holds and what is wrong."""
    path.write_bytes(content)
    rows = sources.read(str(path), "csv", Columns())
    return [(row.document.text, "") if row.document else (row.raw, row.problem) for row in rows]


def test_a_quote_that_nothing_closes_makes_one_row_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = "it is not CSV (',' expected after '\"')"
    rows = table(tmp_path / "in.csv", b'id,text\n1,"a\n\n2,"b\n c ""d"""\n3,e\n4,"f" \n5,g\n')
    assert rows == [('1,"a', strict), ('b\n c "d"', ""), ("e", ""), ('4,"f" ', strict), ("g", "")]
    rows = table(tmp_path / "in.csv", b'text\n"a\nb\xff\nc')
    assert [text for text, _ in rows] == ['"a', "b\udcff", "c"]
    monkeypatch.setattr(tables, "LARGEST", 1000)
    lines = [f"line {i}" for i in range(1000)]
    rows = table(tmp_path / "in.csv", "\n".join(["text", '"a', *lines]).encode())
    problem = "it is not CSV (field larger than field limit (1000))"
    assert rows == [('"a', problem), *((line, "") for line in lines)]
    rows = table(tmp_path / "in.csv", b"text\n" + b'a","\n' * 1000)  # ever more fields
    assert len(rows) == 1000
    assert rows[0] == ('a","', "it is not CSV (it goes on for more than 1000 characters)")


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "lines"])
def test_a_byte_order_mark_is_no_part_of_the_first_line(kind: str, tmp_path: Path) -> None:
    comma = "," if kind == "csv" else "\t"
    table_ = f"id{comma}text\n7{comma}fever\n"
    content = {"jsonl": '{"id": 7, "text": "fever"}\n', "lines": "fever\n"}.get(kind, table_)
    (tmp_path / "in").write_text(content, encoding="utf-8-sig")
    (row,) = sources.read(str(tmp_path / "in"), kind, Columns())
    assert row.document == Document("fever", id="1" if kind == "lines" else "7")

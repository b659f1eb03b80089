"""What cannot be annotated is told by its place and kept, and stops nothing else."""

from __future__ import annotations

import codecs
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clinsynth.annotating import sources
from clinsynth.annotating.rows import Columns
from clinsynth.formats import jsonl, registry
from clinsynth.runs.exits import INCOMPLETE
from clinsynth_onnx.document import Document, Entity
from tests.clinsynth.annotating.commands import CANARY, annotate, lines_of, write_jsonl


def test_a_text_with_too_many_pairs_is_a_bad_row(
    tiny_bundle: Path,
    tiny_relation_bundle: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entities: list[dict[str, Any]] = [
        {"start": 0, "end": 1, "label": label} for label in ["Gene"] * 200 + ["Disease"] * 200
    ]
    many = {"text": CANARY, "id": "many", "entities": entities}
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "fever", "id": "a"}, many])
    assert annotate(tiny_relation_bundle, source, tmp_path / "alone.jsonl") == 3
    assert [d.id for d in jsonl.read(tmp_path / "alone.jsonl")] == ["a"]
    (kept,) = map(json.loads, lines_of(tmp_path / "alone.jsonl.rejects.jsonl"))
    assert kept["place"] == f"{source}:2" and json.loads(kept["raw"])["entities"] == entities
    assert "40000 candidate pairs in 16 characters" in kept["problem"]

    def crowded(self: object, features: object, logits: object) -> list[Document]:
        return [Document(CANARY, tuple(Entity(**entity) for entity in entities))] * 2

    monkeypatch.setattr("clinsynth_onnx.entity_codec.EntityCodec.decode", crowded)
    assert (
        annotate(tiny_bundle, source, tmp_path / "chained.jsonl", f"--relations={tiny_relation_bundle}") == 3
    )
    assert len(lines_of(tmp_path / "chained.jsonl.rejects.jsonl")) == 2
    assert CANARY not in capfd.readouterr().err


def test_bad_rows_are_told_by_place_and_kept(
    tiny_bundle: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    good = json.dumps({"text": "fever", "id": "x"})
    bad = [
        f"{CANARY} no json",
        f'["{CANARY}"]',
        f'{{"note": "{CANARY}"}}',
        '{"text": 5}',
        f'{{"text": "{CANARY}", "entities": [{{"start": 0, "end": 99, "label": "Gene"}}]}}',
        f'{{"text": "{CANARY}", "score": NaN}}',
        '{"text": "a", "id": ["b"]}',
        '{"text": "a", "weight": 1e999}',
        f'{{"text": "a", "entities": [{{"start": 0, "end": 1, "label": "Gene", "score": {10**400}}}]}}',
        "[" * 100_000,
    ]
    source = tmp_path / "in.jsonl"
    lines = [line.encode() for bad_line in bad for line in (good, bad_line)]
    source.write_bytes(b"\n".join([*lines, b'{"text": "\xff"}', good.encode()]))
    assert annotate(tiny_bundle, source, tmp_path / "out.jsonl") == 3
    assert len(lines_of(tmp_path / "out.jsonl")) == len(bad) + 1
    kept = [json.loads(line) for line in lines_of(tmp_path / "out.jsonl.rejects.jsonl")]
    assert [row["raw"] for row in kept[: len(bad)]] == bad
    places = [*range(2, 2 * len(bad) + 1, 2), 2 * len(bad) + 1]
    assert [row["place"] for row in kept] == [f"{source}:{place}" for place in places]
    shown = capfd.readouterr()
    assert CANARY not in shown.out + shown.err
    assert f"{source}:2: it is not JSON" in shown.err and f"{len(bad) + 1} bad rows" in shown.err


def test_json_that_is_nested_almost_too_deep_is_annotated_or_bad(tiny_bundle: Path, tmp_path: Path) -> None:
    depths = range(sys.getrecursionlimit() - 400, sys.getrecursionlimit())
    rows = [f'{{"text": "a", "id": {i}, "x": {"[" * i}{"]" * i}}}' for i in depths]
    assert annotate(tiny_bundle, write_jsonl(tmp_path / "in.jsonl", rows), tmp_path / "out.json") == 3
    kept = map(json.loads, lines_of(tmp_path / "out.json.rejects.jsonl"))
    bad = [row["raw"] for row in kept if "nested too deep" in row["problem"]]
    assert 0 < len(bad) < len(rows) and bad == rows[-len(bad) :]


def test_bad_rows_of_tables(tiny_bundle: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(b"id,text\n1,fever\n2\n3,fever,more\n4,\xff\n5,pain\n")
    assert annotate(tiny_bundle, source, tmp_path / "out.jsonl") == 3
    assert [d.id for d in jsonl.read(tmp_path / "out.jsonl")] == ["1", "5"]
    shown = capfd.readouterr().err
    for row, problem in ((2, "fewer fields"), (3, "more fields"), (4, "not UTF-8")):
        assert f"{source}, row {row}: it has {problem}" in shown or f"row {row}: it has bytes" in shown
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"text": ["fever", None, "pain"]}), tmp_path / "in.parquet")
    assert annotate(tiny_bundle, tmp_path / "in.parquet", tmp_path / "p.jsonl") == 3
    assert "in.parquet, row 2: its text is missing" in capfd.readouterr().err


def test_files_of_a_folder_that_cannot_be_read_are_bad_rows(
    tiny_bundle: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    for name in ("a.txt", "b.TXT", "c.md", "d.txt"):
        (notes / name).write_text("fever", encoding="utf-8")
    (notes / "folder.txt").mkdir()
    os.mkfifo(notes / "pipe.txt")
    read = Path.read_bytes

    def fail_on_d(path: Path) -> bytes:
        if path.name == "d.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", fail_on_d)
    assert annotate(tiny_bundle, notes, notes / "out.jsonl") == 3
    assert [d.id for d in jsonl.read(notes / "out.jsonl")] == ["a", "b"]
    shown = capfd.readouterr().err
    assert f"{notes / 'd.txt'}: it cannot be read (Permission denied)" in shown
    assert shown.count("it is no file") == 2
    assert f"{notes}: 1 others are not read, only .txt files are" in shown, "OUTPUT is not counted"


def test_a_document_that_cannot_be_annotated_does_not_stop_the_others(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    source = write_jsonl(
        tmp_path / "in.jsonl", ['{"text": "fever"}', '{"text": "half \\ud800"}', '{"text": "pain"}']
    )
    code = annotate(tiny_bundle, source, tmp_path / "out.jsonl")
    lines = lines_of(tmp_path / "out.jsonl")
    rejects = tmp_path / "out.jsonl.rejects.jsonl"
    kept = lines_of(rejects) if rejects.exists() else []
    assert len(lines) + len(kept) == 3 and len(lines) >= 2
    assert code == (3 if kept else 0)


def test_what_a_format_cannot_hold_is_kept_as_bad(tiny_bundle: Path, tmp_path: Path) -> None:
    source = write_jsonl(
        tmp_path / "in.jsonl", [{"text": "fever", "id": "a"}, {"text": "two\nlines", "id": "b"}]
    )
    assert annotate(tiny_bundle, source, tmp_path / "out.pubtator") == INCOMPLETE
    assert [d.id for d in registry.read(tmp_path / "out.pubtator")] == ["a"]
    (kept,) = lines_of(tmp_path / "out.pubtator.rejects.jsonl")
    assert json.loads(kept)["place"] == "document b" and "line break" in json.loads(kept)["problem"]
    twice = write_jsonl(tmp_path / "twice.jsonl", [{"text": "fever", "id": "a"}] * 2)
    assert annotate(tiny_bundle, twice, tmp_path / "brat", "--output_format=brat") == 3
    assert "same id" in (tmp_path / "brat.rejects.jsonl").read_text()


@pytest.mark.parametrize("kind", ["pubtator", "brat", "bioc-xml", "bioc-json", "iob2"])
def test_a_document_that_breaks_a_writer_is_kept_as_bad(kind: str, tiny_bundle: Path, tmp_path: Path) -> None:
    rows = [
        {"text": "fever", "id": "a"},
        {"text": "fever", "id": "b", "passages": 3, "brat_ids": 3, "concepts": 3},
        {"text": "fever", "id": "caf\udce9"},
        {"text": "fever", "id": "c"},
    ]
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    assert annotate(tiny_bundle, source, tmp_path / "out", f"--output_format={kind}") == 3
    kept = [json.loads(line)["place"] for line in lines_of(tmp_path / "out.rejects.jsonl")]
    found = [d.id for d in registry.read(tmp_path / "out", kind)]
    assert found[0] == "a" and found[-1] == "c" and "document caf\udce9" in kept
    assert len(found) + len(kept) == len(rows)


@given(data=st.binary(max_size=400), name=st.sampled_from(["jsonl", "csv", "tsv", "lines", "text"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_rows_or_bad_rows(tmp_path: Path, data: bytes, name: str) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"text,id\n" + data if name == "csv" else b"text\n" + data if name == "tsv" else data)
    rows = list(sources.read(str(path), name, Columns()))
    assert all((row.document is None) == bool(row.problem) for row in rows)
    if name == "lines":
        assert len(rows) == data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    if name == "jsonl":
        assert len(rows) == sum(
            bool(line.strip()) for line in data.removeprefix(codecs.BOM_UTF8).split(b"\n")
        )
    if name == "text":
        assert len(rows) == 1


@given(
    st.lists(
        st.builds(Document, st.text(max_size=30), id=st.text("abc", min_size=1))
        | st.sampled_from(["{", "[]", "x"]),
        max_size=6,
    )
)
@example([Document("\x85", id="a")])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_each_row_is_in_one_place(tiny_bundle: Path, tmp_path: Path, rows: list[Document | str]) -> None:
    for file in tmp_path.iterdir():
        file.unlink()
    values = [row if isinstance(row, str) else row.to_json() for row in rows]
    source = write_jsonl(tmp_path / "in.jsonl", values)
    annotate(tiny_bundle, source, tmp_path / "out.jsonl", "--variant=int8")
    found = [Document.from_json(json.loads(line)) for line in lines_of(tmp_path / "out.jsonl")]
    assert [(d.id, d.text) for d in found] == [(d.id, d.text) for d in rows if isinstance(d, Document)]
    rejects = tmp_path / "out.jsonl.rejects.jsonl"
    kept = [json.loads(line)["raw"] for line in lines_of(rejects)] if rejects.exists() else []
    assert kept == [row for row in rows if isinstance(row, str)]


def test_a_long_name_of_a_column_is_not_shown(
    tiny_bundle: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A table without a line of names has texts in their place."""
    (tmp_path / "in.csv").write_text(f'17,"{CANARY} presents with fever and a long history of it"\n')
    with pytest.raises(ValueError, match=r"its columns are: 17, one of \d+ characters") as error:
        annotate(tiny_bundle, tmp_path / "in.csv", tmp_path / "out.jsonl")
    assert CANARY not in str(error.value) + "".join(capfd.readouterr())

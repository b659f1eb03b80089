"""Every row is annotated or kept as bad, once, whatever is in it and whenever the work is stopped."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clinsynth.annotating import journal, sources, work
from clinsynth.annotating.rows import Columns
from clinsynth.cli import annotate as command
from clinsynth.formats import jsonl, registry
from clinsynth.runs.exits import INCOMPLETE, INTERRUPTED
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.predictor import Predictor

ENGINE = ["--engine=onnxruntime", "--workers=2"]
CANARY = "Zebrafish-canary"
TEXTS = ["The gene of cancer and a fever.", "a1 itis", "", "pain \u00e9\u0301 of <b>drug</b> & the gene"]


def annotate(*arguments: object) -> int:
    """The exit code."""
    try:
        command.main([*map(str, arguments), *ENGINE])
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def lines_of(path: Path) -> list[str]:
    """Split at line feeds alone: texts may hold other characters that ``str.splitlines`` splits at."""
    return path.read_text(encoding="utf-8").split("\n")[:-1]


@pytest.fixture(scope="module")
def predictor(tiny_bundle: Path) -> Predictor:
    return Predictor.load(tiny_bundle, engine="onnxruntime", workers=2)


def test_json_lines_keep_ids_and_fields(tiny_bundle: Path, predictor: Predictor, tmp_path: Path) -> None:
    rows: list[Any] = [{"text": text, "id": 7 + i, "ward": {"name": "A"}} for i, text in enumerate(TEXTS)]
    source = write_jsonl(tmp_path / "in.jsonl", [*rows, "", {"text": "fever"}])
    assert annotate(tiny_bundle, source, tmp_path / "out.jsonl") == 0
    found = list(jsonl.read(tmp_path / "out.jsonl"))
    assert [d.entities for d in found] == [d.entities for d in predictor([*TEXTS, "fever"])]
    assert [d.id for d in found] == ["7", "8", "9", "10", "6"]
    assert found[0].meta == {"ward": {"name": "A"}}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "text", "folder", "lines", "pubtator"])
def test_inputs(kind: str, tiny_bundle: Path, predictor: Predictor, tmp_path: Path) -> None:
    texts = [text for text in TEXTS if kind != "pubtator" or text]
    options: list[str] = []
    source = tmp_path / f"in.{kind}"
    if kind in ("csv", "tsv"):
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, delimiter="," if kind == "csv" else "\t")
        writer.writerows([("note", "key"), *((text + "\n,x", str(i)) for i, text in enumerate(texts))])
        source.write_bytes(stream.getvalue().encode())
        texts = [text + "\n,x" for text in texts]
        options = ["--text-column=note", "--id_column=key", "--quoted=true"]
    elif kind == "parquet":
        pyarrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pyarrow.table({"text": texts, "other": [1] * len(texts)}), source)
    elif kind == "text":
        source = tmp_path / "in.txt"
        source.write_text("\n".join(texts), encoding="utf-8")
        texts = ["\n".join(texts)]
    elif kind == "folder":
        source.mkdir()
        for i, text in enumerate(texts):
            (source / f"{i}.txt").write_text(text, encoding="utf-8")
    elif kind == "lines":
        source.write_text("\n".join(texts), encoding="utf-8")
        options = ["--input_format=lines"]
    else:
        registry.write(source, [Document(text, id=str(i)) for i, text in enumerate(texts)], kind)
    assert annotate(tiny_bundle, source, tmp_path / "out.jsonl", *options) == 0
    found = list(jsonl.read(tmp_path / "out.jsonl"))
    assert [d.text for d in found] == texts
    assert [d.entities for d in found] == [d.entities for d in predictor(texts)]
    assert all(d.id for d in found)


@pytest.mark.parametrize("kind", ["pubtator", "brat", "bioc-xml", "bioc-json", "iob2"])
def test_outputs_read_back(kind: str, tiny_bundle: Path, predictor: Predictor, tmp_path: Path) -> None:
    texts = ["The gene of cancer and a fever.", "a1 itis of the drug"] * 3
    rows = [{"text": text, "id": f"d{i}"} for i, text in enumerate(texts)]
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    assert annotate(tiny_bundle, source, tmp_path / "out", f"--output_format={kind}") == 0
    found = list(registry.read(tmp_path / "out", kind))
    assert [(d.text, d.entities) for d in found] == [(d.text, d.entities) for d in predictor(texts)]
    assert annotate(tiny_bundle, source, tmp_path / "out.html") == 0


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


def test_a_page_shows_and_escapes(tiny_bundle: Path, tmp_path: Path) -> None:
    from clinsynth.annotating import page

    document = Document(
        "<b>gene</b> & fever",
        (Entity(3, 7, "Gene", 0.5), Entity(14, 19, "Disease"), Entity(15, 17, "<i>")),
        (Relation(0, 1, "Association", 0.25),),
        '"quoted"',
    )
    page.write(tmp_path / "page.html", lambda: [document, Document("\ud800")])
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;<mark" in text and "&amp; <mark" in text and "&quot;quoted&quot;" in text
    assert "2 documents" in text and ">Gene</mark> 1" in text and "overlapping" in text
    assert "gene \u2192 Association \u2192 fever (0.25)" in text
    assert "<i>" not in text and "<script" not in text and "http" not in text


def test_relations_are_chained(tiny_bundle: Path, tiny_relation_bundle: Path, tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": text} for text in TEXTS])
    chained = f"--relations={tiny_relation_bundle}"
    assert annotate(tiny_bundle, source, tmp_path / "out.jsonl", chained) == 0
    with (
        Predictor.load(tiny_bundle, engine="onnxruntime") as tag,
        Predictor.load(tiny_relation_bundle, engine="onnxruntime") as relate,
    ):
        expected = relate(tag(TEXTS))
    found = list(jsonl.read(tmp_path / "out.jsonl"))
    assert [(d.entities, d.relations) for d in found] == [(d.entities, d.relations) for d in expected]
    with pytest.raises(ValueError, match=r"Remedy: name the entity bundle first"):
        annotate(tiny_bundle, source, tmp_path / "no.jsonl", f"--relations={tiny_bundle}")


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.jsonl", "out.jsonl"], r"there is no missing\.jsonl"),
        (["in.jsonl", "out.docx"], r"the ending of out\.docx tells no format\. Remedy: .*pubtator"),
        (["in.jsonl", "-", "--output_format=html"], r"takes JSON lines, not html\. Remedy"),
        (["in.jsonl", "in.jsonl"], r"in\.jsonl exists already\. Remedy"),
        (["in.csv", "out.jsonl"], r"no column 'text'; its columns are: a, b\. Remedy: .*--text_column"),
        (["folder", "out.jsonl"], r"no \.txt file"),
        (["in.tsv", "out.jsonl", "--input_format=iob2"], r"in\.tsv:1: .*--label Disease"),
        (["in.jsonl", "out.jsonl", "--label=X"], r"read as jsonl, where label means nothing"),
    ],
)
def test_what_cannot_be_done_is_told(
    arguments: list[str],
    message: str,
    tiny_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "in.jsonl", [{"text": "fever"}])
    (tmp_path / "in.csv").write_text("a,b\n1,2\n")
    (tmp_path / "in.tsv").write_text("fever\tB\n")
    (tmp_path / "folder").mkdir()
    with pytest.raises((ValueError, OSError), match=message):
        annotate(tiny_bundle, *arguments)


def test_a_corpus_is_read_as_its_options_say(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "in.tsv").write_text("1\tfever\tB\n2\tand\tO\n")
    options = ["--input_format=iob2", "--label=Symptom", "--token-column=2"]
    assert annotate(tiny_bundle, tmp_path / "in.tsv", tmp_path / "out.jsonl", *options) == 0
    assert "fever and" in (tmp_path / "out.jsonl").read_text()


@pytest.mark.parametrize("option", ["input_format", "output_format"])
def test_a_format_that_is_not_there_is_told_with_the_others(
    option: str, tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "fever"}])
    assert annotate(tiny_bundle, source, tmp_path / "out.jsonl", f"--{option}=docx") == 2
    told = capsys.readouterr().err
    assert f"--{option}" in told and "parquet" in told and "pubtator" in told


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


def process(bundle: Path, source: Path, output: Path) -> subprocess.Popen[str]:
    blocked = "".join(
        f"sys.modules[{name!r}] = None\n" for name in ("torch", "lightning", "transformers", "bioc")
    )
    code = f"import sys\n{blocked}from clinsynth.cli import main\nmain()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "annotate", str(bundle), str(source), str(output), *ENGINE],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def stop_on_the_way(running: subprocess.Popen[str], output: Path, how: signal.Signals) -> int:
    """Sends the signal once some rows are done; returns how many the state has then."""
    state = output.with_name(output.name + ".partial") / "state.json"
    while not state.exists() and running.poll() is None:
        time.sleep(0.002)
    running.send_signal(how)
    running.wait()
    return int(json.loads(state.read_text())["rows"])


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows for some seconds of work, bad ones among them."""
    folder = tmp_path_factory.mktemp("many")
    rows = [{"text": f"The gene {i} of cancer {'fever ' * (i % 40)}", "id": i} for i in range(12_000)]
    return write_jsonl(folder / "in.jsonl", [row if i % 1000 else "bad" for i, row in enumerate(rows)])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_stopped_work_goes_on_to_the_same_bytes(tiny_bundle: Path, many: Path, how: signal.Signals) -> None:
    whole, cut = many.with_name("whole.jsonl"), many.with_name(f"cut-{how.name}.jsonl")
    if not whole.exists():
        first = process(tiny_bundle, many, whole)
        assert first.wait() == 3, first.stderr.read() if first.stderr else ""
    running = process(tiny_bundle, many, cut)
    rows = stop_on_the_way(running, cut, how)
    assert 0 < rows < 12_000 and not cut.exists()
    if how == signal.SIGINT:
        assert running.returncode == INTERRUPTED
        assert running.stderr and "The same command goes on from here." in running.stderr.read()
    other = many.with_name("other.jsonl")
    other.write_bytes(many.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"unfinished work, but the input.* changed since\. Remedy"):
        annotate(tiny_bundle, other, cut)
    again = process(tiny_bundle, many, cut)
    assert again.wait() == 3
    assert again.stderr and f"Going on after {rows} rows" in again.stderr.read()
    assert cut.read_bytes() == whole.read_bytes()
    rejects = [path.with_name(path.name + ".rejects.jsonl").read_bytes() for path in (cut, whole)]
    assert rejects[0] == rejects[1] and rejects[0].count(b"\n") == 12
    assert not cut.with_name(cut.name + ".partial").exists()


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_it_writes_into_its_input_folder_is_no_input(
    tiny_bundle: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "out", "outpatient"):
        (tmp_path / f"{name}.txt").write_text("fever", encoding="utf-8")
    rejects = tmp_path / "out.rejects.jsonl"
    rejects.write_text("of an earlier run")
    arguments = (tiny_bundle, tmp_path, tmp_path / "out", "--output_format=jsonl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "_finish", interrupt)
        assert annotate(*arguments) == INTERRUPTED
    assert annotate(*arguments) == 0
    shown = capfd.readouterr().err
    assert "Going on after 3 rows" in shown and "not read" not in shown
    assert [d.id for d in jsonl.read(tmp_path / "out")] == ["a", "out", "outpatient"]
    assert not rejects.exists(), "there were no bad rows"


def test_two_processes_do_not_write_the_same_output(tiny_bundle: Path, tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "fever"}])
    with (
        journal.alone(tmp_path / "out.jsonl"),
        pytest.raises(ValueError, match=r"another process is writing .*out\.jsonl\. Remedy"),
    ):
        annotate(tiny_bundle, source, tmp_path / "out.jsonl")
    assert annotate(tiny_bundle, source, tmp_path / "out.jsonl") == 0


def test_standard_input_leaves_unfinished_work_on_files_alone(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "fever"}])
    lines = tmp_path / "lines"
    lines.write_text("a\nb\n")
    with monkeypatch.context() as patch:
        patch.setattr(work, "_finish", interrupt)
        for name, content in (("file.jsonl", source), ("stdin.jsonl", "-")):
            with lines.open() as stream:
                patch.setattr(sys, "stdin", stream)
                assert annotate(tiny_bundle, content, tmp_path / name) == INTERRUPTED
    with lines.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        with pytest.raises(ValueError, match=r"unfinished work, but the input changed since\. Remedy"):
            annotate(tiny_bundle, "-", tmp_path / "file.jsonl")
        assert annotate(tiny_bundle, "-", tmp_path / "stdin.jsonl") == 0
    assert [d.text for d in jsonl.read(tmp_path / "stdin.jsonl")] == ["a", "b"], "begun anew"
    assert annotate(tiny_bundle, source, tmp_path / "file.jsonl") == 0


def test_standard_input_and_output(tiny_bundle: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "clinsynth", "annotate", str(tiny_bundle), "-", "-", *ENGINE],
        input=f"The fever.\n{CANARY}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == ["The fever.", CANARY]
    assert "2 documents" in done.stderr and CANARY not in done.stderr

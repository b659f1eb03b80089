"""Every row is annotated once, whatever format it comes in or goes to."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clinsynth.formats import extras, jsonl, registry
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.predictor import Predictor
from tests.clinsynth.annotating.commands import CANARY, ENGINE, annotate, write_jsonl

TEXTS = ["The gene of cancer and a fever.", "a1 itis", "", "pain \u00e9\u0301 of <b>drug</b> & the gene"]


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


def test_packed_texts_and_byte_order_marks(tiny_bundle: Path, tmp_path: Path) -> None:
    marked = b"\xef\xbb\xbfA fever."
    (tmp_path / "a.txt").write_bytes(marked)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(marked))
    for name in ("a.txt", "a.txt.gz"):
        assert annotate(tiny_bundle, tmp_path / name, tmp_path / f"{name}.jsonl") == 0
        (document,) = jsonl.read(tmp_path / f"{name}.jsonl")
        assert (document.id, document.text) == ("a", "A fever.")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(marked)[:-9])
    with pytest.raises(ValueError, match=r"cannot be unpacked"):
        annotate(tiny_bundle, tmp_path / "b.txt.gz", tmp_path / "b.jsonl")
    (tmp_path / "c.txt").write_bytes("Ein Fieber \u00fc".encode("cp1252"))
    with pytest.raises(ValueError, match=r"is not UTF-8.*iconv -f WINDOWS-1252"):
        annotate(tiny_bundle, tmp_path / "c.txt", tmp_path / "c.jsonl")


def test_a_library_that_is_missing_is_told_before_the_work(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "fever"}])
    monkeypatch.setattr(extras.importlib, "import_module", lambda name: missing("bioc"))
    with pytest.raises(ValueError, match=r"needs bioc, which is not installed.*clinsynth\[bioc\]"):
        annotate(tiny_bundle, source, tmp_path / "out.xml")
    assert not list(tmp_path.glob("out.xml*"))


def missing(name: str) -> None:
    raise ModuleNotFoundError(name, name=name)


def test_no_corpus_is_written_into_the_one_that_is_read(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A fever.", encoding="utf-8")
    (tmp_path / "a.ann").touch()
    with pytest.raises(ValueError, match=r"is in the folder that is read\. Remedy: write elsewhere"):
        annotate(tiny_bundle, tmp_path, tmp_path / "out", "--output_format=brat")


def test_numbers_of_threads_begin_at_one(tiny_bundle: Path, tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "fever"}])
    with pytest.raises(ValueError, match=r"'threads' must be 1 or more, not 0"):
        annotate(tiny_bundle, source, tmp_path / "out.jsonl", "--threads=0")

"""From a run to a bundle: the gate, the command, and the same Documents as torch."""

from __future__ import annotations

import io
import json
import math
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rich.console import Console

from clinsynth.cli import export as command
from clinsynth.cli import tag
from clinsynth.exporting import gate, outcome
from clinsynth.formats import jsonl
from clinsynth.models import TokenClassification
from clinsynth_onnx.bundle import MANIFEST, Bundle
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.predictor import Predictor
from clinsynth_onnx.schema import Schema
from tests.clinsynth import toy


@pytest.fixture(scope="module")
def run(tiny_encoder: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run of the toy task, exported as its config says."""
    from clinsynth.cli.lightning import main

    folder = toy.write(tmp_path_factory.mktemp("export"), tiny_encoder)
    main(
        [
            "fit",
            f"--config={folder / 'ner.yaml'}",
            f"--run={folder / 'run'}",
            "--export=true",
            "--trainer.max_epochs=10",
        ]
    )
    return folder / "run"


def test_fit_exports_when_it_is_told_to(run: Path) -> None:
    manifest = Bundle.open(run / "bundle").manifest
    rows = {(row["engine"], row["variant"]): row for row in manifest["gate"]["rows"]}
    assert rows["onnxruntime", "fp32"]["verdict"].startswith("kept")
    assert rows["onnxruntime", "fp32"]["labels_equal"] == 1
    assert rows["onnxruntime", "fp32"]["documents_equal"] == manifest["gate"]["documents"] + 1
    assert manifest["gate"]["long_document_tokens"] > 512
    made = manifest["made"]
    assert "command" not in made["environment"], "a bundle is handed on, and a command line has paths"
    assert made["data_sha256"]["train"] == json.loads((run / "data.json").read_text())["train"]["sha256"]
    assert len(made["checkpoint_sha256"]) == 64 and made["environment"]["packages"]["torch"]


def test_a_run_that_goes_on_replaces_its_bundle(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from clinsynth.cli.lightning import main

    (run / "bundle" / "old").touch()
    config = f"--config={run.parent / 'ner.yaml'}"
    main(["fit", config, f"--run={run}", "--export=true", "--ckpt_path=last", "--trainer.max_epochs=10"])
    assert f"The bundle is {run / 'bundle'}\n" in capsys.readouterr().out
    assert Bundle.open(run / "bundle") and not (run / "bundle" / "old").exists()
    assert not list(run.glob(".bundle*")), "no draft is left"


def test_tag_takes_the_bundle_of_the_checkpoint(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def shown(model: Path) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO("A gene and the fever of a pain.\n"))
        tag.tag(str(model))
        return capsys.readouterr().out

    without = tmp_path / "run"
    (without / "checkpoints").mkdir(parents=True)
    (without / "checkpoints" / "best.ckpt").symlink_to(run / "checkpoints" / "best.ckpt")
    assert "Disease" in shown(without), "by the checkpoint"
    monkeypatch.setattr(tag, "_by_checkpoint", lambda *_: pytest.fail("there is a bundle"))
    assert shown(run) == shown(run / "bundle") and "Disease" in shown(run)
    other = json.loads((run / "bundle" / MANIFEST).read_text(encoding="utf-8"))
    shutil.copytree(run / "bundle", without / "bundle")
    other["made"]["checkpoint_sha256"] = "0" * 64
    (without / "bundle" / MANIFEST).write_text(json.dumps(other), encoding="utf-8")
    assert tag._bundle(without) is None, "a bundle of another checkpoint"


def test_documents_equal_those_of_torch(run: Path) -> None:
    documents = [*jsonl.read(run.parent / "ner_test.jsonl"), Document("fever and a drug " * 400)]
    model = TokenClassification.load_from_checkpoint(run / "checkpoints" / "best.ckpt").eval()
    expected = model.read(documents)
    assert sum(len(document.entities) for document in expected) > 40
    with Predictor.load(run / "bundle", engine="onnxruntime", variant="fp32") as predictor:
        assert predictor(documents) == expected


def test_the_command_takes_a_run_and_reads_its_validation_part(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command.main([str(run), str(run / "again.zip"), "--max-f1-drop=1"])
    shown = capsys.readouterr().out
    assert "15 documents with gold" in shown and "onnxruntime int8" in shown
    assert MANIFEST in zipfile.ZipFile(run / "again.zip").namelist()
    with Predictor.load(run / "again.zip") as zipped, Predictor.load(run / "bundle") as folder:
        assert zipped("the drug fever.") == folder("the drug fever.")
    with pytest.raises(FileExistsError, match=r"exists already\. Remedy"):
        command.main([str(run), str(run / "again.zip")])


def test_data_of_a_package_that_is_not_installed_is_told(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    (copy / "checkpoints").mkdir(parents=True)
    (copy / "checkpoints" / "best.ckpt").symlink_to(run / "checkpoints" / "best.ckpt")
    config = {"data": {"class_path": "not_installed.Letters", "init_args": {"folder": "data"}}}
    (copy / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    told = r"not_installed\.Letters: No module named 'not_installed'\. Remedy: install .* with --documents"
    with pytest.raises(ValueError, match=told):
        command.main([str(copy), str(tmp_path / "out")])


def test_options_of_reading_are_for_documents(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Remedy: name these with --documents"):
        command.main([str(run), str(tmp_path / "out"), "--label=Disease"])
    (tmp_path / "bare.tsv").write_text("fever\tB\n", encoding="utf-8")
    command.main([str(run), str(tmp_path / "out"), f"--documents={tmp_path / 'bare.tsv'}", "--label=Disease"])
    assert Bundle.open(tmp_path / "out").manifest["gate"]["documents"] == 1


def test_a_checkpoint_without_its_run_needs_documents(run: Path, tmp_path: Path) -> None:
    alone = tmp_path / "moved.ckpt"
    alone.write_bytes((run / "checkpoints" / "best.ckpt").read_bytes())
    with pytest.raises(ValueError, match=r"no config\.yaml beside .*Remedy: .*--documents"):
        command.main([str(alone), str(tmp_path / "out")])
    command.main([str(alone), str(tmp_path / "out"), "--documents", str(run.parent / "ner_test.jsonl")])
    assert Bundle.open(tmp_path / "out").manifest["gate"]["documents"] == 21


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04"])
def test_what_is_no_checkpoint_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.ckpt").write_bytes(content)
    with pytest.raises(ValueError, match=r"is not a checkpoint of clinsynth .*Remedy"):
        command.main([str(tmp_path / "x.ckpt"), str(tmp_path / "out")])


def test_a_variant_that_loses_too_much_is_removed(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    examined = gate._score
    scores = iter([0.9, 0.9, 0.8, 0.8])  # torch, fp32, int8, and OpenVINO where it is installed
    monkeypatch.setattr(gate, "_score", lambda *arguments: examined(*arguments) * 0 + next(scores))
    command.main([str(run), str(tmp_path / "out")])
    assert "refused: 0.1000 lower than torch, 0.005 is allowed" in capsys.readouterr().out.replace("\n", "")
    bundle = Bundle.open(tmp_path / "out")
    assert set(bundle.variants) == {"fp32"}
    assert not (tmp_path / "out" / "model.int8.onnx").exists()
    assert [row["verdict"][:4] for row in bundle.manifest["gate"]["rows"][1:3]] == ["kept", "refu"]
    scores = iter([0.9, 0.8, 0.8, 0.8])
    with pytest.raises(ValueError, match=r"no variant computes .*strict_f1 0\.9000.*fp32 0\.8000, refused"):
        command.main([str(run), str(tmp_path / "none")])
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"labels_equal": 0.998}, "refused: 99.80% of labels are torch's, 99.9% have to be"),
        ({"largest_difference": math.nan}, "refused: its logits differ from torch's by nan"),
        ({"labels_equal": 0.998, "variant": "int8"}, "kept"),
        ({}, "kept"),
    ],
)
def test_full_precision_has_to_have_the_labels_of_torch(change: dict[str, Any], verdict: str) -> None:
    row = gate.Row("onnxruntime", "fp32", 0.9, 1.0, 9, 1e-6, 10.0, {})
    assert gate._verdict(replace(row, **change), row, 0.005) == verdict


@pytest.mark.parametrize(
    ("documents", "annotations", "drop", "warns"),
    [(1, 300, 0.005, True), (50, 199, 0.005, True), (50, 200, 0.005, False), (10, 10, 0.1, False)],
)
def test_the_gate_warns_where_one_error_is_more_than_may_be_lost(
    documents: int, annotations: int, drop: float, warns: bool
) -> None:
    row = outcome.Row("torch", "", 0.9, 1.0, 9, 0.0, 10.0, {})
    found = outcome.Gate("strict_f1", documents, 600, drop, (row,), annotations)
    console = Console(file=io.StringIO(), width=200)
    console.print(outcome.table(found))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert ("too few to see a loss of" in shown and "Remedy: compare on" in shown) is warns
    assert (found.to_json()["warning"] is not None) is warns


def test_a_difference_that_is_no_number_is_the_largest() -> None:
    logits = [np.array([[1.0]]), np.array([[np.nan]]), np.array([[2.0]])]
    assert math.isnan(gate._largest_difference(logits, [np.zeros((1, 1))] * 3))
    assert gate._largest_difference([], []) == 0.0


def test_cuda_that_finds_no_gpu_is_not_examined(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate.engines, "available", lambda name: name != "openvino")
    if "CUDAExecutionProvider" in gate.engines.onnxruntime.get_available_providers():
        pytest.skip("there may be a GPU")
    assert ("cuda", "fp32") not in gate.candidates(Bundle.open(run / "bundle"))


def test_the_long_document_is_longer_than_a_window(tiny_encoder: str, schema: Schema) -> None:
    model = TokenClassification(schema, tiny_encoder, max_length=64, overlap=8)
    gold = [Document("The gene. And fever!", (Entity(14, 19, "Disease"),))] * 40
    long = gate.long_document(model, gold)
    examples = model.codec.encode([replace(long, entities=())]).examples
    assert len(examples) > 2 and len(examples[0]) == 64

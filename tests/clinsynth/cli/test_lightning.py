"""What a user types, and what comes back."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from clinsynth.cli import lightning as cli
from clinsynth.formats import registry
from clinsynth.runs.folder import SHARED
from tests.clinsynth import toy
from tests.clinsynth.cli.commands import EXPERIMENTS, clinsynth
from tests.conftest import REPOSITORY

OVERLAYS = sorted((REPOSITORY / "configs" / "trainer").glob("*.yaml"))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(SHARED, raising=False)


@pytest.mark.parametrize("config", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_experiment_runs(config: Path, root: Path, tiny_encoder: str, tiny_bundle: Path) -> None:
    common = [f"--config={config}", f"--config={REPOSITORY}/configs/trainer/cpu.yaml"]
    settings = [f"--model.encoder={tiny_encoder}", "--trainer.fast_dev_run=true"]
    data = yaml.safe_load(config.read_text())["data"]
    if config.stem.endswith("_synthetic"):
        corpus = REPOSITORY / data["init_args"]["corpus"]
        settings += [f"--data.corpus={corpus}", "--data.few_shot=20"]
        if "real" in data["init_args"]:
            settings.append(f"--data.real.init_args.root={root}")
    elif config.stem.endswith("_unlabelled"):
        corpus = REPOSITORY / data["init_args"]["labelled"]["init_args"]["corpus"]
        settings += [
            f"--data.labelled.init_args.corpus={corpus}",
            "--data.labelled.init_args.few_shot=20",
            f"--data.labelled.init_args.real.init_args.root={root}",
            f"--data.corpus.init_args.root={root}",
            f"--data.teachers={tiny_bundle}",
            "--data.folder=kept",
        ]
    else:
        settings.append(f"--data.root={root}")
    clinsynth("fit", *common, *settings)
    assert not Path("runs").exists(), "nothing is left behind"


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_every_overlay_fits_every_experiment(overlay: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        clinsynth("fit", f"--config={EXPERIMENTS[0]}", f"--config={overlay}", "--print_config")
    assert caught.value.code == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    given = yaml.safe_load(overlay.read_text(encoding="utf-8"))["trainer"]
    assert shown["trainer"]["devices"] == given["devices"]


def test_job_files_are_sound() -> None:
    for path in (REPOSITORY / "configs" / "trainer" / "slurm").iterdir():
        subprocess.run(["bash", "-n", str(path)], check=True)
        assert "--requeue" in path.read_text(encoding="utf-8")


def test_a_run_that_ends_before_its_first_validation_validates_at_the_end(
    tmp_path: Path, tiny_encoder: str
) -> None:
    toy.write(tmp_path, tiny_encoder)
    short = ("--trainer.max_epochs=1", "--trainer.check_val_every_n_epoch=3")
    clinsynth("fit", "--config=ner.yaml", "--run=short", *short)
    assert Path("short/checkpoints/best.ckpt").is_file()


def test_fit_test_predict_and_tag(
    tmp_path: Path, tiny_encoder: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.write(tmp_path, tiny_encoder)
    clinsynth("fit", "--config=ner.yaml")
    run = tmp_path / "runs" / "toy_ner" / "1"
    shown = capsys.readouterr().out
    assert "runs/toy_ner/1" in shown and "Stopped after 4 epochs, as --trainer.max_epochs says" in shown
    assert {p.name for p in run.iterdir()} == {
        "checkpoints",
        "config.yaml",
        "data.json",
        "environment.json",
        "log.txt",
        "logs",
        "report.html",
    }
    assert {p.name for p in (run / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    data = json.loads((run / "data.json").read_text(encoding="utf-8"))
    assert len(data["train"]["sha256"]) == 64 and data["train"]["documents"] == 60
    assert "torch" in json.loads((run / "environment.json").read_text(encoding="utf-8"))["packages"]
    saved = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    assert saved["task"]["name"] == "toy_ner" and saved["seed_everything"] == 0

    clinsynth("validate", "--config=ner.yaml", "--ckpt_path=best")
    assert "strict" in capsys.readouterr().out
    clinsynth("test", "--config=ner.yaml", "--ckpt_path=best")
    assert "strict" in capsys.readouterr().out
    results = run / "checkpoints" / "test-1"
    metrics = json.loads((results / "metrics.json").read_text(encoding="utf-8"))
    assert set(metrics["scores"]["scores"]["strict_f1"]) == {"value", "low", "high"}
    predicted = list(registry.read(results / "predictions.jsonl"))
    gold = list(registry.read(tmp_path / "ner_test.jsonl"))
    assert [d.id for d in predicted] == [d.id for d in gold]
    assert list(registry.read(results / "gold.jsonl")) == gold
    wrong = [json.loads(line) for line in (results / "errors.jsonl").read_text().splitlines()]
    strict = sum(set(a.entities) != set(b.entities) for a, b in zip(gold, predicted, strict=True))
    assert len({error["document"] for error in wrong}) == strict
    with (run / "logs" / "version_0" / "metrics.csv").open(encoding="utf-8") as stream:
        assert sum(bool(row["train_loss_epoch"]) for row in csv.DictReader(stream)) == 4

    clinsynth("test", "--config=ner.yaml", "--ckpt_path=best", "--trainer.limit_test_batches=1")
    assert "test-2" in capsys.readouterr().out
    assert json.loads((results / "metrics.json").read_text(encoding="utf-8")) == metrics, "as it was"

    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("The fever.\r\nA pain.", encoding="utf-8", newline="")
    clinsynth("predict", "--config=ner.yaml", "--ckpt_path=last", "--data.predict=notes")
    (read,) = registry.read(run / "predictions.jsonl")
    assert read.text == "The fever.\r\nA pain." and read.id == "a"

    # without a task or a config: those of the newest run's best checkpoint, or of one that is named
    for named in ((), ("--ckpt_path=last", "--run=runs/toy_ner/1"), ("--ckpt_path=runs/toy_ner",)):
        clinsynth("predict", "--data=Files", "--data.predict=notes", "--trainer.accelerator=cpu", *named)
    (again,) = registry.read(run / "predictions-4.jsonl")
    assert again.text == read.text
    (best,) = registry.read(run / "predictions-2.jsonl")
    assert best == again, "the best checkpoint both times"

    monkeypatch.delenv(SHARED, raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO("The fever of the gene.\n"))
    clinsynth("tag", "runs/toy_ner")
    assert "The fever" in capsys.readouterr().out


def test_another_logger_is_added_and_early_stopping_tells_why(
    tmp_path: Path, tiny_encoder: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    toy.write(tmp_path, tiny_encoder)
    logger = ("--trainer.logger=TensorBoardLogger", "--trainer.logger.save_dir=boards")
    patience = ("--early_stopping.patience=1", "--early_stopping.min_delta=1")
    clinsynth(
        "fit", "--config=re.yaml", "--run=logged", "--trainer.enable_progress_bar=true", *patience, *logger
    )
    why = r"val_f1 was not above 0\.\d+ in 1 validations \(--early_stopping.patience 1\)"
    told = rf"Stopped after 2 epochs: {why}"
    shown = capsys.readouterr().out
    assert re.search(told, shown)
    assert re.search(r"train_loss: \S+ val_f1: 0\.\d+ \(best 0\.\d+\) left: 0:00:\d+", shown)
    assert list(Path("boards").rglob("events*")) and list(Path("logged/logs").rglob("metrics.csv"))


@pytest.mark.parametrize("fast", [True, False])
def test_precision_follows_the_hardware(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(cli.torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(cli, "cpu_multiplies_bf16", lambda: fast)
    expected = "bf16-mixed" if fast else "32-true"
    assert cli.fitting_precision("cpu") == cli.fitting_precision("auto") == expected
    assert cli.fitting_precision("tpu") == "32-true"


def test_corpora_are_counted_and_converted(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    clinsynth("corpus", "published", "--root", str(root))
    shown = capsys.readouterr().out
    assert "20 Chemical" in shown and "593 documents, not 20" in shown
    assert "1180 GeneOrGeneProduct, not 0" in shown and "635 Association, not 0" in shown
    (root / "biored" / "Test.PubTator").unlink()
    clinsynth("corpus", "published", "--root", str(root))
    assert "not at hand" in capsys.readouterr().out
    source = root / "bc5cdr" / "CDR_TestSet.PubTator.txt"
    clinsynth("corpus", "convert", str(source), "out.xml", "bioc-xml")
    assert "20 documents are in out.xml" in capsys.readouterr().out
    clinsynth("corpus", "count", "out.xml")
    assert "20 Chemical" in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"clinsynth corpus: out\.xml exists already"):
        clinsynth("corpus", "convert", str(source), "out.xml", "bioc-xml")


def test_a_mixture_can_be_configured(root: Path, tiny_encoder: str) -> None:
    config = {
        "task": str(REPOSITORY / "configs" / "tasks" / "ncbi_disease" / "task.yaml"),
        "model": {"class_path": "TokenClassification", "init_args": {"encoder": tiny_encoder}},
        "data": {
            "class_path": "Mixture",
            "init_args": {
                "corpora": [
                    {"class_path": "NCBIDisease", "init_args": {"root": str(root), "few_shot": 5}},
                    {"class_path": "clinsynth.datamodules.BC5CDR", "init_args": {"root": str(root)}},
                ],
                "weights": [2, 1],
            },
        },
    }
    Path("mixture.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    clinsynth(
        "fit", "--config=mixture.yaml", "--trainer.max_epochs=1", "--run=mixed", "--trainer.accelerator=cpu"
    )
    record = json.loads(Path("mixed/data.json").read_text(encoding="utf-8"))
    assert record["train"]["documents"] == 25 and len(record["corpora"]) == 2


@pytest.mark.slow
@pytest.mark.encoder
@pytest.mark.corpora
def test_the_demo_in_small(
    corpora: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = f"--config={REPOSITORY}/configs/ncbi_disease.yaml"
    root = f"--data.root={corpora}"
    short = ("--data.few_shot=60", "--trainer.max_epochs=2", "--trainer.limit_val_batches=1")
    clinsynth("fit", config, root, *short, "--run=small")
    clinsynth("test", config, root, "--run=small", "--ckpt_path=best")
    scores = json.loads(Path("small/checkpoints/test-1/metrics.json").read_text(encoding="utf-8"))["scores"]
    assert scores["support"] == {"Disease": 960}
    assert scores["scores"]["relaxed_f1"]["value"] > 0.3
    monkeypatch.setattr(sys, "stdin", io.StringIO("He has hereditary breast and ovarian cancer.\n"))
    capsys.readouterr()
    clinsynth("tag", "small")
    assert "Disease" in capsys.readouterr().out

"""Help, and answers to mistakes, of commands that train and test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from clinsynth import cli as commands
from clinsynth import datamodules as clinsynth_data
from clinsynth import models as clinsynth_models
from clinsynth.cli import COMMANDS
from clinsynth.runs.folder import SHARED
from tests.clinsynth import toy
from tests.clinsynth.cli.commands import EXPERIMENTS, clinsynth
from tests.conftest import REPOSITORY


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(SHARED, raising=False)


HEAVY = {"torch", "lightning", "transformers", "torchmetrics", "onnx", "openai", "sklearn", "pandas"}


@pytest.mark.parametrize("command", ["", "fit", "validate", "test", "predict", "tag", "export"])
def test_help_imports_nothing_heavy(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "clinsynth", *command.split(), "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'export'}"},
    )
    if not command:
        for name, listed in COMMANDS.items():
            assert f"  {name} " in done.stdout and listed.summary in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    quick = {"", "fit", "validate", "test", "predict"}
    assert not imported & (HEAVY | ({"jsonargparse"} if command in quick else set()))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fti"], "Did you mean 'fit'?"),
        (["nonsense"], "The commands are fit, validate"),
    ],
)
def test_an_unknown_command_is_told(arguments: list[str], says: str) -> None:
    with pytest.raises(SystemExit, match="there is no command") as caught:
        clinsynth(*arguments)
    assert says in str(caught.value)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    clinsynth("--version")
    assert capsys.readouterr().out.count(".") == 2


def test_a_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "clinsynth.cli.tag", None)
    monkeypatch.setitem(COMMANDS, "tag", commands.Command("no_such_package.tag", ""))
    with pytest.raises(SystemExit, match=r"needs no_such_package.*pip install 'clinsynth\[train\]'"):
        clinsynth("tag")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"trainer": {"max_epoch": 3}}, "trainer.max_epochs"),
        ({"model": {"init_args": {"encodr": "x"}}}, "model.encoder"),
        ({"model": {"init_args": {"optimization": {"lr": 1}}}}, "model.optimization.learning_rate"),
        ({"data": {"init_args": {"batch_token": 3}}}, "data.batch_tokens"),
        ({"trianer": {"max_epochs": 3}}, "trainer"),
    ],
)
def test_a_typo_in_a_config_is_answered_with_the_right_word(
    wrong: dict[str, object], right: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("wrong.yaml").write_text(yaml.safe_dump(wrong), encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        clinsynth("fit", f"--config={EXPERIMENTS[0]}", "--config=wrong.yaml")
    assert caught.value.code == 2
    answer, more = capsys.readouterr().err.splitlines()
    assert answer.startswith("clinsynth fit: ") and f"Did you mean --{right}" in answer
    assert more == "All options: clinsynth fit --help=all"


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["--trainer.max_epoch=3"], "no option --trainer.max_epoch. Did you mean --trainer.max_epochs?"),
        (["--max_epochs=3"], "no option --max_epochs. Did you mean --trainer.max_epochs?"),
        (["--model.lr=1"], "no option --model.lr. Did you mean --model.optimization.learning_rate?"),
        (["--data.roo=x"], "no option --data.roo. Did you mean --data.root?"),
        (["--optimizer=Adam"], "no option --optimizer\n"),
        (["--model=TokenClasification"], "no class TokenClasification for --model. Did you mean TokenClass"),
        (["--data=NCBIDiseas"], "no class NCBIDiseas for --data. Did you mean NCBIDisease?"),
        (["--model.optimization.warmup=x"], "--model.optimization.warmup: Expected a <class 'float'>"),
        (["--nothing.like.it=3"], "there is no option --nothing.like.it\n"),
        (["word"], "there is no use for the argument 'word'"),
    ],
)
def test_a_mistake_on_the_command_line_is_answered_in_two_lines(
    arguments: list[str], answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        clinsynth("fit", f"--config={EXPERIMENTS[0]}", *arguments)
    error = capsys.readouterr().err
    assert answer in error and len(error.splitlines()) == 2


def test_a_mistake_in_a_task_file_is_answered_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "task.yaml").write_text("name: x\nentities:\n  Drug: {defintion: a drug}\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        clinsynth("fit", f"--config={EXPERIMENTS[0]}", "--task=task.yaml")
    answer = "clinsynth fit: --task: task.yaml:3: entities.Drug has no key 'defintion'"
    assert capsys.readouterr().err.startswith(answer)
    with pytest.raises(SystemExit):
        clinsynth("fit", "--model=TokenClassification", "--data=NCBIDisease")
    assert "clinsynth fit: no task is given. Remedy: --task FILE" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["fit", "validate", "test", "predict"])
def test_the_short_help_names_options_and_defaults_that_there_are(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clinsynth(command, "--help")
    page = capsys.readouterr().out
    assert len(page.splitlines()) < 50
    classes = {*clinsynth_data.__all__, *clinsynth_models.__all__, "ZeroShot"} - {"DocumentDataModule"}
    assert classes <= set(re.findall(r"\w+", page))
    with pytest.raises(SystemExit):
        clinsynth(command, f"--config={EXPERIMENTS[0]}", "--print_config")
    config = yaml.safe_load(capsys.readouterr().out)
    for option, default in re.findall(
        r"^  --([\w.]+)(?: [^\n]*?)?(?:\(default: (.*?)\))?$", page, re.MULTILINE
    ):
        place: Any = config
        for key in option.split("."):
            if key == "help":
                continue
            place = place["init_args"] if isinstance(place, dict) and "init_args" in place else place
            assert key in place or key in ("config", "print_config"), f"--{option} is not known"
            place = place.get(key)
        assert not default or yaml.safe_load(default) == place, f"the default of --{option}"


def test_bad_input_ends_with_one_line(tmp_path: Path, tiny_encoder: str) -> None:
    toy.write(tmp_path, tiny_encoder)
    with pytest.raises(SystemExit, match=r"clinsynth test: there is no checkpoint 'best'.*Remedy: fit first"):
        clinsynth("test", "--config=ner.yaml")
    with pytest.raises(SystemExit, match=r"clinsynth predict: there is no checkpoint 'best'.*below runs"):
        clinsynth("predict", "--data=Files", "--data.predict=notes")
    with pytest.raises(SystemExit, match=r"clinsynth fit: nothing\.jsonl: there is no such file.*Remedy"):
        clinsynth("fit", "--config=ner.yaml", "--data.train=nothing.jsonl")
    clinsynth("fit", "--config=ner.yaml", "--run=short", "--trainer.max_epochs=2")
    with pytest.raises(SystemExit, match=r"has 2 epochs behind it.*end at 1\. Remedy: a larger"):
        clinsynth("fit", "--config=ner.yaml", "--run=short", "--ckpt_path=last", "--trainer.max_epochs=1")
    with pytest.raises(SystemExit, match=r"clinsynth fit: the encoder 'no/such' could not be loaded"):
        clinsynth("fit", "--config=ner.yaml", "--model.encoder=no/such")

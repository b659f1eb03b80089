"""The example of docs/extending.md works as it stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from clinsynth import cli as commands
from clinsynth.cli import generate
from clinsynth.formats import jsonl
from clinsynth_onnx.document import Document
from tests.conftest import REPOSITORY

EXAMPLE = REPOSITORY / "docs" / "example"


def test_the_example_package_installs(tmp_path: Path) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            str(tmp_path),
            str(EXAMPLE),
        ],
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "clinsynth_letters" / "__init__.py").is_file()


def test_the_example_experiment_runs(tiny_encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.chdir(REPOSITORY)
    arguments = ["fit", f"--config={EXAMPLE}/letters.yaml", "--trainer.fast_dev_run=true"]
    monkeypatch.setattr(sys, "argv", ["clinsynth", *arguments, f"--model.encoder={tiny_encoder}"])
    commands.main()

    from clinsynth_letters import parse

    document = parse("Took [zorvexin|Drug] for her [tremor|Symptom].", "1")
    assert document.text == "Took zorvexin for her tremor."
    assert [(document.mention(e), e.label) for e in document.entities] == [
        ("zorvexin", "Drug"),
        ("tremor", "Symptom"),
    ]


def test_written_text_is_compared_with_the_corpus_of_the_example(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    text = "Took zorvexin for her tremor, which went away within a week."
    jsonl.write(tmp_path / "corpus.jsonl", [Document(text)])
    arguments = [f"--task={EXAMPLE}/task.yaml", f"--corpus={tmp_path}/corpus.jsonl"]
    real = ["--real=clinsynth_letters.Letters", f"--real.folder={EXAMPLE}/data"]
    generate.main(["audit", *arguments, *real, f"--out={tmp_path}/leaks.jsonl"])
    assert "the pairs are in" in capsys.readouterr().out
    assert '"real": "train-1"' in (tmp_path / "leaks.jsonl").read_text(encoding="utf-8")

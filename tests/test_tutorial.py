"""The tutorial's commands run as they stand, with a tiny encoder and a small budget."""

from __future__ import annotations

import logging
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from clinsynth import cli as commands
from clinsynth.runs.folder import SHARED
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
BUDGET = [
    "--trainer.max_epochs=2",
    "--model.optimization.learning_rate=3e-3",
    "--trainer.enable_progress_bar=false",
]
FEW = {"notes.yaml": "--data.few_shot=40", "student.yaml": "--data.labelled.init_args.few_shot=40"}
NUMBER = re.compile(r"\d+([.,]\d+)*")


def run(line: str, encoder: str) -> None:
    """Runs a line of a console block."""
    words = shlex.split(line.replace("PATH_OF_CLINSYNTH", str(REPOSITORY)), comments=True)
    if words[0] == "mkdir":
        return  # the test is in a folder of its own
    if words[0] == "cp":
        *sources, target = [word for word in words[1:] if word != "-r"]
        for source in sources:
            for path in Path("/").glob(source.lstrip("/")):
                if path.is_dir():
                    shutil.copytree(path, Path(target) / path.name)
                else:
                    shutil.copy(path, target)
        return
    assert words[0] == "clinsynth", line
    if words[1] == "fit":
        config = words[words.index("--config") + 1]
        words += [f"--model.encoder={encoder}", FEW[config], *BUDGET]
    log = logging.getLogger("clinsynth")
    handlers = list(log.handlers)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", words)
            patch.delenv(SHARED, raising=False)
            commands.main()
    finally:
        log.handlers = handlers


def shape(text: str) -> list[str]:
    """The lines of an output without its numbers, and without the folder that a test is in."""
    text = re.sub(r"\S*/runs/(?=\S*ckpt)", ".../runs/", text)
    return [NUMBER.sub("N", line).strip() for line in text.splitlines() if line.strip()]


@pytest.mark.slow
def test_the_tutorial_runs(
    tmp_path: Path, tiny_encoder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    shown = ""
    ran = 0
    for kind, block in BLOCKS:
        if kind == "yaml":
            name = block.splitlines()[0].removeprefix("# ")
            Path(name).write_text(block, encoding="utf-8")
        elif kind == "console":
            capsys.readouterr()
            for line in block.splitlines():
                run(line, tiny_encoder)
                ran += 1
            done = capsys.readouterr()
            shown = done.out + done.err
        elif kind == "text":  # what does not depend on a trained model is shown as it is
            assert block.strip() in shown
        elif kind == "output":  # of what depends on one the words are right, and the numbers others
            missing = [line for line in shape(block) if line not in shape(shown)]
            assert missing == []
    assert ran >= 12
    assert Path("found.html").exists() and Path("runs/student/bundle/model.onnx").exists()
    assert len(Path("found.jsonl").read_text(encoding="utf-8").splitlines()) == 3

"""Answers to what cannot be parsed."""

from __future__ import annotations

import pytest

from clinsynth.cli.parser import AnsweringParser, nearest_option
from clinsynth.cli.run import run

OPTIONS = [
    "trainer.max_epochs",
    "model.optimization.learning_rate",
    "model.encoder",
    "data.root",
    "plan.size",
]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("trainer.max_epoch", "trainer.max_epochs"),
        ("max_epochs", "trainer.max_epochs"),
        ("model.lr", "model.optimization.learning_rate"),
        ("model.learning_rate", "model.optimization.learning_rate"),
        ("plan.sise", "plan.size"),
        ("sise", "plan.size"),
        ("data.encoder", "model.encoder"),
        ("nothing", None),
        ("model.nothing", None),
    ],
)
def test_the_option_that_was_meant(word: str, meant: str | None) -> None:
    assert nearest_option(word, OPTIONS) == meant


def command(source: str, size: int = 3) -> None:
    """Does nothing.

    Args:
        source: Text to read.
        size: Number of lines.
    """


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["x", "--sise", "4"], "there is no option --sise. Did you mean --size?"),
        (["x", "--size", "four"], "--size: Expected a <class 'int'>. Got value: four"),
        (["x", "y"], "there is no use for the argument 'y'"),
        ([], "the following arguments are required: source"),
        (["x", "--config=none.yaml"], "config"),
    ],
)
def test_a_command_answers_in_two_lines(
    arguments: list[str], answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(command, arguments, "clinsynth command")
    assert caught.value.code == 2
    told, more = capsys.readouterr().err.splitlines()
    assert told.startswith("clinsynth command: ") and answer in told
    assert more == "All options: clinsynth command --help"


def test_a_key_of_a_config_file_is_answered(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path_factory.mktemp("config") / "wrong.yaml"
    path.write_text("sise: 3\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        run(command, ["x", f"--config={path}"], "clinsynth command")
    assert "there is no option --sise. Did you mean --size?" in capsys.readouterr().err


def test_inside_another_parser_it_raises() -> None:
    parser = AnsweringParser(exit_on_error=False)
    with pytest.raises(Exception, match="unrecognized arguments: --x"):
        parser.parse_args(["--x"])

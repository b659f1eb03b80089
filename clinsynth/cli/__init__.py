"""The commands. This table is the only place that lists them; each imports its own dependencies."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """Where a command's ``main(arguments)`` is, what it is for, and the extra that brings what it imports."""

    module: str
    summary: str
    passes_name: bool = False
    extra: str = "train"


COMMANDS = {
    "fit": Command("clinsynth.cli.experiments", "Train a model and keep its best checkpoint.", True),
    "validate": Command("clinsynth.cli.experiments", "Score a checkpoint on the validation split.", True),
    "test": Command("clinsynth.cli.experiments", "Score a checkpoint on the test split.", True),
    "predict": Command(
        "clinsynth.cli.experiments", "Write the entities or relations that a checkpoint finds.", True
    ),
    "tag": Command("clinsynth.cli.tag", "Show a checkpoint's entities in colour on the terminal."),
    "generate": Command("clinsynth.cli.generate", "Write labelled text with a language model."),
    "export": Command("clinsynth.cli.export", "Write a bundle that runs without torch."),
    "annotate": Command("clinsynth.cli.annotate", "Annotate files of any size with a bundle."),
    "serve": Command("clinsynth.cli.serve", "Annotate over HTTP with a bundle.", extra="serve"),
    "errors": Command(
        "clinsynth.cli.errors",
        "Count a model's errors by kind and by word, to mend guidelines by.",
        extra="train",
    ),
    "report": Command(
        "clinsynth.cli.report", "Show runs, written corpora and bundles as one HTML page.", extra="report"
    ),
    "reproduce": Command("clinsynth.cli.reproduce", "Fill the paper's table: real, written and mixed text."),
    "corpus": Command("clinsynth.cli.corpus", "Count what is in corpora, convert between formats."),
}

OWN_EXTRAS = {name: name for name in ("gliner", "tensorboard", "wandb")}  # of packages that options bring in

USAGE = """usage: clinsynth COMMAND [ARGUMENTS]

Train small clinical text-mining models and run them where the text is.

commands:
{commands}

clinsynth COMMAND --help tells all of one. First steps: README.md
"""


def usage() -> str:
    """The help text."""
    width = max(map(len, COMMANDS))
    return USAGE.format(
        commands="\n".join(f"  {name:{width}}  {command.summary}" for name, command in COMMANDS.items())
    )


def main() -> None:
    """Runs the command that the arguments name."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print(usage(), end="")
        return
    if name == "--version":
        from importlib.metadata import version

        print(version("clinsynth"))
        return
    if name not in COMMANDS:
        from clinsynth.formats.spelling import did_you_mean, nearest

        meant = did_you_mean(nearest(name, COMMANDS)) or "."
        sys.exit(f"clinsynth: there is no command {name!r}{meant} The commands are {', '.join(COMMANDS)}.")
    command = COMMANDS[name]
    try:
        importlib.import_module(command.module).main([name, *arguments] if command.passes_name else arguments)
    except ModuleNotFoundError as error:
        if not error.name:  # somebody else's, which says what is missing
            sys.exit(f"clinsynth {name}: {error}")
        package = error.name.split(".")[0]
        if package in ("clinsynth", "clinsynth_onnx"):
            raise
        sys.exit(
            f"clinsynth: {name!r} needs {error.name}, which is not installed. "
            f"Remedy: pip install 'clinsynth[{OWN_EXTRAS.get(package, command.extra)}]'"
        )
    except (ValueError, OSError) as error:
        sys.exit(f"clinsynth {name}: {error}")

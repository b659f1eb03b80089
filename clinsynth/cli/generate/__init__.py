"""``clinsynth generate``: labelled text from a language model. Each command imports only what it needs."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Sequence

from clinsynth.cli.run import run

SUBCOMMANDS = {
    "annotate": ("clinsynth.cli.generate.annotate", "annotate"),
    "plan": ("clinsynth.cli.generate.plan", "write_plan"),
    "import": ("clinsynth.cli.generate.plan", "import_replies"),
    "explain": ("clinsynth.cli.generate.plan", "explain"),
    "forget": ("clinsynth.cli.generate.forget", "forget"),
    "audit": ("clinsynth.cli.generate.audit", "audit"),
    "seeds": ("clinsynth.cli.generate.seeds", "seeds"),
}
CORPUS = ("clinsynth.cli.generate.corpus", "generate")


def main(arguments: Sequence[str]) -> None:
    """Runs the command, or the subcommand that the first argument names."""
    logging.getLogger("clinsynth").setLevel(logging.INFO)
    if not logging.getLogger("clinsynth").handlers:
        logging.getLogger("clinsynth").addHandler(logging.StreamHandler())
    name = arguments[0] if arguments and arguments[0] in SUBCOMMANDS else ""
    module, function = SUBCOMMANDS.get(name, CORPUS)
    rest = arguments[1:] if name else arguments
    run(
        getattr(importlib.import_module(module), function),
        rest,
        f"clinsynth generate {name}".rstrip(),
        positional=False,
    )

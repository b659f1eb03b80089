"""How a command's function becomes its command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from jsonargparse import auto_cli

Target = Callable[..., Any] | list[Callable[..., Any] | type]


def run(target: Target, arguments: Sequence[str], name: str, positional: bool = True) -> None:
    """Calls a function, or one of several by name, with what the arguments say.

    An option may be spelt with dashes or underscores, ``--max-f1-drop`` or ``--max_f1_drop``. What a
    function cannot do without is named by its place, or if not ``positional`` like an option.
    """
    auto_cli(target, args=[_underscored(one) for one in arguments], prog=name, as_positional=positional)


def _underscored(argument: str) -> str:
    option = re.match(r"--[a-z0-9][a-z0-9_-]*", argument)
    if option is None:
        return argument
    return "--" + option[0][2:].replace("-", "_") + argument[option.end() :]

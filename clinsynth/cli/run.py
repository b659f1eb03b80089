"""How a command's function becomes its command line."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

from jsonargparse import auto_cli

from clinsynth.cli.parser import AnsweringParser

Target = Callable[..., Any] | list[Callable[..., Any] | type]


def run(target: Target, arguments: Sequence[str], name: str, positional: bool = True) -> None:
    """Calls a function, or one of several by name, with what the arguments say.

    An option may be spelt with dashes or underscores, ``--max-f1-drop`` or ``--max_f1_drop``, and one that
    is true or false may go without a value: ``--dry-run``. What a function cannot do without is named by
    its place, or if not ``positional`` like an option.
    """
    given = [_underscored(argument) for argument in arguments]
    switches = {f"--{name}" for name in _booleans(target)}
    for i, (argument, after) in enumerate(zip(given, [*given[1:], "--"], strict=False)):
        if argument in switches and after.startswith("-"):
            given[i] = f"{argument}=true"
    auto_cli(target, args=given, prog=name, as_positional=positional, parser_class=AnsweringParser)


def _booleans(target: Target) -> set[str]:
    functions = target if isinstance(target, list) else [target]
    return {
        parameter.name
        for function in functions
        for parameter in inspect.signature(function).parameters.values()
        if parameter.annotation in (bool, "bool")
    }


def _underscored(argument: str) -> str:
    option = re.match(r"--[a-z0-9][a-z0-9_-]*", argument)
    if option is None:
        return argument
    return "--" + option[0][2:].replace("-", "_") + argument[option.end() :]

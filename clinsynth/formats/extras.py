"""Readers and writers whose libraries are an extra of the package."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def from_extra(extra: str, module: str, function: str) -> Callable[..., Any]:
    """A function of a module of this package that is imported when it is called.

    The function raises ``ValueError`` with the extra to install if a library is not there.
    """

    def call(*arguments: Any, **options: Any) -> Any:
        try:
            found = importlib.import_module(f"clinsynth.formats.{module}")
        except ModuleNotFoundError as error:
            raise ValueError(
                f"this format needs {error.name}, which is not installed. "
                f"Remedy: pip install 'clinsynth[{extra}]'"
            ) from error
        return getattr(found, function)(*arguments, **options)

    return call

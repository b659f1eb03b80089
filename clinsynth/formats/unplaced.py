"""Annotations about a document that have no place in its text, as NLM-Chem has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def unplaced_annotations(meta: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those in ``meta["unplaced"]``, each with its ``passage`` (an index), ``id``, ``infons`` and ``text``.

    Empty where something else has this name: any JSON may be in the meta of a document.
    """
    given = meta.get("unplaced")
    if not isinstance(given, list):
        return []
    return [x for x in given if isinstance(x, dict) and isinstance(x.get("infons"), dict)]

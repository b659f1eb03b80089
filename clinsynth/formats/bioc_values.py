"""Values of BioC JSON, which may be anything, as what they have to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from clinsynth.formats.errors import CorpusError

Json = Mapping[str, Any]


class Values:
    """Reads fields of one document's parts, with errors that name file and document.

    Args:
        path: The file.
        source: The document.
    """

    def __init__(self, path: Path, source: Json) -> None:
        self._path = path
        self._name = source.get("id")

    def error(self, problem: str, remedy: str) -> CorpusError:
        """That something is wrong with this document."""
        return CorpusError(self._path, None, f"document {self._name!r}: {problem}", remedy)

    def string(self, part: Json, name: str) -> str | None:
        """A string, or ``None`` where there is none; a 0 is not none."""
        value = part.get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, value, "a string")
        return value

    def identifier(self, part: Json, name: str) -> str | None:
        """The name of an annotation or a relation; a number is one, too."""
        value = part.get(name)
        return str(value) if type(value) is int else self.string(part, name)

    def number(self, part: Json, name: str) -> int:
        """A whole number."""
        value = part.get(name)
        if type(value) is not int:
            raise self._wrong(name, value, "a whole number")
        return value

    def objects(self, part: Json, name: str) -> list[Json]:
        """A list of objects; empty where there is none."""
        value = part.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._wrong(name, value, "a list of objects")
        return value

    def infons(self, part: Json) -> Json:
        """What is said of a part, by key; an empty XML element and a JSON null say nothing."""
        value = part.get("infons")
        if value is not None and not isinstance(value, dict):
            raise self._wrong("infons", value, "an object")
        return {key: said for key, said in (value or {}).items() if said is not None}

    def infon(self, infons: Json, names: Iterable[str]) -> str | None:
        """The first of these infons that is there."""
        for name in names:
            value = self.string(infons, name)
            if value is not None:
                return value
        return None

    def _wrong(self, name: str, value: Any, wanted: str) -> CorpusError:
        return self.error(f"a field {name!r} is {value!r}", f"write {wanted} instead")

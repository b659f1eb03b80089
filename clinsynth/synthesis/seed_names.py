"""Files of names to work into texts: by entity label, or by subject and entity label."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clinsynth.formats.errors import CorpusError
from clinsynth.formats.lines import read_text
from clinsynth_onnx.schema import Schema

Names = Mapping[str, Sequence[str]]
"""Names by entity label."""

REMEDY = 'write {"SUBJECT": {"LABEL": ["name", ...]}} with the topics and labels of the task'
ANY = ""  # the subject of names that go with every one


def read_seeds(path: Path, schema: Schema) -> dict[str, Names]:
    """Names by subject, and by entity label; names without a subject go with any. Raises ``CorpusError``."""
    try:
        value = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise CorpusError(
            path, error.lineno, f"this is not JSON ({error.msg})", "correct the file"
        ) from error
    if not isinstance(value, dict):
        raise CorpusError(path, None, "the file is not a JSON object", REMEDY)
    if not any(isinstance(names, dict) for names in value.values()):
        return {ANY: _names(path, value, schema)}
    found: dict[str, Names] = {}
    for topic, names in value.items():
        if topic not in (*schema.topics, ANY):
            raise CorpusError(path, None, f"task {schema.name!r} has no topic {topic!r}", REMEDY)
        found[topic] = _names(path, names, schema)
    return found


def names_for(topic: str, seeds: Mapping[str, Names]) -> Names:
    """The names that go with a subject."""
    return seeds.get(topic) or seeds.get(ANY) or {}


def write_seeds(path: Path, seeds: Mapping[str, Names]) -> None:
    """The file that ``read_seeds`` reads."""
    path.write_text(json.dumps(seeds, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _names(path: Path, value: Any, schema: Schema) -> Names:
    if not isinstance(value, dict):
        raise CorpusError(path, None, "the names of a subject are not a JSON object", REMEDY)
    for label, names in value.items():
        if label not in schema.entities:
            raise CorpusError(path, None, f"task {schema.name!r} has no entity type {label!r}", REMEDY)
        if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
            raise CorpusError(path, None, f"the names of {label!r} are not a list of strings", REMEDY)
    return value

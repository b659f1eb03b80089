"""``--task``: one value that is read from a file, rather than one option for each field of a dataclass."""

from __future__ import annotations

from typing import Any

from jsonargparse import set_parsing_settings
from jsonargparse.typing import register_type

from clinsynth.formats.tasks import read_task
from clinsynth_onnx.schema import Schema


def read_schema(value: Any) -> Schema:
    """A task: that of the file with this name, or of a mapping. Raises ``ValueError``."""
    if isinstance(value, str):
        return read_task(value)
    if isinstance(value, dict):
        return Schema.from_json(value)
    raise ValueError("it is a file or a mapping, and has no options of its own. Remedy: change the task file")


def given(task: Schema | None) -> Schema:
    """The task. Raises ``ValueError`` if there is none."""
    if task is None:
        raise ValueError(
            "no task is given. Remedy: --task FILE or --config FILE; configs/*.yaml are examples"
        )
    return task


set_parsing_settings(subclasses_enabled=[Schema])
register_type(Schema, serializer=Schema.to_json, deserializer=read_schema)

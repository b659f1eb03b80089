"""Task files: YAML that is read into a ``Schema``, with errors that name the line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import yaml

from clinsynth.formats.errors import CorpusError
from clinsynth.formats.lines import read_text
from clinsynth.formats.spelling import did_you_mean, nearest
from clinsynth_onnx.schema import Schema

EXAMPLES = "configs/tasks/NAME/task.yaml are examples"
TEXT = "tag:yaml.org,2002:str"
NULL = "tag:yaml.org,2002:null"
TRUTH = "tag:yaml.org,2002:bool"
TAKEN_FOR = {
    TRUTH: "a truth value",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    NULL: "nothing",
    "tag:yaml.org,2002:timestamp": "a date",
}


def read_task(path: Path | str) -> Schema:
    """The task of a YAML file.

    YAML takes some words for other things than text: ``NO`` and ``Yes`` for truth values, ``1`` for a
    number. Where a label or a text is meant they have to be in quotes, and are refused without.

    Args:
        path: The file; its keys are the fields of ``Schema``, ``EntityType`` and ``RelationType``.

    Raises:
        CorpusError: No such file, no YAML, an unknown, missing or repeated key, or a value of another
            kind; with the line.
    """
    path = Path(path)
    if not path.is_file():
        raise CorpusError(path, None, "there is no such task file", EXAMPLES)
    text = read_text(path)
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        at = text.count("\n", 0, error.position) + 1
        problem = f"YAML does not allow the character U+{ord(text[error.position]):04X}"
        raise CorpusError(path, at, problem, "remove it") from error
    try:
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise CorpusError(path, line, f"this is not YAML ({error.problem})", "correct the line") from error
    finally:
        loader.dispose()
    if root is None:
        raise CorpusError(path, None, "the task file is empty", EXAMPLES)
    try:
        schema = _Reader(path, loader).value(root, Schema, "the task")
    except CorpusError:
        raise
    except ValueError as error:  # of Schema itself
        raise CorpusError(path, None, str(error), "correct the task file") from error
    assert isinstance(schema, Schema)
    return schema


class _Reader:
    """Values of nodes of one file, by the types that they shall have."""

    def __init__(self, path: Path, loader: yaml.SafeLoader) -> None:
        self._path = path
        self._loader = loader

    def value(self, node: yaml.Node, kind: Any, name: str) -> Any:
        """What a node holds. Raises ``CorpusError`` if that is of another kind."""
        if kind is str:
            return self._text(node, name)
        if kind is bool:
            return self._truth(node, name)
        if is_dataclass(kind):
            return self._record(node, kind, name)
        if get_origin(kind) is Literal:
            given = self._text(node, name)
            if given not in get_args(kind):
                raise self._error(
                    node,
                    f"{name} knows no {given!r}",
                    f"it is {' or '.join(get_args(kind))}{_hint(given, get_args(kind))}",
                )
            return given
        (*_, item) = get_args(kind)
        if get_origin(kind) is list:
            if not isinstance(node, yaml.SequenceNode):
                raise self._error(
                    node, f"{name} is not a list", "write [first, second], or one '- item' a line"
                )
            return [self.value(inner, item, f"an item of {name}") for inner in node.value]
        return {
            self._text(key, f"a label under {name}"): self.value(inner, item, f"{name}.{key.value}")
            for key, inner in self._pairs(node, name)
        }

    def _record(self, node: yaml.Node, kind: Any, name: str) -> Any:
        types = get_type_hints(kind)
        needed = [
            key.name for key in fields(kind) if key.default is MISSING and key.default_factory is MISSING
        ]
        found: dict[str, Any] = {}
        empty = node.tag == NULL and not needed  # a label alone, without a definition
        for key, inner in [] if empty else self._pairs(node, name):
            word = self._text(key, f"a key of {name}")
            if word not in types:
                known = ", ".join(types)
                raise self._error(
                    key, f"{name} has no key {word!r}", f"the keys are {known}{_hint(word, types)}"
                )
            found[word] = self.value(inner, types[word], word)
        missing = [key for key in needed if key not in found]
        if missing:
            raise self._error(node, f"{name} lacks the key {missing[0]!r}", f"add it; {EXAMPLES}")
        return kind(**found)

    def _pairs(self, node: yaml.Node, name: str) -> list[tuple[yaml.Node, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self._error(
                node, f"{name} is not a mapping of keys to values", "write one 'key: value' a line"
            )
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise self._error(
                    key, f"the key {key.value!r} occurs twice in {name}", "leave one of them out"
                )
            seen.add(str(key.value))
        self._loader.flatten_mapping(node)  # << of YAML, which brings in the keys of another mapping
        pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
        return pairs

    def _text(self, node: yaml.Node, name: str) -> str:
        if isinstance(node, yaml.ScalarNode) and node.tag == TEXT:
            return str(node.value)
        if isinstance(node, yaml.ScalarNode) and node.value:
            taken = TAKEN_FOR.get(node.tag, "something else than text")
            raise self._error(
                node,
                f"{name} is {node.value}, which YAML takes for {taken}",
                f'put it in quotes: "{node.value}"',
            )
        raise self._error(node, f"{name} is not a text", "give it one, in quotes if need be, or leave it out")

    def _truth(self, node: yaml.Node, name: str) -> bool:
        if not isinstance(node, yaml.ScalarNode) or node.tag != TRUTH:
            raise self._error(
                node, f"{name} is neither true nor false", "write true or false, without quotes"
            )
        return bool(self._loader.construct_yaml_bool(node))

    def _error(self, node: yaml.Node, problem: str, remedy: str) -> CorpusError:
        return CorpusError(self._path, node.start_mark.line + 1, problem, remedy)


def _hint(word: str, known: Iterable[str]) -> str:
    return did_you_mean(nearest(word, known))

"""The texts of an answer, in whatever JSON a model puts them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clinsynth.formats.rejects import Rejected
from clinsynth.synthesis.lenient_json import Partial

ALIEN = "a part of the answer has no known form"
CUT_TITLE = "a text is cut off after its first sentence"

TEXT_FIELDS = ("title", "text", "sentence", "abstract", "document", "sentences")


@dataclass(frozen=True, slots=True)
class Item:
    """One text of an answer, in its pieces: title and sentences, or all at once."""

    pieces: Sequence[str]
    fields: Mapping[str, Any]
    complete: bool = True

    @property
    def raw(self) -> str:
        """The item as the answer has it, about."""
        return to_json({"text": self.pieces, **self.fields})


def items(value: Any, key: str = "") -> Iterator[Item | Rejected]:
    """The texts in a JSON value.

    Args:
        value: A value that ``lenient_json.values`` found.
        key: The key that it stands under, if any.
    """
    complete = _complete(value)
    if isinstance(value, Partial):
        value = value.value
    if isinstance(value, Rejected):
        yield value
    elif isinstance(value, str) and (not key or key in TEXT_FIELDS):
        yield Item([value], {})
    elif isinstance(value, list):
        for part in value:
            inner = part.value if isinstance(part, Partial) else part
            if isinstance(inner, list) and inner and all(isinstance(piece, str) for piece in inner):
                if len(inner) == 1 and isinstance(part, Partial):
                    yield Rejected(CUT_TITLE, inner[0])
                else:
                    yield Item(inner, {})
            else:
                yield from items(part)
    elif isinstance(value, dict) and (pieces := _pieces(value)):
        if not complete and _title_alone(value, pieces):
            yield Rejected(CUT_TITLE, pieces[0])
            return
        rest = {field: inner for field, inner in value.items() if field not in TEXT_FIELDS}
        yield Item(pieces, rest, complete)
    elif isinstance(value, dict):
        for field, inner in value.items():
            yield from items(inner, field)
    else:
        yield Rejected(ALIEN, to_json({key: value} if key else value))


def _title_alone(value: Mapping[str, Any], pieces: Sequence[str]) -> bool:
    """Whether of a text that is cut off there is no more than its beginning."""
    texts = [value.get(field) for field in TEXT_FIELDS if field != "title"]
    judged = {"relations", "label"} & value.keys()
    return len(pieces) == 1 and not judged and not any(isinstance(text, str) for text in texts)


def _complete(value: Any) -> bool:
    """Whether nothing in it is cut off."""
    if isinstance(value, dict | list):
        return all(map(_complete, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, Partial)


def to_json(value: Any) -> str:
    """A value of an answer as JSON, also where it is cut off."""
    return json.dumps(value, ensure_ascii=False, default=lambda partial: partial.value)


def _pieces(value: Mapping[str, Any]) -> list[str]:
    """The text of an object that is one text; empty if it is none, or a list of them."""
    if "sentences" in value and not {"title", "relations", "label"} & value.keys():
        return []
    pieces: list[str] = []
    for field in TEXT_FIELDS:
        part = value.get(field, [])
        part = part.value if isinstance(part, Partial) else part
        part = [part] if isinstance(part, str) else part
        if not isinstance(part, list) or not all(isinstance(piece, str) for piece in part):
            return []
        pieces += part
    return pieces

"""Errors by kind, and the words that stand where mentions begin and end wrongly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from clinsynth_onnx.document import Document, Entity

Kind = Literal["missed", "spurious", "wrong boundary", "wrong label"]
KINDS: tuple[Kind, ...] = ("missed", "spurious", "wrong boundary", "wrong label")
_WORD = re.compile(r"\w+(?:[-']\w+)*")


class Error(NamedTuple):
    """A mention that is not as it should be.

    Attributes:
        kind: What is wrong with it.
        gold: The mention as people marked it; ``None`` if spurious.
        found: The mention as it was found; ``None`` if missed.
    """

    kind: Kind
    gold: Entity | None
    found: Entity | None

    @property
    def mention(self) -> Entity:
        """As people marked it, or as it was found if they did not."""
        mention = self.gold or self.found
        assert mention is not None
        return mention

    def to_json(self) -> dict[str, Any]:
        """Kind and offsets, without text."""
        return {
            "kind": self.kind,
            **{
                name: {"start": entity.start, "end": entity.end, "label": entity.label} if entity else None
                for name, entity in (("gold", self.gold), ("found", self.found))
            },
        }


@dataclass(slots=True)
class Errors:
    """Counts of errors over documents, and of words in them, in small letters.

    Attributes:
        right: How many mentions are right, to the character.
        kinds: How many errors of each (kind, label) there are; the label is that of people, if any.
        words: For "missed", "spurious", "wrong label": words of those mentions. For "too much before",
            "too much after", "lacking before", "lacking after": words by which a boundary is wrong.
        by_turns: Mentions that were found in some places and missed in others: (found, missed).
    """

    right: int = 0
    kinds: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    words: dict[str, Counter[str]] = field(default_factory=dict)
    by_turns: dict[str, tuple[int, int]] = field(default_factory=dict)


def errors(gold: Document, found: Document) -> list[Error]:
    """What is wrong in a document, in the order of the text.

    A found mention that overlaps one of its label is a wrong boundary, whichever is longer; on the same
    place with another label, a wrong label. Each mention is part of one error at most; the first found
    mention that overlaps counts.
    """
    right = set(gold.entities) & set(found.entities)
    wanted = [entity for entity in gold.entities if entity not in right]
    left = [entity for entity in found.entities if entity not in right]
    outcome = []
    pairing: list[tuple[Kind, Callable[[Entity, Entity], bool]]] = [
        ("wrong label", _same_place),
        ("wrong boundary", _same_label),
    ]
    for kind, fits in pairing:
        for true in list(wanted):
            match = next((entity for entity in left if fits(true, entity)), None)
            if match is not None:
                wanted.remove(true)
                left.remove(match)
                outcome.append(Error(kind, true, match))
    outcome += [Error("missed", entity, None) for entity in wanted]
    outcome += [Error("spurious", None, entity) for entity in left]
    return sorted(outcome, key=lambda error: error.mention.start)


def summary(pairs: Iterable[tuple[Document, Document]]) -> Errors:
    """Errors of (gold, found) documents, counted."""
    total = Errors()
    seen: dict[str, list[int]] = {}
    for gold, found in pairs:
        right = set(gold.entities) & set(found.entities)
        total.right += len(right)
        for entity in gold.entities:
            seen.setdefault(gold.mention(entity).lower(), [0, 0])[entity not in right] += 1
        for error in errors(gold, found):
            total.kinds[error.kind, error.mention.label] += 1
            for where, words in _words(gold, error):
                total.words.setdefault(where, Counter()).update(words)
    total.by_turns = {name: (n[0], n[1]) for name, n in seen.items() if n[0] and n[1]}
    return total


def _same_place(gold: Entity, found: Entity) -> bool:
    return (gold.start, gold.end) == (found.start, found.end)


def _same_label(gold: Entity, found: Entity) -> bool:
    return gold.label == found.label and gold.overlaps(found)


def _words(document: Document, error: Error) -> Iterator[tuple[str, list[str]]]:
    gold, found = error.gold, error.found
    if gold is None or found is None or error.kind == "wrong label":
        yield error.kind, _split(document.mention(error.mention))
        return
    for side, first, second in (
        ("before", found.start, gold.start),
        ("after", gold.end, found.end),
    ):
        if first != second:
            what = "too much" if first < second else "lacking"
            yield f"{what} {side}", _split(document.text[min(first, second) : max(first, second)])


def _split(text: str) -> list[str]:
    return _WORD.findall(text.lower())

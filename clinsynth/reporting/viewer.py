"""Gold against found in the text itself, as pieces that a template puts together."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from clinsynth.metrics.concept_counts import JudgedRelations
from clinsynth.metrics.confusion import paired
from clinsynth.metrics.errors import KINDS, Kind, errors
from clinsynth_onnx.document import Document

Outcome = Literal["right"] | Kind
OUTCOMES: tuple[Outcome, ...] = ("right", *KINDS)
MOST = 500  # documents on a page: browsers become slow


@dataclass(frozen=True, slots=True)
class Item:
    """A mention, or a relation, of gold, of what was found, or of both.

    Attributes:
        kind: ``right``, or what is wrong.
        label: Its label in gold, or as it was found if it is not in gold.
        says: The label, and what it was taken for if that is another one.
        score: The confidence in what was found; ``None`` if nothing was.
        end: Where it ends in the text, the longer of the two; 0 for a relation.
        mentions: Head and tail of a relation.
    """

    kind: Outcome
    label: str
    says: str
    score: float | None
    end: int = 0
    mentions: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is marked in one way, and the items that end with it."""

    text: str
    label: str
    in_gold: bool
    in_found: bool
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A document with what is right and wrong in it."""

    id: str
    pieces: Sequence[Piece]
    relations: Sequence[Item]

    @property
    def items(self) -> list[Item]:
        """All of it."""
        return [*(item for piece in self.pieces for item in piece.items), *self.relations]

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong."""
        return all(item.kind == "right" for item in self.items)


def chosen(
    pairs: Sequence[tuple[Document, Document]], relations: Sequence[JudgedRelations]
) -> tuple[list[Shown], int]:
    """Documents to show, and how many are left out; if there are too many, those without errors are.

    Args:
        pairs: Gold and found of each.
        relations: The relations of each; none where only entities are compared.
    """
    judged: Sequence[JudgedRelations | None] = relations or [None] * len(pairs)
    every = [shown(*pair, its) for pair, its in zip(pairs, judged, strict=True)]
    if len(every) <= MOST:
        return every, 0
    wrong = [document for document in every if not document.is_right][:MOST]
    return wrong, len(every) - len(wrong)


def shown(gold: Document, found: Document, relations: JudgedRelations | None) -> Shown:
    """One document: its relations if they are given, and its entities unless they were given to the model."""
    compared = _relations(relations) if relations is not None else []
    entities_given = relations is not None and gold.entities == found.entities
    return Shown(gold.id, list(_pieces(gold, found, entities_given)), compared)


def _items(gold: Document, found: Document) -> Iterator[Item]:
    scores = {entity: entity.score for entity in found.entities}
    for entity in dict.fromkeys(gold.entities):
        if entity in scores:
            yield Item("right", entity.label, entity.label, scores[entity], entity.end)
    for error in errors(gold, found):
        ends = [entity.end for entity in (error.gold, error.found) if entity is not None]
        yield Item(
            error.kind,
            error.mention.label,
            _says(error.gold.label if error.gold else None, error.found.label if error.found else None),
            error.found.score if error.found else None,
            max(ends),
        )


def _says(gold: str | None, found: str | None) -> str:
    if gold and found and gold != found:
        return f"{gold} \N{RIGHTWARDS ARROW} {found}"
    return gold or found or ""


def _pieces(gold: Document, found: Document, given: bool) -> Iterator[Piece]:
    items = [] if given else list(_items(gold, found))
    spans = (*gold.entities, *found.entities)
    cuts = sorted({0, len(gold.text), *(e.start for e in spans), *(e.end for e in spans)})
    for start, end in itertools.pairwise(cuts):
        in_gold = next((e for e in gold.entities if e.start <= start < e.end), None)
        in_found = next((e for e in found.entities if e.start <= start < e.end), None)
        marked = in_gold or in_found
        yield Piece(
            gold.text[start:end],
            marked.label if marked else "",
            in_gold is not None,
            in_found is not None,
            tuple(item for item in items if item.end == end),
        )


def _relations(judged: JudgedRelations) -> list[Item]:
    items = []
    for one, other in paired(judged):
        kind: Outcome = "wrong label"
        if one == other:
            kind = "right"
        elif other is None:
            kind = "missed"
        elif one is None:
            kind = "spurious"
        label, *ends = one or other or ("", 0, 0)
        head, tail = map(judged.name, ends)
        score = judged.found[other] if other else None
        items.append(Item(kind, label, _says(one and one[0], other and other[0]), score, 0, (head, tail)))
    return items

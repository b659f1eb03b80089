"""Abbreviations that a document defines, and entities that agree with the definitions.

A document that says "myotonic dystrophy (DM)" tells what DM is. Definitions are found by the algorithm of
Schwartz and Hearst (2003), "A simple algorithm for identifying abbreviation definitions in biomedical
text", Pacific Symposium on Biocomputing 8, 451-462, and by initials in another order.
``docs/abbreviations.md`` has the effect of each rule.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from clinsynth_onnx.document import Document, Entity

LONGEST_SHORT = 10  # characters, as in the paper
LONGEST_LONG = 200  # characters; the paper's limit in words is far below it
_PARENTHESES = re.compile(rf"\(([^()]{{2,{LONGEST_LONG}}})\)|\[([^\[\]]{{2,{LONGEST_LONG}}})\]")
_SENTENCE_END = re.compile(r"[.!?]\s+(?=[A-Z])|\n\s*\n")
_LAST_WORD = re.compile(r"\S+\Z")
_WORD = re.compile(r"[^\W_]+")
_GAP = re.compile(r"[;,]\s")

Span = tuple[int, int]


class Definition(NamedTuple):
    """A short form and its long form, as half-open character spans of the text."""

    short: Span
    long: Span


def definitions(text: str) -> Iterator[Definition]:
    """Definitions in the order of the text: "long form (SHORT)" and "SHORT (long form)"."""
    for match in _PARENTHESES.finditer(text):
        group = 1 if match.group(1) is not None else 2
        start, end = match.span(group)
        gap = _GAP.search(text, start, end)
        if gap:  # (DM; MIM 160900), (DM, an inherited disease)
            end = gap.start()
        found = _long_before(text, start, end, match.start()) or _short_before(
            text, start, end, match.start()
        )
        if found:
            yield found


def agreeing(document: Document) -> Document:
    """The document with entities that agree with the abbreviations it defines.

    A short form is an entity, with the label and the score of its long form, wherever it stands as a word
    and no other entity is, before its definition too; and is none where its long form is none. An entity
    that ends where the long form ends stands for it ("autosomal dominant myotonic dystrophy (DM)"), unless
    it is a short form itself. DMs is a form of DM. To call it again changes nothing.
    """
    text = document.text
    found = list(definitions(text)) if "(" in text or "[" in text else []
    if not found:
        return document
    forms: dict[str, str] = {}
    for definition in found:
        short = text[slice(*definition.short)]
        for form in (short, short + "s"):
            forms.setdefault(form, short)
    forms.update({text[slice(*d.short)]: text[slice(*d.short)] for d in found})  # before plurals of others
    governed = _occurrences(document, forms)
    meanings = _meanings(document, found, governed)
    kept = []
    for entity in document.entities:
        form_of = governed.get((entity.start, entity.end))
        if form_of is None:
            kept.append(entity)
        elif meaning := meanings.get(form_of):
            score = entity.score if entity.label == meaning.label else meaning.score
            kept.append(Entity(entity.start, entity.end, meaning.label, score))
    return document.annotated(_with(kept, governed, meanings))


def _occurrences(document: Document, forms: Mapping[str, str]) -> dict[Span, str]:
    """Where forms stand as words within a passage, each with the short form that it is a form of."""
    text = document.text
    borders = sorted(start for start, *_ in document.passages)
    found = {}
    for form, short in forms.items():
        start = text.find(form)
        while start >= 0:
            end = start + len(form)
            alone = not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum())
            if alone and bisect_right(borders, start) == bisect_right(borders, end - 1):
                found[start, end] = short
            start = text.find(form, start + 1)
    return found


def _meanings(
    document: Document, found: Sequence[Definition], governed: Mapping[Span, str]
) -> dict[str, Entity]:
    """For each short form the entity that stands for its long form, if there is one."""
    ends = {entity.end: entity for entity in document.entities if (entity.start, entity.end) not in governed}
    meanings: dict[str, Entity] = {}
    for definition in found:
        entity = ends.get(definition.long[1])
        if entity is not None:
            meanings.setdefault(document.text[slice(*definition.short)], entity)
    return meanings


def _with(
    entities: Sequence[Entity], governed: Mapping[Span, str], meanings: Mapping[str, Entity]
) -> tuple[Entity, ...]:
    """Entities in the order of the text, and the short forms that have a meaning where none of them is."""
    taken = sorted(entities, key=lambda entity: (entity.start, entity.end))
    starts = [entity.start for entity in taken]
    longest_first = sorted(governed.items(), key=lambda item: (item[0][0] - item[0][1], item[0]))
    for (start, end), short in longest_first:
        meaning = meanings.get(short)
        if meaning is None:
            continue
        at = bisect_right(starts, start)
        if (at and taken[at - 1].end > start) or (at < len(taken) and starts[at] < end):
            continue
        taken.insert(at, Entity(start, end, meaning.label, meaning.score))
        starts.insert(at, start)
    return tuple(taken)


def _long_before(text: str, start: int, end: int, parenthesis: int) -> Definition | None:
    short = text[start:end]
    if not _is_short(short):
        return None
    begin = max(0, parenthesis - LONGEST_LONG)
    for boundary in _SENTENCE_END.finditer(text, begin, parenthesis):
        begin = boundary.end()
    candidate = text[begin:parenthesis].rstrip()
    long_end = begin + len(candidate)
    words = min(len(short) + 5, 2 * len(short))  # the paper's limit
    pieces = candidate.rsplit(None, words)
    if len(pieces) > words:
        begin += len(pieces[0])
    candidate = text[begin:long_end]
    first = _match(short, candidate)
    if first is None:
        first = _turned(short, candidate)
    return None if first is None else _checked(text, (start, end), (begin + first, long_end))


def _short_before(text: str, start: int, end: int, parenthesis: int) -> Definition | None:
    begin = max(0, parenthesis - LONGEST_SHORT - 2)
    word = _LAST_WORD.search(text[begin:parenthesis].rstrip())
    if word is None or not _is_short(word.group()):
        return None
    short = begin + word.start(), begin + word.end()
    if short[0] and not text[short[0] - 1].isspace():
        return None
    if _match(word.group(), text[start:end]) != 0:
        return None
    return _checked(text, short, (start, end))


def _is_short(form: str) -> bool:
    return (
        2 <= len(form) <= LONGEST_SHORT
        and form[0].isalnum()
        and form[-1].isalnum()
        and len(form.split()) <= 2
        and any(character.isupper() for character in form)
    )


def _match(short: str, candidate: str) -> int | None:
    """Where the shortest long form begins that ends with the candidate and has the short form's letters.

    Letters and digits of the short form must occur in their order, the first at a word's beginning.
    """
    at = len(candidate)
    for index in range(len(short) - 1, -1, -1):
        character = short[index].lower()
        if not character.isalnum():
            continue
        at -= 1
        while at >= 0 and (
            candidate[at].lower() != character or (index == 0 and at > 0 and candidate[at - 1].isalnum())
        ):
            at -= 1
        if at < 0:
            return None
    while at > 0 and not candidate[at - 1].isspace():
        at -= 1
    return at


def _turned(short: str, candidate: str) -> int | None:
    """Where the last words begin whose initials are the short form's letters in another order.

    Latin names are turned round in English: myotonic dystrophy is DM, dystrophia myotonica. The paper's
    algorithm has no such rule.
    """
    words = list(_WORD.finditer(candidate))[-len(short) :]
    initials = sorted(word.group()[0].lower() for word in words)
    return words[0].start() if initials == sorted(short.lower()) else None


def _checked(text: str, short: Span, long: Span) -> Definition | None:
    form, expanded = text[slice(*short)], text[slice(*long)]
    if len(expanded) <= len(form) or form in expanded.split():
        return None
    return Definition(short, long)

"""Which mentions of a text are one thing, where nothing else says it: by their names alone.

``docs/relations.md`` has the effect of each rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from clinsynth_onnx.abbreviations import definitions
from clinsynth_onnx.concept_fields import fields, ids
from clinsynth_onnx.document import Document

_PLURAL = re.compile(r"(?<=[^\W\d_]{2}[^\W\d_us])s\b")  # seizures; not pus, mass, virus
_PLURAL_OF_Y = re.compile(r"(?<=[^\W\d_]{2})ies\b")
_BETWEEN_WORDS = re.compile(r"[\s\u2010-\u2015-]+")

Name = tuple[str, str]


def grouped(document: Document) -> Document:
    """The document with an id for each mention that has none, the same for those that are one thing.

    Mentions of one label are one if they have the same name but for case, plural, hyphens and spaces, or if
    the text defines one as the abbreviation of the other. New ids are numbers in the order of the text;
    mentions without an id take that of the first that they are one with. To call it again changes nothing.
    Raises ``ValueError`` if ``meta["concepts"]`` is not an id or ``None`` for each entity.
    """
    given = fields(document)
    if all(map(ids, given)):
        return document
    order = sorted(range(len(given)), key=lambda i: (document.entities[i].start, document.entities[i].end, i))
    same = same_things(document)
    of: dict[Name, str] = {}
    for i in order:
        one = given[i]
        if one is not None and ids(one):
            of.setdefault(same[i], one)
    taken = {name for one in given for name in ids(one)}
    number = 0
    for i in order:
        if ids(given[i]):
            continue
        while same[i] not in of:
            number += 1
            if str(number) not in taken:
                of[same[i]] = str(number)
        given[i] = of[same[i]]
    return replace(document, meta={**document.meta, "concepts": given})


def same_things(document: Document, abbreviations: bool = True) -> Sequence[Name]:
    """For each entity the label and a name of the thing, equal for mentions that are one thing.

    Args:
        document: A text with mentions.
        abbreviations: Whether a short form is one with its definition in the text.
    """
    given = [(entity.label, plain(document.mention(entity))) for entity in document.entities]
    long_of = _long_forms(document, given) if abbreviations else {}
    return [_followed(name, long_of) for name in given]


def plain(name: str) -> str:
    """A name without capitals, plural, hyphens and spaces."""
    words = _BETWEEN_WORDS.sub(" ", name.lower()).strip()
    return _PLURAL.sub("", _PLURAL_OF_Y.sub("y", words)).replace(" ", "")


def _long_forms(document: Document, given: Sequence[Name]) -> Mapping[Name, Name]:
    """Names that abbreviate others as the text says, the first time that it says so."""
    ends: dict[int, list[int]] = {}
    for i, entity in enumerate(document.entities):
        ends.setdefault(entity.end, []).append(i)
    found: dict[Name, Name] = {}
    for definition in definitions(document.text):
        standing = ends.get(definition.long[1])
        if standing is None:
            continue
        start = definition.long[0]
        label, long = given[min(standing, key=lambda i: abs(document.entities[i].start - start))]
        short = document.text[slice(*definition.short)]
        for form in (short, short + "s"):
            name = label, plain(form)
            if _followed((label, long), found) != name:  # no circle
                found.setdefault(name, (label, long))
    return found


def _followed(name: Name, long_of: Mapping[Name, Name]) -> Name:
    """The long form of a name, that of the long form if it has one, and so on."""
    while name in long_of:
        name = long_of[name]
    return name

"""Inline tags: ``<Disease>...</Disease>``, written for a language model and read from it.

A language model miscounts characters, so it tags and we count. ``render`` and ``read_tagged`` are
inverses; the second also takes what models make of tags (other case, escaped, with attributes) and refuses
whatever leaves a doubt where a mention begins or ends.

What would be read as a tag, a mask or a character reference but is text is written with a reference
for its first character: ``&#60;`` for ``<``, ``&amp;`` for ``&``. ``&lt;Disease&gt;`` is a tag that a
model escaped, ``&#60;Disease>`` is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html.entities import html5

from clinsynth.formats.rejects import Rejected
from clinsynth.synthesis.numbering import concept_numbers
from clinsynth.synthesis.tag_tokens import tag_tokens
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import Schema

EMPTY = "the text is empty"
SURROGATE = "the text holds half a character"
UNKNOWN = "a tag has an unknown label"
NESTED = "tags are nested or overlap"
UNOPENED = "a closing tag has no opening one"
UNCLOSED = "a tag is not closed"
CROSSED = "a closing tag has another label"
HOLLOW = "a tag holds no text"
MALFORMED = "a tag is malformed"

SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Tagged:
    """A text whose tags were read: ``ids[i]`` is the ``id`` attribute of ``entities[i]``, or ``None``."""

    text: str
    entities: tuple[Entity, ...]
    ids: tuple[str | None, ...]


def render(document: Document, schema: Schema, ids: bool | Sequence[str] | None = None) -> str:
    """The text with each entity in a tag of its label.

    Args:
        document: Its entities may not overlap. Reading gives them back in the order of the text.
        schema: The task; it has all labels.
        ids: Whether tags carry ids, ``<Chemical id="1">``: those that ``concept_numbers`` gives, or the
            ones given here, one for each entity. Default: if the document has relations.

    Raises:
        ValueError: If entities overlap, or a label is not in the schema or cannot be a tag's name.
    """
    unknown = schema.unknown_labels(document.entities)
    if unknown:
        raise ValueError(
            f"document {document.id!r} has the label {unknown[0]!r}, which task {schema.name!r} does not "
            "know. Remedy: add it to the task's entities, or leave these mentions out"
        )
    if ids is None:
        ids = bool(document.relations)
    numbers = concept_numbers(document) if ids is True else ids or None
    token = tag_tokens(schema.entity_labels)
    text, done, pieces = document.text, 0, []
    for i in sorted(range(len(document.entities)), key=lambda i: document.entities[i].start):
        entity = document.entities[i]
        if entity.start < done:
            raise ValueError(
                f"document {document.id!r}: mentions overlap at character {entity.start}, which inline tags "
                "cannot show. Remedy: leave one of them out"
            )
        attribute = f' id="{numbers[i]}"' if numbers else ""
        inside = _escaped(document.mention(entity), token, in_tag=True, first=True, last=True)
        pieces += [
            _escaped(text[done : entity.start], token, first=done == 0),
            f"<{entity.label}{attribute}>{inside}</{entity.label}>",
        ]
        done = entity.end
    pieces.append(_escaped(text[done:], token, first=done == 0, last=True))
    return "".join(pieces)


def read_tagged(text: str, labels: Iterable[str], masks: bool = False) -> Tagged | Rejected:
    """What a tagged text says, or why it cannot be used. Never raises, whatever the text.

    White space at the borders of the text is left out, at the borders of a mention it is left outside
    of the mention.

    Args:
        text: The text with its tags.
        labels: Entity labels, which the tags are named after.
        masks: Whether ``@LABEL$`` outside of tags is a mention too.

    Returns:
        The text without tags, with its mentions in the order of the text.
    """
    known = tuple(labels)
    if SURROGATES.search(text):
        return Rejected(SURROGATE, text)
    reader = _Reader(known)
    done = 0
    for match in tag_tokens(known).finditer(text):
        reader.add(text[done : match.start()])
        done = match.end()
        problem = reader.take(match, masks)
        if problem:
            return Rejected(problem, text, detail=match[0])
    reader.add(text[done:])
    if reader.open:
        return Rejected(UNCLOSED, text, detail=reader.open[1])
    result = reader.result()
    return Rejected(result, text) if isinstance(result, str) else result


class _Reader:
    """The text so far without its tags, and the mentions in it."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.open: tuple[int, str, str | None] | None = None
        self._exact = set(labels)
        folded = [_folded(label) for label in labels]
        self._folded = {f: label for f, label in zip(folded, labels, strict=True) if folded.count(f) == 1}
        self._pieces: list[str] = []
        self._length = 0
        self._meant: set[int] = set()  # places of characters that a reference states: not to be trimmed
        self._found: list[tuple[int, int, str, str | None]] = []

    def add(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)

    def take(self, match: re.Match[str], masks: bool) -> str:
        """Takes a token; returns what is wrong with it, or nothing."""
        if match["reference"]:
            character = _character(match["reference"])
            if character is not None:
                self._meant.update(range(self._length, self._length + len(character)))
            self.add(match[0] if character is None else character)
            return ""
        if match["mask"]:
            label = self._label(match["mask"])
            if masks and not self.open and label:
                self._found.append((self._length, self._length + len(match[0]), label, None))
            self.add(match[0])
            return ""
        name = match["known"] or match["name"]
        if not name:
            return MALFORMED
        label = self._label(name)
        if label is None:
            return UNKNOWN
        closing, alone = match["c1"] or match["c2"], match["e1"] or match["e2"]
        if alone:
            return HOLLOW
        return self._close(label) if closing else self._begin(label, match["a1"] or match["a2"] or "")

    def _begin(self, label: str, attributes: str) -> str:
        if self.open:
            return NESTED
        self.open = (self._length, label, _id(attributes))
        return ""

    def _close(self, label: str) -> str:
        if not self.open:
            return UNOPENED
        start, opened, identifier = self.open
        if opened != label:
            return CROSSED
        self.open = None
        self._found.append((start, self._length, label, identifier))
        return ""

    def result(self) -> Tagged | str:
        """What was read, or what is wrong with it."""
        text = "".join(self._pieces)
        begin, stop = self._trimmed(text, 0, len(text))
        if begin == stop:
            return HOLLOW if self._found else EMPTY
        entities = []
        for start, end, label, _ in self._found:
            start, end = self._trimmed(text, start, end)
            if start == end:
                return HOLLOW
            entities.append(Entity(start - begin, end - begin, label))
        return Tagged(text[begin:stop], tuple(entities), tuple(identifier for *_, identifier in self._found))

    def _trimmed(self, text: str, start: int, end: int) -> tuple[int, int]:
        while start < end and text[start].isspace() and start not in self._meant:
            start += 1
        while start < end and text[end - 1].isspace() and end - 1 not in self._meant:
            end -= 1
        return start, end

    def _label(self, name: str) -> str | None:
        return name if name in self._exact else self._folded.get(_folded(name))


def _folded(label: str) -> str:
    return re.sub(r"[\s_-]+", " ", label).casefold()


def _id(attributes: str) -> str | None:
    found = re.search(r"""(?:^|\s)id\s*=\s*(?:&quot;|["'])?([^\s"'&<>]+)""", attributes, re.IGNORECASE)
    return found[1] if found else None


def _character(reference: str) -> str | None:
    """What a character reference stands for; ``None`` if it is not one."""
    if not reference.startswith("#"):
        return html5.get(reference + ";")
    number = int(reference[2:], 16) if reference[1] in "xX" else int(reference[1:])
    if not 0 < number <= 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        return None
    return chr(number)


ESCAPES = {"<": "&#60;", "&": "&amp;", "[": "&#91;", "@": "&#64;"}


def _escaped(
    text: str, token: re.Pattern[str], in_tag: bool = False, first: bool = False, last: bool = False
) -> str:
    """Text that reads back as itself; ``first`` and ``last``: white space there would else be trimmed."""
    pieces: list[str] = []
    begin, end = 0, len(text)
    if first and text[:1].isspace():
        begin = 1
    if last and end > begin and text[-1].isspace():
        end -= 1
    done = begin
    while match := token.search(text, done, end):
        pieces.append(text[done : match.start()])
        keep = in_tag and match["mask"]
        pieces.append(text[match.start()] if keep else ESCAPES[text[match.start()]])
        done = match.start() + 1  # and not its end: what follows is read anew once this is no token
    pieces.append(text[done:end])
    return (
        "".join(f"&#{ord(c)};" for c in text[:begin])
        + "".join(pieces)
        + "".join(f"&#{ord(c)};" for c in text[end:])
    )

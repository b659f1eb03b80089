"""Documents to CoNLL columns: token, start, end and tag, by tabs, with a mark before each document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from clinsynth.formats.conll_lines import START
from clinsynth.formats.errors import UnwritableError
from clinsynth_onnx.document import Document
from clinsynth_onnx.sentences import sentence_starts

NAME = "# id = "
TOKEN = re.compile(r"\w+|[^\w ]")

Prefix = Callable[[bool, bool, bool], str]  # of a token: is it first, is it last, after one of its label


def dumps(document: Document) -> str:
    """A document in IOB2. Raises ``UnwritableError`` on what tokens and tags cannot hold."""
    return _dumps(document, lambda first, last, after_same: "B" if first else "I")


def dumps_iob(document: Document) -> str:
    """A document in IOB1 columns: B only where a mention follows another of its label directly."""
    return _dumps(document, lambda first, last, after_same: "B" if first and after_same else "I")


def dumps_iobes(document: Document) -> str:
    """A document in IOBES columns."""
    return _dumps(
        document,
        lambda first, last, after_same: {(1, 1): "S", (1, 0): "B", (0, 1): "E"}.get((first, last), "I"),
    )


def _dumps(document: Document, prefix: Prefix) -> str:
    return "\n".join([START, NAME + document.id, "", *_lines(document, prefix)]) + "\n\n"


def _lines(document: Document, prefix: Prefix) -> Iterator[str]:
    _refuse(document)
    text, entities = document.text, document.entities
    cuts = sorted({offset for e in entities for offset in (e.start, e.end)} | {0, len(text)})
    tokens = [
        (start + m.start(), start + m.end())
        for start, end in pairwise(cuts)
        for m in TOKEN.finditer(text[start:end])
    ]
    breaks = [s for s in sentence_starts(text)[1:] if not any(e.start < s < e.end for e in entities)]
    waiting, current, last_label = list(breaks), 0, ""
    for start, end in tokens:
        if waiting and waiting[0] <= start:
            while waiting and waiting[0] <= start:
                waiting.pop(0)
            last_label = ""
            yield ""
        while current < len(entities) and entities[current].end <= start:
            current += 1
        entity = entities[current] if current < len(entities) and entities[current].start <= start else None
        tag = "O"
        if entity:
            first, last = start == entity.start, end == entity.end
            tag = f"{prefix(first, last, last_label == entity.label)}-{entity.label}"
        last_label = entity.label if entity else ""
        yield f"{text[start:end]}\t{start}\t{end}\t{tag}"


def _refuse(document: Document) -> None:
    text, entities = document.text, document.entities
    problems = {
        "relations": bool(document.relations),
        "a line break in its id": bool(set(document.id) & set("\n\r")),
        "white space other than spaces": any(c.isspace() and c != " " for c in text),
        "halves of characters (lone surrogates)": any(
            "\ud800" <= c <= "\udfff" for c in "".join([text, document.id, *(e.label for e in entities)])
        ),
        "an empty text": not text.strip(),
        "spaces at the end of the text": text.endswith(" "),
        "mentions that overlap, or are not in the order of the text": any(
            b.start < a.end for a, b in pairwise(entities)
        ),
        "mentions that begin or end with a space": any(
            " " in (text[e.start], text[e.end - 1]) for e in entities
        ),
        "white space in a label": any(re.search(r"\s", e.label) for e in entities),
    }
    for problem, found in problems.items():
        if found:
            raise UnwritableError(document.id, f"CoNLL columns cannot hold {problem}")

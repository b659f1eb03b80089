"""CoNLL columns: a token a line, its tag in the last column, an empty line after each sentence.

Tags are IOB1 (Ramshaw and Marcus 1995), IOB2 or IOBES (also spelt BILOU). The tokens of a sentence
are joined by spaces, sentences by line breaks; a file that also has character offsets (``token``,
``start``, ``end``, ``tag``, by tabs) gives the text back as it was, gaps filled with spaces.

``-DOCSTART-`` begins a document; ``# id = X`` in the line after it names it. In a file without
``-DOCSTART-`` each sentence is a document, named by its number.

A file with an E, S, L or U tag is IOBES throughout, and a mention without a begin or an end is an error.
Any other is read by one rule for IOB1 and IOB2, also where it mixes them: B begins a mention, and so
does an I after a tag that is not of its label.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth.formats.lines import read_lines
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.sentences import sentence_starts

START = "-DOCSTART-"
NAME = "# id = "
TAG = re.compile(r"([BIESLU])-(\S+)")
SPELT = {"L": "E", "U": "S"}
TOKEN = re.compile(r"\w+|[^\w ]")
LONGEST_GAP = 10_000_000  # between tokens; a wrong offset must not fill the memory with spaces


@dataclass(frozen=True, slots=True)
class _Row:
    """A line with a token: its number, text, offsets if the file has them, and tag (prefix, label)."""

    line: int
    token: str
    span: tuple[int, int] | None
    prefix: str
    label: str


def read(path: Path) -> Iterator[Document]:
    """Documents in file order. Raises ``CorpusError`` on a line or a tag that makes no sense."""
    lines = read_lines(path)
    blocks = list(_blocks(path, lines))
    rows = [row for _, sentences in blocks for sentence in sentences for row in sentence]
    if any(row.span is None for row in rows):  # only if all lines have offsets are they offsets
        joined: Callable[..., tuple[str, list[tuple[int, int]]]] = _joined
    else:
        joined = _placed
    begins = _scheme(path, blocks)
    for number, (name, sentences) in enumerate(blocks, 1):
        text, spans = joined(path, sentences)
        chunks = [(row, fresh) for sentence in sentences for row, fresh in begins(sentence)]
        entities: list[Entity] = []
        for (row, fresh), (start, end) in zip(chunks, spans, strict=True):
            if fresh:
                entities.append(Entity(start, end, row.label))
            elif row.label:
                entities[-1] = Entity(entities[-1].start, end, row.label)
        yield Document(text, tuple(entities), id=str(number) if name is None else name)


def _blocks(path: Path, lines: Sequence[str]) -> Iterator[tuple[str | None, list[list[_Row]]]]:
    """Each document's name, if it has one, and its sentences."""
    separator = "\t" if any("\t" in line for line in lines) else None
    marked = any(_starts(line) for line in lines)
    name: str | None = None
    sentences: list[list[_Row]] = [[]]
    began = False
    previous = ""
    for number, line in enumerate([*lines, ""], 1):
        fields = line.split(separator)
        if _starts(line):
            if began:
                yield name, [s for s in sentences if s]
            name, sentences, began = None, [[]], True
        elif marked and line.startswith(NAME) and _starts(previous):
            name = line.removeprefix(NAME)
        elif line.strip():
            if marked and not began:
                raise CorpusError(
                    path, number, f"a token stands before the first {START}", f"begin with {START}"
                )
            sentences[-1].append(_row(path, number, fields, separator))
        elif sentences[-1]:
            if not marked:
                yield None, sentences
                sentences = []
            sentences.append([])
        previous = line
    if began:
        yield name, [s for s in sentences if s]


def _starts(line: str) -> bool:
    return line.split(maxsplit=1)[:1] == [START]


def _row(path: Path, number: int, fields: Sequence[str], separator: str | None) -> _Row:
    if len(fields) < 2 or not fields[0]:
        raise CorpusError(
            path,
            number,
            f"the line has {len(fields)} columns; a token and a tag are needed",
            "is the file cut off here? get it again, or correct the line",
        )
    match = TAG.fullmatch(fields[-1])
    if fields[-1] != "O" and not match:
        raise CorpusError(
            path,
            number,
            f"the tag {fields[-1]!r} is not O or one such as B-Disease",
            "correct the last column",
        )
    prefix, label = (SPELT.get(match[1], match[1]), match[2]) if match else ("O", "")
    spans = separator and len(fields) == 4 and fields[1].isdecimal() and fields[2].isdecimal()
    return _Row(number, fields[0], (int(fields[1]), int(fields[2])) if spans else None, prefix, label)


Begins = Callable[[Sequence[_Row]], Iterator[tuple[_Row, bool]]]


def _scheme(path: Path, blocks: Sequence[tuple[str | None, list[list[_Row]]]]) -> Begins:
    """What tells where mentions begin: IOBES if there is an E or S, IOB2 if each begins with B, else IOB1."""
    sentences = [sentence for _, own in blocks for sentence in own]
    if any(row.prefix in "ES" for sentence in sentences for row in sentence):

        def strict(sentence: Sequence[_Row]) -> Iterator[tuple[_Row, bool]]:
            opened = ""
            for row in sentence:
                goes_on = row.prefix in "IE"
                if goes_on != bool(opened) or (goes_on and row.label != opened):
                    raise CorpusError(
                        path,
                        row.line,
                        f"the tag {row.prefix}-{row.label} cannot stand here: "
                        + (f"the {opened} mention before it has no end" if opened else "no mention is open"),
                        "mentions are B I ... E, or S alone; correct the tags",
                    )
                yield row, row.prefix in "BS"
                opened = row.label if row.prefix in "BI" else ""
            if opened:
                raise CorpusError(
                    path, sentence[-1].line, f"the {opened} mention has no end", "its last tag must be E"
                )

        return strict

    def loose(sentence: Sequence[_Row]) -> Iterator[tuple[_Row, bool]]:
        before = ""
        for row in sentence:
            yield row, bool(row.label) and (row.prefix == "B" or row.label != before)
            before = row.label

    # the same rule reads IOB1 and IOB2: they differ in where they must write B
    return loose


def _joined(path: Path, sentences: Sequence[Sequence[_Row]]) -> tuple[str, list[tuple[int, int]]]:
    spans: list[tuple[int, int]] = []
    length = 0
    for sentence in sentences:
        for row in sentence:
            spans.append((length, length + len(row.token)))
            length = spans[-1][1] + 1
    return "\n".join(" ".join(row.token for row in sentence) for sentence in sentences), spans


def _placed(path: Path, sentences: Sequence[Sequence[_Row]]) -> tuple[str, list[tuple[int, int]]]:
    text = ""
    spans: list[tuple[int, int]] = []
    for row in (row for sentence in sentences for row in sentence):
        assert row.span is not None
        start, end = row.span
        if not len(text) <= start <= len(text) + LONGEST_GAP or end - start != len(row.token):
            raise CorpusError(
                path,
                row.line,
                f"the offsets [{start}, {end}) do not fit the token {row.token!r}, or the one before, which "
                f"ends at {len(text)}",
                "they count characters from 0 of the document, the end is exclusive",
            )
        text += " " * (start - len(text)) + row.token
        spans.append((start, end))
    return text, spans


def write(path: Path, documents: Iterable[Document]) -> None:
    """IOB2 with offsets. Raises ``UnwritableError`` on what tokens and tags cannot hold."""
    _write(path, documents, lambda first, last, after_same: "B" if first else "I")


def write_iob(path: Path, documents: Iterable[Document]) -> None:
    """As ``write``, in IOB1: B only where a mention follows another of its label directly."""
    _write(path, documents, lambda first, last, after_same: "B" if first and after_same else "I")


def write_iobes(path: Path, documents: Iterable[Document]) -> None:
    """As ``write``, in IOBES."""
    _write(
        path,
        documents,
        lambda first, last, after_same: {(1, 1): "S", (1, 0): "B", (0, 1): "E"}.get((first, last), "I"),
    )


def _write(path: Path, documents: Iterable[Document], prefix: Callable[[bool, bool, bool], str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for document in documents:
            stream.write("\n".join([START, NAME + document.id, "", *_lines(document, prefix)]) + "\n\n")


def _lines(document: Document, prefix: Callable[[bool, bool, bool], str]) -> Iterator[str]:
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

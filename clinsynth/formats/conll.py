"""CoNLL columns: a token a line with its tag, an empty line after each sentence.

Tags are IOB1 (Ramshaw and Marcus 1995), IOB2 or IOBES (also spelt BILOU). The tokens of a sentence
are joined by spaces, sentences by line breaks; a file that also has character offsets (``token``,
``start``, ``end``, ``tag``, by tabs) gives the text back as it was, gaps filled with spaces. Where tabs
separate columns, spaces are part of tokens.

``-DOCSTART-``, JNLPBA's ``###MEDLINE:ID``, or a comment such as ``# id = X`` or ``# doc_id = X`` begins a
document. In a file without them each sentence is a document, named by its number. Other lines that begin
with ``#`` and do not end in a tag are comments.

A file with an E, S, L or U tag is IOBES throughout, and a mention without a begin or an end is an error.
Any other is read by one rule for IOB1 and IOB2, also where it mixes them: B begins a mention, and so
does an I after a tag that is not of its label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from clinsynth.formats.conll_lines import Block, Columns, Row, blocks
from clinsynth.formats.errors import CorpusError
from clinsynth.formats.lines import read_lines
from clinsynth_onnx.document import Document, Entity

LONGEST_GAP = 10_000_000  # between tokens; a wrong offset must not fill the memory with spaces


def read(
    path: Path, label: str | None = None, token_column: int | None = None, tag_column: int | None = None
) -> Iterator[Document]:
    """Documents in file order. Raises ``CorpusError`` on a line or a tag that makes no sense.

    Args:
        path: The file.
        label: Label of mentions whose tags are B, I and O alone.
        token_column: Number of the column of tokens, from 1; the first if not given.
        tag_column: Number of the column of tags, from 1; the last if not given.
    """
    columns = Columns(label, token_column, tag_column)
    documents = list(blocks(path, read_lines(path), columns))
    if any(row.span is None for block in documents for row in block.rows()):
        joined: Callable[..., tuple[str, list[tuple[int, int]]]] = _joined
    else:  # only if all lines have offsets are they offsets
        joined = _placed
    begins = _scheme(path, documents)
    for number, block in enumerate(documents, 1):
        sentences = [sentence for sentence in block.sentences if sentence]
        text, spans = joined(path, sentences)
        chunks = [(row, fresh) for sentence in sentences for row, fresh in begins(sentence)]
        entities: list[Entity] = []
        for (row, fresh), (start, end) in zip(chunks, spans, strict=True):
            if fresh:
                entities.append(Entity(start, end, row.label))
            elif row.label:
                entities[-1] = Entity(entities[-1].start, end, row.label)
        yield Document(text, tuple(entities), id=str(number) if block.name is None else block.name)


Begins = Callable[[Sequence[Row]], Iterator[tuple[Row, bool]]]


def _scheme(path: Path, documents: Sequence[Block]) -> Begins:
    """What tells where mentions begin: IOBES if there is an E or S, IOB2 if each begins with B, else IOB1."""
    if any(row.prefix in "ES" for block in documents for row in block.rows()):

        def strict(sentence: Sequence[Row]) -> Iterator[tuple[Row, bool]]:
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
                    path,
                    sentence[-1].line,
                    f"the {opened} mention has no end",
                    "its last tag must be E; is there an empty line inside it?",
                )

        return strict

    def loose(sentence: Sequence[Row]) -> Iterator[tuple[Row, bool]]:
        before = ""
        for row in sentence:
            yield row, bool(row.label) and (row.prefix == "B" or row.label != before)
            before = row.label

    # the same rule reads IOB1 and IOB2: they differ in where they must write B
    return loose


def _joined(path: Path, sentences: Sequence[Sequence[Row]]) -> tuple[str, list[tuple[int, int]]]:
    spans: list[tuple[int, int]] = []
    length = 0
    for sentence in sentences:
        for row in sentence:
            spans.append((length, length + len(row.token)))
            length = spans[-1][1] + 1
    return "\n".join(" ".join(row.token for row in sentence) for sentence in sentences), spans


def _placed(path: Path, sentences: Sequence[Sequence[Row]]) -> tuple[str, list[tuple[int, int]]]:
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

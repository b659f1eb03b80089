"""What a line of CoNLL columns is: a token with its tag, the mark of a document, or a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clinsynth.formats.errors import CorpusError

START = "-DOCSTART-"
# begins a document: CoNLL-2003 and AIDA, JNLPBA, and comments of MultiCoNER and CoNLL-U
MARKS = (
    re.compile(rf"{START}(?:[ \t]+\((?P<id>[^)]+)\))?(?:[ \t].*)?"),
    re.compile(r"###MEDLINE:[ \t]*(?P<id>.+)"),
)
DOCUMENT_NAME = re.compile(
    r"#[ \t]*(?:newdoc|doc(?:ument)?)[ _]?id[ \t]*(?:[=:][ \t]?|[ \t])(?P<id>.*)", re.IGNORECASE
)
NAME = re.compile(r"#[ \t]*id[ \t]*(?:[=:][ \t]?(?P<id>.*)|[ \t](?P<short>[^\t]*).*)", re.IGNORECASE)
SAYS = re.compile(r"#+[ \t]*[\w.]+[ \t]*[=:].*")
UNTYPED = re.compile(r"[BIESLU]")
TYPED = re.compile(r"([BIESLU])-(\S+)")
SPELT = {"L": "E", "U": "S"}


@dataclass(frozen=True, slots=True)
class Row:
    """A line with a token: its number, text, offsets if the file has them, and tag (prefix, label)."""

    line: int
    token: str
    span: tuple[int, int] | None
    prefix: str
    label: str


@dataclass(slots=True)
class Block:
    """The lines of a document.

    Attributes:
        name: Its id, if the file has one.
        sentences: Its rows by sentences.
    """

    name: str | None = None
    sentences: list[list[Row]] = field(default_factory=lambda: [[]])

    def rows(self) -> Iterator[Row]:
        """All rows in order."""
        for sentence in self.sentences:
            yield from sentence


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what.

    Attributes:
        label: Label of mentions whose tags are B, I and O alone.
        token: Number of the column of tokens, from 1; the first if ``None``.
        tag: Number of the column of tags, from 1; the last if ``None``.

    Raises ``ValueError`` on a number below 1.
    """

    label: str | None = None
    token: int | None = None
    tag: int | None = None

    def __post_init__(self) -> None:
        for name, number in (("token_column", self.token), ("tag_column", self.tag)):
            if number is not None and number < 1:
                raise ValueError(f"{name} is {number}. Remedy: columns are counted from 1")


def blocks(path: Path, lines: Sequence[str], columns: Columns) -> Iterator[Block]:
    """The documents; where none is marked, each sentence is one. Raises ``CorpusError``."""
    tabs = any("\t" in line for line in lines if not line.startswith(("# ", START)))
    has_marks = any(map(_mark, lines))
    names = DOCUMENT_NAME if not has_marks and any(map(DOCUMENT_NAME.fullmatch, lines)) else NAME
    marked = has_marks or any(map(names.fullmatch, lines))
    block = None if marked else Block()
    fresh = False  # whether nothing but a mark stands in the block yet
    for number, line in enumerate([*lines, ""], 1):
        if mark := _mark(line):
            if block is not None:
                yield block
            block, fresh = Block(mark["id"]), True
        elif (named := names.fullmatch(line)) and (fresh or not has_marks):
            name = next(group for group in named.groups() if group is not None)
            if block is not None and not fresh and block.name != name:
                yield block
                block = None
            block, fresh = block or Block(), True
            block.name = name if block.name is None else block.name
        elif not line.strip():
            if block is not None and block.sentences[-1]:
                if not marked:
                    yield block
                    block = Block()
                else:
                    block.sentences.append([])
        elif not _is_comment(line, tabs):
            if block is None:
                raise CorpusError(
                    path,
                    number,
                    "a token stands before the first mark of a document",
                    f"begin with a mark, e.g. {START}",
                )
            block.sentences[-1].append(_row(path, number, line, tabs, columns))
            fresh = False
    if block is not None and marked:
        yield block


def seem_tagged(lines: Sequence[str]) -> bool:
    """Whether the first lines that are not empty are marks of documents, or tokens with tags.

    One line alone without a tab may be a text: "Blood group O".
    """
    if any(map(_mark, lines)):
        return True
    rows = [line for line in lines if not line.startswith("#")]
    tags = [re.split(r"[ \t]+", row.strip(" "))[1:][-1:] for row in rows]
    return (len(rows) > 1 or "\t" in "".join(rows)) and all(tag and _is_tag(tag[0]) for tag in tags)


def _mark(line: str) -> re.Match[str] | None:
    return next((found for pattern in MARKS if (found := pattern.fullmatch(line))), None)


def _is_comment(line: str, tabs: bool) -> bool:
    """Whether a line that begins with # is no token."""
    if not line.startswith(("# ", "##")):
        return False
    fields = _fields(line, tabs)
    return bool(SAYS.fullmatch(line)) or len(fields) < 2 or not _is_tag(fields[-1])


def _is_tag(field: str) -> bool:
    return field == "O" or bool(UNTYPED.fullmatch(field) or TYPED.fullmatch(field))


def _fields(line: str, tabs: bool) -> list[str]:
    return line.split("\t") if tabs else re.split(" +", line.strip(" "))


def _row(path: Path, number: int, line: str, tabs: bool, columns: Columns) -> Row:
    fields = _fields(line, tabs)
    count = len(fields)
    if count < max(2, columns.token or 1, columns.tag or 1):
        separated = "tabs, as other lines have them" if tabs else "spaces"
        chosen = columns.token or columns.tag
        raise CorpusError(
            path,
            number,
            f"the line has {count} columns, separated by {separated}; "
            + ("the chosen are not there" if chosen else "a token and a tag are needed"),
            "is the file cut off here? get it again, or correct the line",
        )
    token, tag = fields[(columns.token or 1) - 1], fields[(columns.tag or 0) - 1].strip(" ")
    if not token.strip():
        raise CorpusError(path, number, "the token is empty", "correct the line, or choose its column")
    prefix, label = _tag(path, number, tag, columns.label)
    offsets = tabs and count == 4 and not (columns.token or columns.tag)
    span = None
    if offsets and fields[1].isdecimal() and fields[2].isdecimal():
        span = (int(fields[1]), int(fields[2]))
    return Row(number, token, span, prefix, label)


def _tag(path: Path, number: int, tag: str, label: str | None) -> tuple[str, str]:
    if tag == "O":
        return "O", ""
    if match := TYPED.fullmatch(tag):
        return SPELT.get(match[1], match[1]), match[2]
    if not UNTYPED.fullmatch(tag):
        raise CorpusError(
            path,
            number,
            f"the tag {tag!r} is not O or one such as B-Disease",
            "correct the column, or choose that of the tags with --tag_column",
        )
    if label is None:
        raise CorpusError(
            path,
            number,
            f"the tag {tag!r} does not say what the mention is",
            "name the type of all mentions, e.g. --label Disease",
        )
    return SPELT.get(tag, tag), label

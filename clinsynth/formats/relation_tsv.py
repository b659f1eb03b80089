"""The tsv that BioBERT's relation corpora come in: a sentence with two masked mentions, and 0 or 1.

Training files have ``sentence<TAB>label``; test files a header ``index sentence label`` and three
columns (Lee et al. 2020, "BioBERT"). The mentions are replaced by ``@GENE$`` and ``@DISEASE$``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth.formats.lines import read_lines
from clinsynth_onnx.document import Document, Entity, Relation

HEAD, TAIL, RELATION = "Gene", "Disease", "Association"
HEADER = ("index", "sentence", "label")
HEAD_LINE = "\t".join(HEADER) + "\n"
MASK = re.compile(r"@(GENE|DISEASE)\$")
NAMES = {"GENE": HEAD, "DISEASE": TAIL}


def read(path: Path) -> Iterator[Document]:
    """One document a row, with a Gene, a Disease and, where the label is 1, their Association.

    The id of a document is its index column, or the number of its row from 0. Raises
    ``CorpusError`` on a row without exactly one mention of each kind.
    """
    lines = read_lines(path)
    has_header = tuple(lines[0].split("\t")) == HEADER
    for row, (number, line) in enumerate((n, line) for n, line in enumerate(lines, 1) if n > has_header):
        fields = line.split("\t")
        if len(fields) != 2 + has_header:
            raise CorpusError(
                path,
                number,
                f"the row has {len(fields)} tab-separated columns, {2 + has_header} are expected",
                "is the file cut off here? get it again, or correct the row",
            )
        identifier = fields[0] if has_header else str(row)
        yield _document(path, number, identifier, fields[-2], fields[-1])


def _document(path: Path, number: int, identifier: str, sentence: str, label: str) -> Document:
    if label not in ("0", "1"):
        raise CorpusError(
            path,
            number,
            f"the label is {label!r}",
            "it must be 0 or 1; is the file another table? name its format",
        )
    found = list(MASK.finditer(sentence))
    if sorted(m[1] for m in found) != ["DISEASE", "GENE"]:
        raise CorpusError(
            path,
            number,
            f"the sentence has {len(found)} masked mentions ({', '.join(m[0] for m in found)})",
            "it must have exactly one @GENE$ and one @DISEASE$",
        )
    entities = tuple(Entity(m.start(), m.end(), NAMES[m[1]]) for m in found)
    head, tail = (next(i for i, e in enumerate(entities) if e.label == name) for name in (HEAD, TAIL))
    relations = (Relation(head, tail, RELATION),) if label == "1" else ()
    return Document(sentence, entities, relations, identifier)


def dumps(document: Document) -> str:
    """The row of a document, in the three-column form. Raises ``UnwritableError`` on any other document."""
    return "\t".join(_row(document)) + "\n"


def _row(document: Document) -> Sequence[str]:
    fields = (document.id, document.text, str(len(document.relations)))
    if any(set(field) & set("\t\n\r") for field in fields):
        raise UnwritableError(document.id, "the relation tsv cannot hold tabs and line breaks")
    try:
        same = _document(Path(), 0, *fields) == document
    except CorpusError:
        same = False
    if not same:
        raise UnwritableError(
            document.id,
            "the relation tsv holds one masked @GENE$, one masked @DISEASE$ and their association only",
        )
    return fields

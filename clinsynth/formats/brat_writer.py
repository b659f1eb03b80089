"""Documents to brat standoff."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from clinsynth.formats.brat import CONCEPT, ROLES, concept_line, plain_ids, shown
from clinsynth.formats.errors import UnwritableError
from clinsynth_onnx.document import Document


def files(document: Document) -> dict[str, bytes]:
    """The content of the two files of a document by their endings.

    Raises ``UnwritableError`` on what brat has no place for.
    """
    notes = "".join(f"{line}\n" for line in _lines(document))
    return {".txt": _encoded(document, document.text), ".ann": _encoded(document, notes)}


def _encoded(document: Document, written: str) -> bytes:
    try:
        return written.encode("utf-8")
    except UnicodeEncodeError as error:
        half = written[error.start]
        raise UnwritableError(document.id, f"UTF-8 cannot hold the lone surrogate {half!r}") from error


def _lines(document: Document) -> Iterator[str]:
    fragments = document.meta.get("fragments") or {}
    concepts = document.meta.get("concepts") or []
    labels = {e.label for e in document.entities} | {r.label for r in document.relations}
    if any(re.search(r"\s", label) for label in labels):
        raise UnwritableError(document.id, "brat cannot hold white space in a label")
    others = document.meta.get("brat") or []
    ids = _ids(document)
    if concepts and len(concepts) != len(document.entities):
        raise UnwritableError(
            document.id, f"its meta has {len(concepts)} concepts for {len(document.entities)} entities"
        )
    for i, entity in enumerate(document.entities):
        parts = fragments.get(str(i), [[entity.start, entity.end]])
        where = ";".join(f"{start} {end}" for start, end in parts)
        yield f"{ids['T'][i]}\t{entity.label} {where}\t{shown(document.text, parts)}"
    roles = document.meta.get("brat_roles") or {}
    for i, (name, relation) in enumerate(zip(ids["R"], document.relations, strict=True)):
        head_role, tail_role = roles.get(str(i), ROLES)
        head, tail = ids["T"][relation.head], ids["T"][relation.tail]
        yield f"{name}\t{relation.label} {head_role}:{head} {tail_role}:{tail}"
    said = {(match[1], match[2]) for match in map(CONCEPT.fullmatch, others) if match}
    for i, concept in enumerate(concepts):
        # a concept with white space in it is left out; formats.write tells the caller that meta changed
        if concept and not re.search(r"\s", concept) and (ids["T"][i], concept) not in said:
            yield concept_line(document.text, i, document.entities[i], ids["T"][i], concept)
    yield from others


def _ids(document: Document) -> Any:
    """The ids of entities and relations by their letter."""
    plain = plain_ids(len(document.entities), len(document.relations))
    ids = document.meta.get("brat_ids") or plain
    for letter, what in (("T", "entities"), ("R", "relations")):
        if len(ids[letter]) != len(plain[letter]):
            raise UnwritableError(
                document.id, f"its meta['brat_ids'] names {len(ids[letter])} {what} of {len(plain[letter])}"
            )
    return ids

"""doccano's JSONL: a text a line with labelled spans, and in projects with relations, these.

Spans are ``"label": [[0, 5, "Gene"]]``, or ``"entities"`` with ids that ``"relations"`` name; see
https://doccano.github.io/doccano/tutorial/. Offsets count characters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from clinsynth.formats.errors import CorpusError
from clinsynth.formats.lines import read_lines
from clinsynth.formats.tool_values import (
    CORRECT,
    Fail,
    identifier,
    objects,
    placed,
    portable_meta,
    string,
    whole_number,
)
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.files import json_line

LABELS = ("label", "labels")
ID, META = "document_id", "document_meta"  # doccano gives ids of its own
MARKS = (*LABELS, ID, "Comments")  # fields that tell its files from others
KNOWN = ("id", "text", *LABELS, "entities", "relations", "Comments", "comments", ID, META)


def read(path: Path) -> Iterator[Document]:
    """Documents line by line. Raises ``CorpusError``."""
    for number, line in enumerate(read_lines(path), 1):
        if line.strip():
            yield _document(path, number, line)


def _document(path: Path, number: int, line: str) -> Document:
    def fail(problem: str, remedy: str) -> CorpusError:
        return CorpusError(path, number, problem, remedy)

    try:
        value = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise fail("the line is not JSON", "is the file cut off? export it again") from error
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        raise fail("the line is no JSON object with a text", "export the project as JSONL")
    text = value["text"]
    if "entities" in value:
        given = objects(value, "entities", fail)
        spans = [(span.get("start_offset"), span.get("end_offset"), span.get("label")) for span in given]
    else:
        given, spans = [], list(_labelled(value, fail))
    mentions = [(whole_number(start, fail), whole_number(end, fail), None) for start, end, _ in spans]
    labels = [string({"label": label}, "label", fail) for *_, label in spans]
    places = placed(text, mentions, fail)
    entities = tuple(Entity(*place, label) for place, label in zip(places, labels, strict=True))
    relations = tuple(_relations(value, [span.get("id") for span in given], fail))
    kept = value.get(META)
    meta = {key: other for key, other in value.items() if key not in KNOWN}
    meta |= kept if isinstance(kept, dict) else {}
    return Document(text, entities, relations, identifier([value.get(ID), value.get("id")], number), meta)


def _labelled(value: Mapping[str, Any], fail: Fail) -> Iterator[tuple[object, object, object]]:
    found: object = next((value[key] for key in LABELS if value.get(key) is not None), [])
    if not isinstance(found, list):
        raise fail("its label is not a list of spans", "export a project of sequence labelling")
    for span in found:
        if not isinstance(span, list) or len(span) != 3:
            raise fail(
                f"its label {span!r} is not a start, an end and a label",
                "export a project of sequence labelling",
            )
        yield span[0], span[1], span[2]


def _relations(value: Mapping[str, Any], ids: list[object], fail: Fail) -> Iterator[Relation]:
    for relation in objects(value, "relations", fail):
        ends = [relation.get(key) for key in ("from_id", "to_id")]
        for end in ends:
            if end not in ids:
                raise fail(f"a relation names the entity {end!r}, which is not there", CORRECT)
        head, tail = map(ids.index, ends)
        if head == tail:
            raise fail(f"a relation relates the entity {ends[0]!r} to itself", "remove it")
        yield Relation(head, tail, string(relation, "type", fail))


def write(path: Path, documents: Iterable[Document]) -> None:
    """A file for a project of sequence labelling, with relations if there are any."""
    documents = list(documents)
    related = any(document.relations for document in documents)
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(json_line(_value(document, related)) for document in documents)


def _value(document: Document, related: bool) -> dict[str, Any]:
    value: dict[str, Any] = {"text": document.text, ID: document.id}
    if related:
        value["entities"] = [
            {"id": i, "label": entity.label, "start_offset": entity.start, "end_offset": entity.end}
            for i, entity in enumerate(document.entities)
        ]
        value["relations"] = [
            {"id": i, "from_id": relation.head, "to_id": relation.tail, "type": relation.label}
            for i, relation in enumerate(document.relations)
        ]
    else:
        value["label"] = [[entity.start, entity.end, entity.label] for entity in document.entities]
    meta = portable_meta(document)
    return value | ({META: meta} if meta else {})

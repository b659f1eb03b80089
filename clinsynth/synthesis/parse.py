"""A reply becomes documents: a tolerant reader with a strict result.

It takes the forms that our prompts ask for and what models make of them. It never looks a mention up in a
text to find its place: a place is where the tag was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from clinsynth.formats.rejects import Rejected
from clinsynth.llm.requests import Reply
from clinsynth.synthesis.items import Item, items, to_json
from clinsynth.synthesis.lenient_json import values
from clinsynth.synthesis.tagged import Tagged, read_tagged
from clinsynth_onnx.concept_fields import about_relations, names
from clinsynth_onnx.concepts import relations_between
from clinsynth_onnx.document import RELATIONS_NOT_STATED, Document, Entity, Relation
from clinsynth_onnx.schema import Schema

FAILED = "the request failed"
REFUSED = "the model refused"
NOTHING = "the answer is empty"
CUT_TEXT = "a text with relations is cut off"
NO_LABEL = "a pair has no known label"
NO_PAIR = "not exactly one pair is marked"
BROKEN = "a sentence of a text with relations is unusable"
BAD_RELATION = "a relation is malformed"
UNKNOWN_RELATION = "a relation has an unknown label"
NO_MENTION = "a relation names a mention that is not there"
UNFIT = "a relation joins types that it may not join"

BETWEEN = {"prose": " ", "lines": "\n"}  # what stands between the pieces of a text; one character


def parse_reply(reply: Reply, schema: Schema) -> list[Document | Rejected]:
    """What a reply holds, in its order; never raises.

    The id of a document is ``custom_id.i``, where i is its place in this list. In a task with
    relations, ``meta["relations"] == "not stated"`` marks a document of which nothing is known of
    relations: good for entities, and no example of a text without relations.
    """
    return [
        replace(outcome, source=reply.custom_id)
        if isinstance(outcome, Rejected)
        else replace(outcome, id=f"{reply.custom_id}.{i}")
        for i, outcome in enumerate(_outcomes(reply, schema))
    ]


def _outcomes(reply: Reply, schema: Schema) -> Iterator[Document | Rejected]:
    if reply.outcome == "failed":
        yield Rejected(FAILED, reply.text, detail=reply.reason)
        return
    if reply.outcome == "refused":
        yield Rejected(REFUSED, reply.text, detail=reply.reason)
        return
    empty = True
    for value in values(reply.text, schema.entity_labels, reply.outcome == "truncated"):
        for item in items(value):
            empty = False
            if isinstance(item, Rejected):
                yield item
            elif schema.relations and "label" in item.fields:
                yield _pair(item, schema)
            elif schema.relations and "relations" in item.fields:
                yield from _related(item, schema)
            else:
                yield from _entities(item, schema)
    if empty:
        yield Rejected(NOTHING, reply.text)


def _entities(item: Item, schema: Schema) -> Iterator[Document | Rejected]:
    """The usable sentences as one document, and each of the others."""
    read = [read_tagged(piece, schema.entity_labels) for piece in _written(item, schema)]
    usable = [piece for piece in read if isinstance(piece, Tagged)]
    yield from (piece for piece in read if isinstance(piece, Rejected))
    if usable:
        text, entities, _ = _joined(usable, schema)
        yield Document(text, entities, meta=RELATIONS_NOT_STATED if schema.relations else {})


def _pair(item: Item, schema: Schema) -> Document | Rejected:
    if not item.complete:
        return Rejected(CUT_TEXT, item.raw)
    read = read_tagged(" ".join(item.pieces), schema.entity_labels, masks=True)
    if isinstance(read, Rejected):
        return replace(read, raw=item.raw)
    document = Document(read.text, read.entities)
    pairs = list(schema.candidate_pairs(document))
    if len(read.entities) != 2 or len(pairs) != 1:
        return Rejected(NO_PAIR, item.raw)
    known, label = _pair_label(item.fields["label"], schema)
    if not known:
        return Rejected(NO_LABEL, item.raw, detail=str(item.fields["label"]))
    if label is None:
        return document
    relation = Relation(*pairs[0], label)
    if not _fits(relation, document.entities, schema):
        return Rejected(UNFIT, item.raw, detail=label)
    return replace(document, relations=(relation,))


def _pair_label(value: Any, schema: Schema) -> tuple[bool, str | None]:
    """Whether the label is known, and the relation that it stands for, if any."""
    said = str(value).strip().casefold()
    if said in {"0", "false", "none", schema.none_label.casefold()}:
        return True, None
    if said in {"1", "true"} and len(schema.relations) == 1:
        return True, schema.relation_labels[0]
    label = next((known for known in schema.relations if known.casefold() == said), None)
    return label is not None, label


def _related(item: Item, schema: Schema) -> Iterator[Document | Rejected]:
    """A document with relations, or one of which none are known because some could not be used."""
    if not item.complete:
        yield Rejected(CUT_TEXT, item.raw)
        return
    read = [read_tagged(piece, schema.entity_labels) for piece in _written(item, schema)]
    usable = [piece for piece in read if isinstance(piece, Tagged)]
    if len(usable) < len(read):
        detail = next(piece.reason for piece in read if isinstance(piece, Rejected))
        yield Rejected(BROKEN, item.raw, detail=detail)
        return
    text, entities, ids = _joined(usable, schema)
    numbers = [f"mention {i}" if number is None else number for i, number in enumerate(ids)]
    stated = item.fields["relations"]
    triples, problems = relations_stated(
        stated if isinstance(stated, list) else [stated], numbers, entities, schema
    )
    yield from (Rejected(reason, item.raw, detail=detail) for reason, detail in problems)
    if problems:
        yield Document(text, entities, meta=RELATIONS_NOT_STATED)
        return
    meta = {"concepts": list(ids)} if any(ids) else {}
    meta |= about_relations([(triple, None) for triple in triples])
    yield Document(text, entities, relations_between(entities, numbers, triples), meta=meta)


def relations_stated(
    stated: Sequence[Any], numbers: Sequence[str], entities: Sequence[Entity], schema: Schema
) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    """What an answer states of numbered entities.

    Returns:
        The usable relations as (label, number of the head, number of the tail), and (reason, what was
        stated) of each of the others.
    """
    triples: list[tuple[str, str, str]] = []
    problems: list[tuple[str, str]] = []
    for relation in stated:
        problem = _relation_problem(relation, numbers, entities, schema)
        if problem:
            problems.append((problem, to_json(relation)))
        else:
            triples.append((str(relation["label"]), str(relation["head"]), str(relation["tail"])))
    return list(dict.fromkeys(triples)), problems


def _relation_problem(
    stated: Any, numbers: Sequence[str], entities: Sequence[Entity], schema: Schema
) -> str | None:
    if not isinstance(stated, Mapping) or not {"label", "head", "tail"} <= stated.keys():
        return BAD_RELATION
    label, head, tail = (str(stated[key]) for key in ("label", "head", "tail"))
    if label not in schema.relations:
        return UNKNOWN_RELATION
    named = {name for number in numbers for name in names(number)}
    if head == tail or not {head, tail} <= named:
        return NO_MENTION
    made = relations_between(entities, numbers, [(label, head, tail)])
    return None if made and _fits(made[0], entities, schema) else UNFIT


def _fits(relation: Relation, entities: Sequence[Entity], schema: Schema) -> bool:
    head, tail = entities[relation.head].label, entities[relation.tail].label
    return schema.relations[relation.label].joins(head, tail)


def _written(item: Item, schema: Schema) -> list[str]:
    """The pieces of a text; in a text of lines, an empty one only sets others apart."""
    return [piece for piece in item.pieces if schema.layout == "prose" or piece.strip()]


def _joined(parts: Sequence[Tagged], schema: Schema) -> tuple[str, tuple[Entity, ...], list[str | None]]:
    """Title and sentences as one text, with a space between them, or lines with line breaks."""
    entities: list[Entity] = []
    start = 0
    for part in parts:
        entities += [Entity(e.start + start, e.end + start, e.label) for e in part.entities]
        start += len(part.text) + 1
    ids = [number for part in parts for number in part.ids]
    return BETWEEN[schema.layout].join(part.text for part in parts), tuple(entities), ids

"""What a request says, checked field by field. Nothing of a text ever gets into an error."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from pydantic_core import from_json

from clinsynth.serving.models import DocumentModel, EntityModel, RelationModel, RequestModel
from clinsynth_onnx.document import Document, Entity, Relation


class RequestError(Exception):
    """A request that gets an error for an answer.

    Args:
        status: The HTTP status.
        what: What is wrong and what to do about it.
        where: The place in the body, e.g. ``documents[0].entities[2].end``; empty for all of it.
    """

    def __init__(self, status: int, what: str, where: str = "") -> None:
        super().__init__(what)
        self.status = status
        self.what = what
        self.where = where


def parse(body: bytes, max_documents: int, labels: Collection[str] | None) -> list[Document]:
    """The documents of a body.

    Args:
        body: JSON, as ``RequestModel`` describes it.
        max_documents: Documents of a request at most; a request with more is refused.
        labels: What entities may be called; ``None`` where entities that come with a text are ignored.

    Raises ``RequestError``, with status 413 for too many documents and 422 for all else. It stops at the
    first one: the errors of a hostile body could take more memory than the body.
    """
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:  # pydantic's JSON parser names line and column, and echoes nothing
        raise RequestError(422, f"the body is not JSON in UTF-8: {error}") from None
    _known(value, RequestModel.model_fields, "")
    if ("text" in value) == ("documents" in value):
        raise RequestError(422, "the body needs either 'documents' or 'text'")
    if "text" in value:
        return [Document(_text(value["text"], "text"))]
    documents = _list(value, "documents", "")
    if len(documents) > max_documents:
        raise RequestError(
            413, f"more than {max_documents} documents. Remedy: send them in several requests", "documents"
        )
    return [_document(value, f"documents[{i}]", labels) for i, value in enumerate(documents)]


def _document(value: Any, where: str, labels: Collection[str] | None) -> Document:
    if isinstance(value, str):
        return Document(value)
    _known(value, DocumentModel.model_fields, where)
    if "text" not in value:
        raise RequestError(422, "a document needs a 'text'", where)
    text = _text(value["text"], f"{where}.text")
    meta = value.get("meta", {})
    if not isinstance(meta, dict):
        raise RequestError(422, "it must be an object", f"{where}.meta")
    try:
        json.dumps(meta, allow_nan=False)  # the parser makes infinity of 1e999, which JSON cannot say
    except ValueError:
        raise RequestError(422, "it has a number that is too large", f"{where}.meta") from None
    entities = [
        _entity(entity, f"{where}.entities[{i}]", text, labels)
        for i, entity in enumerate(_list(value, "entities", where))
    ]
    relations = [
        _relation(relation, f"{where}.relations[{i}]", len(entities))
        for i, relation in enumerate(_list(value, "relations", where))
    ]
    name = _text(value.get("id", ""), f"{where}.id")
    return Document(text, tuple(entities), tuple(relations), name, meta)


def _entity(value: Any, where: str, text: str, labels: Collection[str] | None) -> Entity:
    _known(value, EntityModel.model_fields, where)
    start, end = _integer(value, "start", where), _integer(value, "end", where)
    if end <= start:
        raise RequestError(422, f"its end {end} is not after its start {start}", where)
    if end > len(text):
        raise RequestError(422, f"its end {end} is after the text, which has {len(text)} characters", where)
    mention = value.get("text")
    if mention is not None and _text(mention, f"{where}.text") != text[start:end]:
        raise RequestError(
            422,
            "the document has another text there. Remedy: count characters (code points)",
            f"{where}.text",
        )
    label = _label(value, where)
    if labels is not None and label not in labels:
        raise RequestError(422, f"the task knows {', '.join(labels)} only", f"{where}.label")
    return Entity(start, end, label, _score(value, where))


def _relation(value: Any, where: str, entities: int) -> Relation:
    _known(value, RelationModel.model_fields, where)
    head, tail = _integer(value, "head", where), _integer(value, "tail", where)
    if max(head, tail) >= entities or head == tail:
        raise RequestError(422, f"head and tail must be two of the document's {entities} entities", where)
    return Relation(head, tail, _label(value, where), _score(value, where))


def _known(value: Any, fields: Collection[str], where: str) -> None:
    if not isinstance(value, dict):
        raise RequestError(422, f"it must be an object with {', '.join(fields)}", where)
    if not value.keys() <= set(fields):
        raise RequestError(422, f"it has an unknown field. Remedy: use {', '.join(fields)} only", where)


def _list(value: Mapping[str, Any], name: str, where: str) -> list[Any]:
    items = value.get(name, [])
    if not isinstance(items, list):
        raise RequestError(422, "it must be a list", f"{where}.{name}".lstrip("."))
    return items


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise RequestError(422, "it must be a string", where)
    return value


def _label(value: Mapping[str, Any], where: str) -> str:
    label = _text(value.get("label"), f"{where}.label")
    if not label:
        raise RequestError(422, "it is empty", f"{where}.label")
    return label


def _integer(value: Mapping[str, Any], name: str, where: str) -> int:
    number = value.get(name)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 53:
        raise RequestError(422, "it must be a whole number, 0 or more", f"{where}.{name}")
    return number


def _score(value: Mapping[str, Any], where: str) -> float:
    score = value.get("score", 1.0)

    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise RequestError(422, "it must be a number from 0 to 1", f"{where}.score")
    return float(score)

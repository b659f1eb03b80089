"""The form in which a language model answers: its JSON schema, how a prompt shows it, and ideal answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from clinsynth.synthesis.numbering import concept_numbers, numbered_relations
from clinsynth.synthesis.tagged import render
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

Unit = Literal["sentence", "document", "pair"]
ResponseFormat = Literal["json_schema", "json_object", "none"]
MaxTokensField = Literal["max_tokens", "max_completion_tokens"]


def answer_schema(schema: Schema, unit: Unit, relations: bool = False) -> dict[str, Any]:
    """The JSON schema of the answer, in the subset that strict structured outputs take."""
    text = {"type": "string"}
    if unit == "sentence":
        return _object(sentences=_list(text))
    if unit == "pair":
        return _object(examples=_list(_object(text=text, label={"type": "string", "enum": classes(schema)})))
    if not relations:
        return _object(documents=_list(_list(text)))
    return _object(documents=_list(_object(text=_list(text), **relation_answer(schema)["properties"])))


def relation_answer(schema: Schema) -> dict[str, Any]:
    """The JSON schema of an answer that states relations between numbered mentions."""
    label = {"type": "string", "enum": list(schema.relations)}
    return _object(relations=_list(_object(label=label, head={"type": "string"}, tail={"type": "string"})))


def judgement_answer(sides: Sequence[str], rules: Sequence[str]) -> dict[str, Any]:
    """The JSON schema of an answer that judges numbered disagreements."""
    right, rule = ({"type": "string", "enum": list(values)} for values in (sides, rules))
    return _object(judgements=_list(_object(disagreement={"type": "string"}, right=right, rule=rule)))


def answer(
    documents: Sequence[Document], schema: Schema, unit: Unit, relations: bool = False
) -> dict[str, Any]:
    """The JSON object that an ideal reply with these documents would be; ``parse_reply`` reads it back.

    Raises ``ValueError`` if a document cannot be shown so.
    """
    if unit == "sentence":
        return {"sentences": [render(document, schema, ids=False) for document in documents]}
    if unit == "pair":
        return {"examples": [_pair(document, schema) for document in documents]}
    if not relations:
        return {
            "documents": [
                _pieces(document, schema, render(document, schema, ids=False)) for document in documents
            ]
        }
    return {"documents": [_with_relations(document, schema) for document in documents]}


def response_format(kind: ResponseFormat, schema: dict[str, Any]) -> dict[str, Any]:
    """The part of a request's body that asks for JSON."""
    if kind == "none":
        return {}
    if kind == "json_object":
        return {"response_format": {"type": "json_object"}}
    form = {"name": "answer", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": form}}


def form_shown(schema: Schema, unit: Unit, relations: bool) -> str:
    """The form of an answer as a prompt shows it."""
    label = schema.entity_labels[0]
    if unit == "sentence":
        return f'{{"sentences": ["... <{label}>...</{label}> ...", ...]}}'
    if unit == "pair":
        names = " or ".join(classes(schema))
        return f'{{"examples": [{{"text": "... <{label}>...</{label}> ...", "label": "{names}"}}, ...]}}'
    lines = schema.layout == "lines"
    first, further = ("first line", "line") if lines else ("title", "sentence")
    if not relations:
        return f'{{"documents": [["{first}", "{further} with <{label}>...</{label}>", ...], ...]}}'
    relation = next(iter(schema.relations))
    return (
        f'{{"documents": [{{"text": ["{first}", "{further} with <{label} id=\\"1\\">...</{label}>", ...], '
        f'"relations": [{{"label": "{relation}", "head": "1", "tail": "2"}}, ...]}}, ...]}}'
    )


def classes(schema: Schema) -> list[str]:
    """What a pair can be called."""
    return [*schema.relations, schema.none_label]


def _pair(document: Document, schema: Schema) -> dict[str, Any]:
    found = list(schema.candidate_pairs(document))
    if len(document.entities) != 2 or len(found) != 1 or len(document.relations) > 1:
        raise ValueError(
            f"document {document.id!r} is no judged pair. Remedy: give it one head and one tail mention only"
        )
    label = document.relations[0].label if document.relations else classes(schema)[-1]
    return {"text": render(document, schema, ids=False), "label": label}


def _with_relations(document: Document, schema: Schema) -> dict[str, Any]:
    numbers = concept_numbers(document)
    stated = [
        {"label": label, "head": head, "tail": tail} for label, head, tail in numbered_relations(document)
    ]
    return {"text": _pieces(document, schema, render(document, schema, ids=numbers)), "relations": stated}


def _pieces(document: Document, schema: Schema, rendered: str) -> list[str]:
    """The lines of a text in lines, unless a mention goes over a line break; other texts are one piece."""
    broken = any("\n" in document.mention(entity) for entity in document.entities)
    if schema.layout == "prose" or broken:
        return [rendered]
    return [line for line in rendered.split("\n") if line.strip()]


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }

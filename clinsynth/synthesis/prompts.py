"""What a language model is told: the task in words, and the form of the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from clinsynth.synthesis.numbering import concept_numbers, stated_relations
from clinsynth.synthesis.tagged import render
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

Unit = Literal["sentence", "document", "pair"]
ResponseFormat = Literal["json_schema", "json_object", "none"]
MaxTokensField = Literal["max_tokens", "max_completion_tokens"]

VERSION = 1  # of the wording; raised whenever a prompt changes, and kept in every corpus card

INTRODUCTIONS: dict[Unit, str] = {
    "sentence": "Invent {count} single sentences, each of its own text, in the style of {genre}.",
    "document": (
        "Invent {count} whole, in the style of {genre}: a title if the genre has titles, then 6 to 10 "
        "sentences that belong together."
    ),
    "pair": (
        "Invent {count} single sentences, each of its own text, in the style of {genre}. In each, mark the "
        "two mentions that are judged and say whether the relation holds between them."
    ),
}
ORIGINAL = (
    "Never reproduce a text that exists, nor parts of one: invent the facts, the numbers and the wording. "
    "Never name a real person."
)
TAGGING = """\
Rules of the tags:
- Tag every mention, each time it occurs. Tags are never nested and never overlap.
- Between the tags is the mention as it stands in the sentence. Outside of tags no other markup is used.
- Write "&lt;" for "<" in the text, as in p &lt; 0.05."""
HARD = """\
Make it hard and true to life:
- Of the sentences about one in five has nothing to tag.
- Use words that look like a mention and are none by the rules above, untagged.
- Introduce abbreviations, tag them, and tag them again where they come back; use lists, coordinations and \
modifiers at the border of a mention.
- Vary length, wording and place of the mentions. Use rare and specific names beside common ones."""
HARD_PAIRS = """\
Make it hard and true to life:
- In half of the sentences the relation holds, in half it does not.
- Where it does not hold, use the same vocabulary: the finding concerns another entity, or the sentence \
tells of an aim, a method or background.
- Vary length, wording, and the order and distance of the two mentions."""


def default_unit(schema: Schema) -> Unit:
    """``pair`` for relations between entities that have no guidelines of their own, else ``document``."""
    described = any(entity.guidelines for entity in schema.entities.values())
    return "pair" if schema.relations and not described and not same_type(schema) else "document"


def same_type(schema: Schema) -> str | None:
    """A relation whose head and tail can be of one type, so that two marks do not say which is which."""
    return next(
        (
            label
            for label, relation in schema.relations.items()
            if any(relation.joins(same, same) for same in relation.head)
        ),
        None,
    )


def system_prompt(
    schema: Schema, unit: Unit, count: int, relations: bool = False, examples: Sequence[Document] = ()
) -> str:
    """All that stays the same over a plan: task, rules and form of the answer.

    Args:
        schema: The task.
        unit: What to write.
        count: How many of it.
        relations: Whether documents state the relations of their entities.
        examples: Texts that the user wrote, shown as an answer would show them.
    """
    noun = "text" if unit == "document" else "sentence"
    genre = schema.genre or "the texts of its field"
    parts = [
        "You write training data for a text-mining model. "
        + INTRODUCTIONS[unit].format(count=f"{count} {noun}s" if count > 1 else f"one {noun}", genre=genre)
        + f" {ORIGINAL}",
        _entity_rules(schema, unit),
    ]
    if relations or unit == "pair":
        parts.append(_relation_rules(schema, unit))
    parts += [
        HARD_PAIRS if unit == "pair" else HARD,
        f"Answer with one JSON object and nothing else:\n{_form(schema, unit, relations)}",
    ]
    if examples:
        shown = json.dumps(answer(examples, schema, unit, relations), ensure_ascii=False)
        parts.append(f"Examples of the form and of the rules; do not repeat their content:\n{shown}")
    return "\n\n".join(parts)


def user_prompt(topic: str, emphasis: str, seeds: Mapping[str, Sequence[str]] | None = None) -> str:
    """What one request is about; ``seeds`` are names by label that it should use."""
    lines = [f"Subject: {topic}." if topic else "Choose a subject within the genre."]
    if emphasis:
        lines.append(f"Put weight on: {emphasis}.")
    lines += [
        f"Use of these names ({label}), in fitting form, those that fit: {'; '.join(names)}."
        for label, names in (seeds or {}).items()
        if names
    ]
    return "\n".join(lines)


def answer_schema(schema: Schema, unit: Unit, relations: bool = False) -> dict[str, Any]:
    """The JSON schema of the answer, in the subset that strict structured outputs take."""
    text = {"type": "string"}
    if unit == "sentence":
        return _object(sentences=_list(text))
    if unit == "pair":
        return _object(examples=_list(_object(text=text, label={"type": "string", "enum": _classes(schema)})))
    if not relations:
        return _object(documents=_list(_list(text)))
    return _object(documents=_list(_object(text=_list(text), **relation_answer(schema)["properties"])))


def relation_answer(schema: Schema) -> dict[str, Any]:
    """The JSON schema of an answer that states relations between numbered mentions."""
    label = {"type": "string", "enum": list(schema.relations)}
    return _object(relations=_list(_object(label=label, head={"type": "string"}, tail={"type": "string"})))


def answer(
    documents: Sequence[Document], schema: Schema, unit: Unit, relations: bool = False
) -> dict[str, Any]:
    """The JSON object that an ideal reply with these documents would be; ``parse_reply`` reads it back.

    Raises ``ValueError`` if a document cannot be shown so.
    """
    if unit == "sentence":
        return {"sentences": [render(one, schema, ids=False) for one in documents]}
    if unit == "pair":
        return {"examples": [_pair(one, schema) for one in documents]}
    if not relations:
        return {"documents": [[render(one, schema, ids=False)] for one in documents]}
    return {"documents": [_with_relations(one, schema) for one in documents]}


def response_format(kind: ResponseFormat, schema: dict[str, Any]) -> dict[str, Any]:
    """The part of a request's body that asks for JSON."""
    if kind == "none":
        return {}
    if kind == "json_object":
        return {"response_format": {"type": "json_object"}}
    form = {"name": "answer", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": form}}


def entity_rules(schema: Schema) -> str:
    """Definition, rules and examples of every entity type."""
    lines = []
    for label, entity in schema.entities.items():
        lines.append(f"<{label}>...</{label}>: {' '.join(entity.definition.split()) or label}")
        if entity.guidelines:
            lines.append(entity.guidelines.strip())
        if entity.examples:
            lines.append(f"For example: {'; '.join(entity.examples)}.")
    return "\n".join(lines)


def relation_rules(schema: Schema) -> str:
    """Definition and rules of every relation type."""
    lines = []
    for label, relation in schema.relations.items():
        sides = f"from {' or '.join(relation.head)} to {' or '.join(relation.tail)}"
        lines.append(f"{label} ({sides}): {' '.join(relation.definition.split())}".rstrip(": "))
        if relation.guidelines:
            lines.append(relation.guidelines.strip())
    return "\n".join(lines)


def _entity_rules(schema: Schema, unit: Unit) -> str:
    if unit == "pair":
        return f"Mark the two mentions that are judged inline, and no others:\n{entity_rules(schema)}"
    return f"Tag the mentions inline, by these rules:\n{entity_rules(schema)}\n\n{TAGGING}"


def _relation_rules(schema: Schema, unit: Unit) -> str:
    if unit == "pair":
        return (
            f"The label of a sentence is the relation between the two:\n{relation_rules(schema)}\n"
            f"{schema.none_label}: none of these is stated of the two."
        )
    return (
        "Give every tag the number of what it mentions, the same number for the same thing: "
        f'<{schema.entity_labels[0]} id="1">. State which relations the text claims, each once, by these '
        f"numbers:\n{relation_rules(schema)}"
    )


def _form(schema: Schema, unit: Unit, relations: bool) -> str:
    label = schema.entity_labels[0]
    if unit == "sentence":
        return f'{{"sentences": ["... <{label}>...</{label}> ...", ...]}}'
    if unit == "pair":
        classes = " or ".join(_classes(schema))
        return f'{{"examples": [{{"text": "... <{label}>...</{label}> ...", "label": "{classes}"}}, ...]}}'
    if not relations:
        return f'{{"documents": [["title", "sentence with <{label}>...</{label}>", ...], ...]}}'
    relation = next(iter(schema.relations))
    return (
        f'{{"documents": [{{"text": ["title", "sentence with <{label} id=\\"1\\">...</{label}>", ...], '
        f'"relations": [{{"label": "{relation}", "head": "1", "tail": "2"}}, ...]}}, ...]}}'
    )


def _classes(schema: Schema) -> list[str]:
    return [*schema.relations, schema.none_label]


def _pair(document: Document, schema: Schema) -> dict[str, Any]:
    found = list(schema.candidate_pairs(document))
    if len(document.entities) != 2 or len(found) != 1 or len(document.relations) > 1:
        raise ValueError(
            f"document {document.id!r} is no judged pair. Remedy: give it one head and one tail mention only"
        )
    label = document.relations[0].label if document.relations else _classes(schema)[-1]
    return {"text": render(document, schema, ids=False), "label": label}


def _with_relations(document: Document, schema: Schema) -> dict[str, Any]:
    numbers = concept_numbers(document)
    stated = [
        {"label": label, "head": head, "tail": tail}
        for label, head, tail in stated_relations(document, numbers)
    ]
    return {"text": [render(document, schema, ids=numbers)], "relations": stated}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }

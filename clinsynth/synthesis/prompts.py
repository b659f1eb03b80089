"""What a language model is told: the task in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clinsynth.synthesis.answer_form import Unit, answer, form_shown
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

# The rules of tags, of entities and of relations also stand in the prompts of the zero-shot baseline, whose
# recorded replies are found by the whole prompt: they stay as they are.
TAGGING = """\
Rules of the tags:
- Tag every mention, each time it occurs. Tags are never nested and never overlap.
- Between the tags is the mention as it stands in the sentence. Outside of tags no other markup is used.
- Write "&lt;" for "<" in the text, as in p &lt; 0.05."""
ORIGINAL = (
    "Never reproduce a text that exists, nor parts of one: invent the facts, the numbers and the wording. "
    "Never name a real person."
)
HARD = """\
- Use words that look like mentions but are none by the rules above, and leave them untagged.
- Introduce abbreviations, tag them, and tag them again where they come back. Use lists, coordinations, and \
modifiers at the borders of mentions.
- Vary the length, the wording and the places of the mentions. Use rare and specific names beside common \
ones."""
HARD_PAIRS = """\
- In half of the sentences the relation holds; in the other half it does not.
- Where it does not hold, use the same vocabulary: the finding concerns another entity, or the sentence \
tells of an aim, a method or background.
- Vary the length, the wording, and the order and distance of the two mentions."""
HEADINGS = {1: "Make it hard and true to life:", 2: "Make the texts hard, and true to life:"}
VERSION = max(HEADINGS)  # of the wording, each version of which has a heading of its own; told on cards


@dataclass(frozen=True)
class Amounts:
    """How much to write.

    Args:
        texts: Number of texts in an answer.
        shortest: Sentences of a document at least, or lines.
        longest: Sentences of a document at most, or lines.
        untagged: Share of sentences that have nothing to tag, from 0 to 1.
    """

    texts: int
    shortest: int = 6
    longest: int = 10
    untagged: float = 0.2


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
    schema: Schema,
    unit: Unit,
    amounts: Amounts,
    relations: bool = False,
    examples: Sequence[Document] = (),
) -> str:
    """All that stays the same over a plan: task, rules and form of the answer.

    Args:
        schema: The task.
        unit: What to write.
        amounts: How much of it.
        relations: Whether documents state the relations of their entities.
        examples: Texts that the user wrote, shown as an answer would show them.
    """
    parts = [
        f"You write training data for a text-mining model. {_order(schema, unit, amounts)} {ORIGINAL}",
        _entity_rules(schema, unit),
    ]
    if relations or unit == "pair":
        parts.append(_relation_rules(schema, unit))
    parts += [
        f"{HEADINGS[VERSION]}\n{HARD_PAIRS if unit == 'pair' else _density(schema, amounts) + HARD}",
        f"Answer with one JSON object and nothing else:\n{form_shown(schema, unit, relations)}",
    ]
    if examples:
        shown = json.dumps(answer(examples, schema, unit, relations), ensure_ascii=False)
        parts.append(f"Examples of the form and of the rules; do not repeat their content:\n{shown}")
    return "\n\n".join(parts)


def version_of(system: str) -> int | None:
    """The version of the wording of a system prompt, or ``None`` if it is none of ours."""
    return next((version for version, heading in HEADINGS.items() if heading in system), None)


def user_prompt(topic: str, emphasis: str, seeds: Mapping[str, Sequence[str]] | None = None) -> str:
    """What one request is about; ``seeds`` are names by label that it may use."""
    lines = [f"Subject: {topic}." if topic else "Choose a subject within the genre."]
    if emphasis:
        lines.append(f"Put weight on: {emphasis}.")
    lines += [
        f"Names of the type {label} that you may use where they belong to the subject, in whatever form "
        f"fits: {'; '.join(names)}."
        for label, names in (seeds or {}).items()
        if names
    ]
    return "\n".join(lines)


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
        sides += ", no matter which is first" if relation.symmetric else ""
        lines.append(f"{label} ({sides}): {' '.join(relation.definition.split())}".rstrip(": "))
        if relation.guidelines:
            lines.append(relation.guidelines.strip())
    return "\n".join(lines)


def _order(schema: Schema, unit: Unit, amounts: Amounts) -> str:
    """What to invent."""
    style = f"in the style of {schema.genre or 'the texts of its field'}"
    alone = amounts.texts == 1
    if unit == "document":
        each = "It" if alone else "Each"
        length = _range(amounts.shortest, amounts.longest)
        shape = (
            f"{each} is written in {length} lines, as such texts are: headings, items of lists, fragments "
            "and sentences, each on a line of its own."
            if schema.layout == "lines"
            else f"{each} has a title, if the genre has titles, and {length} sentences that belong together."
        )
        return f"Invent {'one text' if alone else f'{amounts.texts} texts'} {style}. {shape}"
    sentences = "one sentence" if alone else f"{amounts.texts} sentences, each of them a text of its own,"
    if unit == "sentence":
        return f"Invent {sentences} {style}."
    return (
        f"Invent {sentences} {style}. {'In it' if alone else 'In each'}, mark the two mentions that are "
        "judged, and say whether the relation holds between them."
    )


def _range(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def _density(schema: Schema, amounts: Amounts) -> str:
    if not amounts.untagged:
        return ""
    pieces = "lines" if schema.layout == "lines" else "sentences"
    return f"- About {amounts.untagged:.0%} of the {pieces} have nothing to tag.\n"


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

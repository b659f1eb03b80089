"""Names that a language model proposes for a task, to be worked into what it writes later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from clinsynth.formats.rejects import Rejected
from clinsynth.llm.requests import Reply, Request
from clinsynth.synthesis import answer_form, prompts
from clinsynth.synthesis.lenient_json import Partial, values
from clinsynth.synthesis.parse import FAILED, REFUSED
from clinsynth.synthesis.plan import PlanSettings, body
from clinsynth.synthesis.seed_names import ANY, Names
from clinsynth_onnx.schema import Schema

NO_NAMES = "the answer has no names of a known type"

SYSTEM = """\
You know the field of these texts well: {genre}. For a subject, list {count} names of each of these types, \
as such texts would write them; common and rare ones, full names and abbreviations, each once:
{rules}

Answer with one JSON object and nothing else:
{form}"""


def topics_of(schema: Schema) -> list[str]:
    """The subjects that are asked about."""
    return schema.topics or [ANY]


def seed_requests(schema: Schema, settings: PlanSettings, count: int) -> list[Request]:
    """One request a topic for ``count`` names of each entity type."""
    lists = {label: {"type": "array", "items": {"type": "string"}} for label in schema.entities}
    answer = {
        "type": "object",
        "properties": lists,
        "required": list(lists),
        "additionalProperties": False,
    }
    form = answer_form.response_format(settings.response_format, answer)
    system = SYSTEM.format(
        genre=schema.genre or "not known",
        count=count,
        rules=prompts.entity_rules(schema),
        form=json.dumps({label: ["name", "..."] for label in schema.entities}),
    )
    requests = []
    for i, topic in enumerate(topics_of(schema)):
        messages = [
            {"role": "system", "content": system},
            {"role": "user", "content": prompts.user_prompt(topic, "")},
        ]
        requests.append(Request(f"{schema.name}-seeds-{i:05d}", body(settings, messages, form, i)))
    return requests


def names(
    topics: Sequence[str], replies: Iterable[Reply | None], schema: Schema
) -> tuple[dict[str, Names], list[Rejected]]:
    """Names by subject and label, each once in a subject whatever its case, and what could not be read.

    Args:
        topics: The subject of each request.
        replies: The reply to each request, if there is one.
        schema: The task.
    """
    found: dict[str, Names] = {}
    rejects: list[Rejected] = []
    for topic, reply in zip(topics, replies, strict=True):
        if reply is None:
            continue
        if reply.outcome in ("failed", "refused"):
            reason = FAILED if reply.outcome == "failed" else REFUSED
            rejects.append(Rejected(reason, reply.text, reply.custom_id, reply.reason))
            continue
        by_label: dict[str, dict[str, str]] = {label: {} for label in schema.entities}
        for value in values(reply.text, (), reply.outcome == "truncated"):
            fields = value.value if isinstance(value, Partial) else value
            if isinstance(fields, Rejected):
                rejects.append(replace(fields, source=reply.custom_id))
            elif not isinstance(fields, Mapping) or not fields.keys() & by_label.keys():
                rejects.append(Rejected(NO_NAMES, reply.text, reply.custom_id))
            else:
                for label in by_label.keys() & fields.keys():
                    for name in _strings(fields[label]):
                        by_label[label].setdefault(name.casefold(), name)
        if any(by_label.values()):
            found[topic] = {label: list(known.values()) for label, known in by_label.items()}
    return found, rejects


def _strings(value: Any) -> list[str]:
    items = value.value if isinstance(value, Partial) else value
    return (
        [item.strip() for item in items if isinstance(item, str) and item.strip()]
        if isinstance(items, list)
        else []
    )

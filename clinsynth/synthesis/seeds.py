"""Names that a language model proposes for a task, to be worked into what it writes later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clinsynth.formats.rejects import Rejected
from clinsynth.llm.requests import Reply, Request
from clinsynth.synthesis import prompts
from clinsynth.synthesis.lenient_json import Partial, values
from clinsynth.synthesis.parse import FAILED, REFUSED
from clinsynth.synthesis.plan import PlanSettings, body
from clinsynth_onnx.schema import Schema

NO_NAMES = "the answer has no names of a known type"

SYSTEM = """\
You know the field of these texts well: {genre}. For a subject, list {count} names of each of these types, \
as such texts would write them; common and rare ones, full names and abbreviations, each once:
{rules}

Answer with one JSON object and nothing else:
{form}"""


def seed_requests(schema: Schema, settings: PlanSettings, count: int) -> list[Request]:
    """One request a topic for ``count`` names of each entity type."""
    lists = {label: {"type": "array", "items": {"type": "string"}} for label in schema.entities}
    answer = {
        "type": "object",
        "properties": lists,
        "required": list(lists),
        "additionalProperties": False,
    }
    form = prompts.response_format(settings.response_format, answer)
    system = SYSTEM.format(
        genre=schema.genre or "not known",
        count=count,
        rules=prompts.entity_rules(schema),
        form=json.dumps({label: ["name", "..."] for label in schema.entities}),
    )
    requests = []
    for i, topic in enumerate(schema.topics or [""]):
        messages = [
            {"role": "system", "content": system},
            {"role": "user", "content": prompts.user_prompt(topic, "")},
        ]
        requests.append(Request(f"{schema.name}-seeds-{i:05d}", body(settings, messages, form, i)))
    return requests


def names(replies: Iterable[Reply], schema: Schema) -> tuple[dict[str, list[str]], list[Rejected]]:
    """Names by label, each once whatever its case, and what could not be read."""
    found: dict[str, dict[str, str]] = {label: {} for label in schema.entities}
    rejects: list[Rejected] = []
    for reply in replies:
        if reply.outcome in ("failed", "refused"):
            reason = FAILED if reply.outcome == "failed" else REFUSED
            rejects.append(Rejected(reason, reply.text, reply.custom_id, reply.reason))
            continue
        for value in values(reply.text, (), reply.outcome == "truncated"):
            fields = value.value if isinstance(value, Partial) else value
            if isinstance(fields, Rejected):
                rejects.append(replace(fields, source=reply.custom_id))
            elif not isinstance(fields, Mapping) or not fields.keys() & found.keys():
                rejects.append(Rejected(NO_NAMES, reply.text, reply.custom_id))
            else:
                for label in found.keys() & fields.keys():
                    for name in _strings(fields[label]):
                        found[label].setdefault(name.casefold(), name)
    return {label: list(own.values()) for label, own in found.items()}, rejects


def write_seeds(path: Path, seeds: Mapping[str, Sequence[str]]) -> None:
    """The file that ``PlanSettings.seeds`` names."""
    path.write_text(json.dumps(seeds, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _strings(value: Any) -> list[str]:
    items = value.value if isinstance(value, Partial) else value
    return (
        [one.strip() for one in items if isinstance(one, str) and one.strip()]
        if isinstance(items, list)
        else []
    )

"""The model as critic: which rule of the task decides what two annotations of a text disagree about."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from clinsynth.curation.flaws import Flaw
from clinsynth.llm.requests import Reply, Request
from clinsynth.synthesis.annotation import Annotation, AnnotationSettings, asking_request
from clinsynth.synthesis.answer_form import judgement_answer
from clinsynth.synthesis.lenient_json import Partial, values
from clinsynth.synthesis.plan import PlanSettings
from clinsynth.synthesis.second_pass import DISAGREES, asking_as, compared
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import Schema

Side = Literal["first", "second", "neither"]
SIDES: tuple[Side, ...] = ("first", "second", "neither")
NO_RULE = "no rule"
NOT_JUDGED = "not judged"
SHOWN = 60  # characters of a rule on a card

CRITIC = """\
Two annotators marked the mentions in a text for a text-mining task, by the numbered rules below, and \
disagree about some. Say for each disagreement which of them is right, or neither, and the number of the one \
rule that decides it, or "{none}" where none does. The genre is {genre}.
{rules}

Answer with one JSON object and nothing else, with one judgement for each disagreement:
{{"judgements": [{{"disagreement": "1", "right": "first", "rule": "{example}"}}, ...]}}"""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What overlaps in two annotations of a text that differ there.

    Attributes:
        first: Mentions that only the first annotation has.
        second: Mentions that only the second has.
    """

    first: tuple[Entity, ...]
    second: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Who is right in a disagreement, and the number of the rule that says so."""

    right: Side
    rule: str


def rules(schema: Schema) -> dict[str, str]:
    """The rules of each entity type, numbered: the definition is 0, each item of the guidelines one more."""
    found: dict[str, str] = {}
    for label, entity in schema.entities.items():
        items = re.split(r"^\s*[-*]\s+", entity.guidelines.strip(), flags=re.MULTILINE)
        texts = [entity.definition, *items]
        told = [" ".join(text.split()) for text in texts if text.strip()]
        found |= {
            f"{label} {number}": text for number, text in enumerate(told, 0 if entity.definition else 1)
        }
    return found


def disagreements(first: Document, second: Document) -> list[Disagreement]:
    """The mentions that only one of two annotations of a text has, those that overlap together."""
    only = [(entity, 0) for entity in set(first.entities) - set(second.entities)]
    only += [(entity, 1) for entity in set(second.entities) - set(first.entities)]
    groups: list[list[tuple[Entity, int]]] = []
    end = -1
    for entity, side in sorted(only, key=lambda found: (found[0].start, found[0].end, found[1])):
        if entity.start >= end:
            groups.append([])
        groups[-1].append((entity, side))
        end = max(end, entity.end)
    return [Disagreement(*(tuple(e for e, s in group if s == side) for side in (0, 1))) for group in groups]


@dataclass(frozen=True, slots=True)
class Contested:
    """A document about whose mentions its two annotations disagree."""

    index: int
    document: Document
    disagreements: Sequence[Disagreement]


def contested(
    documents: Sequence[Document], annotations: Sequence[Annotation], schema: Schema
) -> list[Contested]:
    """The documents whose mentions the second pass has otherwise.

    Args:
        documents: Documents as they were written.
        annotations: Their second annotations, as ``read_again`` has them.
        schema: The task.
    """
    found = []
    for index, (document, second) in enumerate(zip(documents, annotations, strict=True)):
        if differ := disagreements(compared(document, second, schema), second.document):
            found.append(Contested(index, document, differ))
    return found


def questions(found: Sequence[Contested], schema: Schema, settings: PlanSettings) -> list[Request]:
    """Requests for a judgement of each contested document, of the model that wrote it."""
    asking = asking_as(settings)
    return [
        critic_request(f"{one.document.id}.critic", one.document, one.disagreements, schema, asking)
        for one in found
    ]


def critic_request(
    custom_id: str,
    document: Document,
    found: Sequence[Disagreement],
    schema: Schema,
    settings: AnnotationSettings,
) -> Request:
    """Asks which rule decides each disagreement about a text that the model wrote."""
    numbered = rules(schema)
    system = CRITIC.format(
        genre=schema.genre or "not known",
        rules="\n".join(f"{number}: {text}" for number, text in numbered.items()),
        none=NO_RULE,
        example=next(iter(numbered), NO_RULE),
    )
    user = {
        "text": document.text,
        "disagreements": [
            {"disagreement": str(i), "first": _shown(document, d.first), "second": _shown(document, d.second)}
            for i, d in enumerate(found, 1)
        ],
    }
    form = judgement_answer(SIDES, [*numbered, NO_RULE])
    return asking_request(custom_id, system, json.dumps(user, ensure_ascii=False), form, settings)


def judgements(reply: Reply | None, count: int, schema: Schema) -> list[Judgement | None]:
    """What the reply says of each of ``count`` disagreements; ``None`` where it says nothing that counts."""
    found: list[Judgement | None] = [None] * count
    if reply is None or reply.outcome in ("failed", "refused"):
        return found
    known = {*rules(schema), NO_RULE}
    for value in values(reply.text, schema.entity_labels, reply.outcome == "truncated"):
        fields = _whole(value)
        stated = _whole(fields.get("judgements")) if isinstance(fields, dict) else fields
        for one in stated if isinstance(stated, list) else ():
            if not isinstance(one, dict):
                continue
            number, right, rule = (str(one.get(k, "")).strip() for k in ("disagreement", "right", "rule"))
            if number.isdecimal() and 1 <= int(number) <= count and right in SIDES and rule in known:
                found[int(number) - 1] = Judgement(right, rule)
    return found


def with_rules(
    flaws: Sequence[Flaw], found: Sequence[Contested], replies: Sequence[Reply | None], schema: Schema
) -> tuple[list[Flaw], dict[str, dict[str, int]]]:
    """The flaws, each with the rule that decides it in its detail, and how often each rule decided for whom.

    Args:
        flaws: What the second pass does not confirm.
        found: The contested documents.
        replies: Replies to their ``questions``, one for each.
        schema: The task.
    """
    judged: list[Judgement | None] = []
    spans: dict[tuple[int, int, int], Judgement] = {}
    for one, reply in zip(found, replies, strict=True):
        said = judgements(reply, len(one.disagreements), schema)
        judged += said
        spans |= {
            (one.index, entity.start, entity.end): judgement
            for disagreement, judgement in zip(one.disagreements, said, strict=True)
            for entity in (*disagreement.first, *disagreement.second)
            if judgement is not None
        }
    told = [
        replace(flaw, detail=f"{flaw.detail}; by {judgement.rule} {_are_right(judgement.right)}")
        if flaw.reason == DISAGREES and (judgement := spans.get((flaw.document, flaw.start, flaw.end)))
        else flaw
        for flaw in flaws
    ]
    return told, _by_rule(judged, schema)


def _by_rule(judged: Sequence[Judgement | None], schema: Schema) -> dict[str, dict[str, int]]:
    """The most frequent rule first; no text but that of the task."""
    numbered = rules(schema)
    counts: dict[str, Counter[str]] = {}
    for judgement in judged:
        rule = judgement.rule if judgement else NOT_JUDGED
        counts.setdefault(rule, Counter())[f"{judgement.right} right" if judgement else "disagreements"] += 1
    order = sorted(counts, key=lambda rule: (-counts[rule].total(), rule))
    return {_titled(rule, numbered): dict(sorted(counts[rule].items())) for rule in order}


def _titled(rule: str, numbered: Mapping[str, str]) -> str:
    text = numbered.get(rule, "")
    short = text if len(text) <= SHOWN else text[:SHOWN].rsplit(" ", 1)[0] + " ..."
    return f"{rule} ({short})" if short else rule


def _are_right(side: Side) -> str:
    return "neither pass is right" if side == "neither" else f"the {side} pass is right"


def _shown(document: Document, entities: Sequence[Entity]) -> list[str] | str:
    """Each mention with the words around it, so that one that occurs twice is told apart."""
    if not entities:
        return "nothing marked here"
    return [
        f"{document.text[max(0, e.start - 40) : e.start]}<{e.label}>{document.mention(e)}</{e.label}>"
        f"{document.text[e.end : e.end + 40]}"
        for e in entities
    ]


def _whole(value: Any) -> Any:
    return value.value if isinstance(value, Partial) else value

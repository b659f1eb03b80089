"""From a task to a corpus: plan, ask, parse, check, curate, account for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clinsynth.curation.curate import Curation, Doubts, curate
from clinsynth.curation.flaws import Flaw
from clinsynth.formats import jsonl
from clinsynth.formats.rejects import Rejected, by_reason, write_ledger
from clinsynth.llm import batch
from clinsynth.llm.budget import Budget, read_prices
from clinsynth.llm.cache import CACHE, ReplyCache
from clinsynth.llm.fill import Filled, LanguageModel
from clinsynth.llm.requests import Reply, Request
from clinsynth.llm.server import Server
from clinsynth.synthesis import card
from clinsynth.synthesis.agreement import disagreements
from clinsynth.synthesis.annotation import (
    AnnotationSettings,
    entity_request,
    read_entities,
    read_relations,
    relation_request,
)
from clinsynth.synthesis.parse import parse_reply
from clinsynth.synthesis.plan import PlanSettings, plan
from clinsynth_onnx.document import Document
from clinsynth_onnx.files import json_line
from clinsynth_onnx.schema import Schema

UNCHECKED = "the second pass gave no usable annotation"
NO_REPLY = "there is no reply"
SECOND_PASS = "second_pass_"
PLAN, REPLIES, CORPUS = "plan.jsonl", "replies.jsonl", "corpus.jsonl"
REJECTS, LEAKS = "rejects.jsonl", "leaks.jsonl"


@dataclass(frozen=True)
class Generation:
    """How a corpus is written.

    Args:
        plan: What to ask for.
        server: Where the language model is.
        budget: Where to stop.
        curation: What to leave out.
        second_pass: Whether the model annotates what it wrote once more, without seeing its tags; what it
            does not confirm is left out. Costs about as much again.
        cache: The folder of replies that were paid for.
        notes: What a user of the corpus has to know; written on its card.
    """

    plan: PlanSettings = field(default_factory=PlanSettings)
    server: Server = field(default_factory=Server)
    budget: Budget = field(default_factory=Budget)
    curation: Curation = field(default_factory=Curation)
    second_pass: bool = False
    cache: Path = CACHE
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What replies hold.

    Args:
        documents: In the order of the plan.
        rejects: What could not be used.
    """

    documents: list[Document]
    rejects: list[Rejected]


def requests_of(schema: Schema, settings: PlanSettings, plans: Sequence[Path] = ()) -> list[Request]:
    """Those of plan files one after the other, or of the settings if there are none."""
    return batch.read_plans(plans) if plans else plan(schema, settings)


def parse_all(replies: Iterable[Reply], schema: Schema) -> Parsed:
    """The documents of all replies."""
    found = [one for reply in replies for one in parse_reply(reply, schema)]
    return Parsed(
        [one for one in found if isinstance(one, Document)],
        [one for one in found if isinstance(one, Rejected)],
    )


def generate(
    schema: Schema,
    out: Path,
    settings: Generation,
    plans: Sequence[Path] = (),
    real: Mapping[str, Sequence[Document]] | None = None,
    not_compared: Mapping[str, str] | None = None,
    doubts: Doubts | None = None,
) -> Filled:
    """Writes plans, replies, corpus, rejects and leaks as JSON lines, and the card.

    Args:
        schema: The task.
        out: The folder to write to.
        settings: How.
        plans: Plan files to ask instead of a plan made from the settings.
        real: Parts of a real corpus for the leak audit; they are compared here and sent nowhere.
        not_compared: Parts that it lacks, and why; for the card.
        doubts: Finds labels that are in doubt, if the curation asks for it.

    Raises what ``LanguageModel.fill`` raises; what was paid for until then is in the cache.
    """
    requests = requests_of(schema, settings.plan, plans)
    model = LanguageModel(settings.server, settings.budget)
    out.mkdir(parents=True, exist_ok=True)
    with ReplyCache(settings.cache) as cache:
        filled, unanswered = _ask(requests, model, cache, out, "")
        parsed = parse_all(_recorded(out), schema)
        asked, flaws = list(requests), list[Flaw]()
        if settings.second_pass:
            checks = _checks(parsed.documents, schema, settings.plan)
            later, unchecked = _ask(checks, model, cache, out, SECOND_PASS)
            filled += later
            unanswered += unchecked
            asked += checks
            flaws = _flaws(parsed.documents, checks, schema, cache)
        prices = read_prices(settings.budget.prices)
        different = {one.key: one for one in asked}.values()
        paid = card.paid(((one, cache.replies(one)) for one in different), prices)
    curated = curate(parsed.documents, schema, settings.curation, real, flaws, doubts)
    rejects = [*unanswered, *parsed.rejects, *curated.rejects]
    write_ledger(out / REJECTS, rejects)
    write_lines(out / LEAKS, (one.to_json() for one in curated.leaks))
    jsonl.write(out / CORPUS, curated.documents)
    report: dict[str, Any] = {
        "parsed": len(parsed.documents),
        "rejected": by_reason(rejects),
        **curated.report,
    }
    report["curation"]["second_pass"] = settings.second_pass
    if "leaks" in report:
        report["leaks"]["not_compared"] = dict(not_compared or {})
    names = [PLAN, REPLIES, CORPUS]
    names += [SECOND_PASS + name for name in names[:2]] if settings.second_pass else []
    files = {name: out / name for name in names}
    card.write(out, card.card(schema.name, requests, _recorded(out), paid, report, files, settings.notes))
    return filled


def _ask(
    requests: Sequence[Request], model: LanguageModel, cache: ReplyCache, out: Path, name: str
) -> tuple[Filled, list[Rejected]]:
    """Asks what is missing, and writes what was asked and answered; also returns what has no reply."""
    batch.write_plan(out / (name + PLAN), requests)
    filled = model.fill(requests, cache)
    replies = (reply for request in requests if (reply := cache.reply(request)))
    batch.write_replies(out / (name + REPLIES), replies)
    failed = {one.custom_id: one.reason for one in filled.failures}
    unanswered = [
        Rejected(NO_REPLY, "", request.custom_id, failed.get(request.custom_id, filled.stopped))
        for request in requests
        if cache.reply(request) is None
    ]
    return filled, unanswered


def _recorded(out: Path) -> Iterable[Reply]:
    path = out / REPLIES
    return batch.read_replies(path) if path.stat().st_size else ()


def _checks(documents: Sequence[Document], schema: Schema, settings: PlanSettings) -> list[Request]:
    """Requests for a blind annotation of every document."""
    asking = AnnotationSettings(
        settings.model, None, settings.max_tokens, settings.max_tokens_field, settings.response_format
    )
    return [
        relation_request(f"{document.id}.check", document, schema, asking)
        if schema.relations and document.states_relations
        else entity_request(f"{document.id}.check", document.text, schema, asking)
        for document in documents
    ]


def _flaws(
    documents: Sequence[Document], checks: Sequence[Request], schema: Schema, cache: ReplyCache
) -> list[Flaw]:
    """Where the second annotation differs from the first, or there is none."""
    flaws: list[Flaw] = []
    for index, (document, request) in enumerate(zip(documents, checks, strict=True)):
        reply = cache.reply(request) or Reply(request.custom_id, 0, {}, NO_REPLY)
        related = bool(schema.relations) and document.states_relations
        second = (read_relations if related else read_entities)(reply, document, schema)
        flaws += [Flaw(index, start, end, UNCHECKED) for start, end in second.lost]
        if not (related and second.lost):
            known = [
                e for e in document.entities if not any(a < e.end and e.start < b for a, b in second.lost)
            ]
            judged = document if related else document.annotated(tuple(known))
            flaws += disagreements(index, judged, second.document)
    return flaws


def write_lines(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(map(json_line, values))

"""From a task to a corpus: plan, ask, parse, check, curate, account for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clinsynth.corpora import jsonl
from clinsynth.curation import card
from clinsynth.curation.agreement import disagreements
from clinsynth.curation.curate import Curated, Curation, curate
from clinsynth.curation.flaws import Flaw
from clinsynth.llm import batch
from clinsynth.llm.annotation import (
    AnnotationSettings,
    entity_request,
    read_entities,
    read_relations,
    relation_request,
)
from clinsynth.llm.budget import Budget, read_prices
from clinsynth.llm.cache import ReplyCache
from clinsynth.llm.fill import Filled, fill
from clinsynth.llm.parse import NOT_STATED, parse_reply
from clinsynth.llm.plan import PlanSettings, plan
from clinsynth.llm.rejects import Rejected, by_reason, write_ledger
from clinsynth.llm.requests import Reply, Request, numbered
from clinsynth.llm.server import Server
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

UNCHECKED = "the second pass gave no usable annotation"
NO_REPLY = "there is no reply"
CACHE = Path(".clinsynth/replies")


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
    if not plans:
        return plan(schema, settings)
    found = [one for path in plans for one in batch.read_plan(path)]
    seen: set[str] = set()
    for one in found:
        if one.custom_id in seen:
            raise ValueError(f"two plans have the custom_id {one.custom_id!r}. Remedy: rename one of them")
        seen.add(one.custom_id)
    return list(numbered((one.custom_id, one.body) for one in found))


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
) -> Filled:
    """Writes plan, replies, corpus, rejects and leaks as JSON lines, and the card.

    Args:
        schema: The task.
        out: The folder to write to.
        settings: How.
        plans: Plan files to ask instead of a plan made from the settings.
        real: Parts of a real corpus for the leak audit; they are compared here and sent nowhere.
        not_compared: Parts that it lacks, and why; for the card.

    Raises what ``fill`` raises; what was paid for until then is in the cache.
    """
    requests = requests_of(schema, settings.plan, plans)
    out.mkdir(parents=True, exist_ok=True)
    batch.write_plan(out / "plan.jsonl", requests)
    with ReplyCache(settings.cache) as cache:
        filled = fill(requests, cache, settings.server, settings.budget)
        replies = (reply for request in requests if (reply := cache.reply(request)))
        batch.write_replies(out / "replies.jsonl", replies)
        parsed = parse_all(_recorded(out), schema)
        flaws: list[Flaw] = []
        if settings.second_pass:
            filled, flaws = _second_pass(parsed.documents, schema, settings, cache)
        failed = {one.custom_id: one.reason for one in filled.failures}
        unanswered = [
            Rejected(NO_REPLY, "", request.custom_id, failed.get(request.custom_id, filled.stopped))
            for request in requests
            if cache.reply(request) is None
        ]
    curated = curate(parsed.documents, schema, settings.curation, real, flaws)
    rejects = [*unanswered, *parsed.rejects, *curated.rejects]
    _write(out, schema, requests, parsed, curated, rejects, settings, not_compared or {})
    return filled


def _write(
    out: Path,
    schema: Schema,
    requests: Sequence[Request],
    parsed: Parsed,
    curated: Curated,
    rejects: Sequence[Rejected],
    settings: Generation,
    not_compared: Mapping[str, str],
) -> None:
    write_ledger(out / "rejects.jsonl", rejects)
    write_lines(out / "leaks.jsonl", (one.to_json() for one in curated.leaks))
    jsonl.write(out / "corpus.jsonl", curated.documents)
    report = dict(curated.report)
    if "leaks" in report:
        report["leaks"] = {**report["leaks"], "not_compared": dict(not_compared)}
    files = {name: out / name for name in ("plan.jsonl", "replies.jsonl", "corpus.jsonl")}
    value = card.card(
        schema.name,
        requests,
        _recorded(out),
        len(parsed.documents),
        by_reason(rejects),
        report,
        files,
        settings.notes,
        read_prices(settings.budget.prices),
    )
    card.write(out, value)


def _recorded(out: Path) -> Iterable[Reply]:
    path = out / "replies.jsonl"
    return batch.read_replies(path) if path.stat().st_size else ()


def _second_pass(
    documents: Sequence[Document], schema: Schema, settings: Generation, cache: ReplyCache
) -> tuple[Filled, list[Flaw]]:
    """Asks for a blind annotation of every document, and says where it differs."""
    asking = AnnotationSettings(
        settings.plan.model, None, settings.plan.max_tokens, settings.plan.response_format
    )
    requests = []
    for document in documents:
        name = f"{document.id}.check"
        if _has_relations(document, schema):
            requests.append(relation_request(name, document, schema, asking))
        else:
            requests.append(entity_request(name, document.text, schema, asking))
    filled = fill(requests, cache, settings.server, settings.budget)
    flaws: list[Flaw] = []
    for index, (document, request) in enumerate(zip(documents, requests, strict=True)):
        reply = cache.reply(request) or Reply(request.custom_id, 0, {}, NO_REPLY)
        related = _has_relations(document, schema)
        second = (read_relations if related else read_entities)(reply, document, schema)
        flaws += [Flaw(index, start, end, UNCHECKED) for start, end in second.lost]
        if not (related and second.lost):
            known = [
                e for e in document.entities if not any(a < e.end and e.start < b for a, b in second.lost)
            ]
            judged = document if related else document.annotated(tuple(known))
            flaws += disagreements(index, judged, second.document)
    return filled, flaws


def _has_relations(document: Document, schema: Schema) -> bool:
    return bool(schema.relations) and document.meta != NOT_STATED


def write_lines(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for value in values:
            stream.write(json.dumps(value, ensure_ascii=False) + "\n")

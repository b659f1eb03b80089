"""From requests to a corpus: ask, parse, check, curate, account for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from clinsynth.curation.curate import Curation, Doubts, curate
from clinsynth.curation.density import departures
from clinsynth.curation.flaws import Flaw
from clinsynth.formats import jsonl
from clinsynth.formats.rejects import Rejected, by_reason, write_ledger
from clinsynth.llm import batch
from clinsynth.llm.budget import Budget, read_prices
from clinsynth.llm.cache import CACHE, ReplyCache, best
from clinsynth.llm.requests import Reply, Request
from clinsynth.llm.runner import RequestRunner
from clinsynth.llm.server import Server
from clinsynth.llm.summary import RunSummary
from clinsynth.synthesis import card
from clinsynth.synthesis.critic import contested, questions, with_rules
from clinsynth.synthesis.parse import parse_reply
from clinsynth.synthesis.plan import PlanSettings
from clinsynth.synthesis.prompts import Amounts
from clinsynth.synthesis.second_pass import NO_REPLY, checks, read_again, unconfirmed
from clinsynth_onnx.document import Document
from clinsynth_onnx.files import json_line
from clinsynth_onnx.schema import Schema

SECOND_PASS, CRITIC = "second_pass_", "critic_"
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
        critic: Whether the model says of each mention that the second pass does not confirm which rule of the
            task decides it; the card counts them by rule.
        cache: The folder of replies that were paid for.
        notes: What a user of the corpus has to know; written on its card.
        replay: Whether to ask nothing and make do with the replies in the cache.
    """

    plan: PlanSettings = field(default_factory=PlanSettings)
    server: Server = field(default_factory=Server)
    budget: Budget = field(default_factory=Budget)
    curation: Curation = field(default_factory=Curation)
    second_pass: bool = False
    critic: bool = False
    cache: Path = CACHE
    notes: str = ""
    replay: bool = False

    def __post_init__(self) -> None:
        if self.critic and not self.second_pass:
            raise ValueError(
                "a critic judges what a second pass does not confirm. Remedy: add --second_pass true"
            )


@dataclass(frozen=True, slots=True)
class Parsed:
    """What replies hold.

    Args:
        documents: Texts in the order of the plan.
        rejects: What could not be used.
    """

    documents: list[Document]
    rejects: list[Rejected]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked and what is known of the answers, read from the cache once.

    Args:
        requests: What was asked.
        replies: All replies to each request, in the order of the requests.
        summary: What came of asking.
    """

    requests: Sequence[Request]
    replies: Sequence[Sequence[Reply]]
    summary: RunSummary

    @property
    def answers(self) -> list[Reply | None]:
        """The best reply to each request, in the order of the requests."""
        return [best(replies) for replies in self.replies]

    @property
    def unanswered(self) -> list[Rejected]:
        """Requests that have no reply, and why."""
        failed = {failure.custom_id: failure.reason for failure in self.summary.failures}
        return [
            Rejected(NO_REPLY, "", request.custom_id, failed.get(request.custom_id, self.summary.stopped))
            for request, replies in zip(self.requests, self.replies, strict=True)
            if not replies
        ]


@dataclass(frozen=True, slots=True)
class Written:
    """What came of writing a corpus.

    Args:
        summary: What was asked and paid.
        documents: Number of documents in the corpus.
    """

    summary: RunSummary
    documents: int


def parse_all(replies: Iterable[Reply], schema: Schema) -> Parsed:
    """The documents of all replies."""
    found = [outcome for reply in replies for outcome in parse_reply(reply, schema)]
    return Parsed(
        [outcome for outcome in found if isinstance(outcome, Document)],
        [outcome for outcome in found if isinstance(outcome, Rejected)],
    )


def generate(
    schema: Schema,
    requests: Sequence[Request],
    out: Path,
    settings: Generation,
    real: Mapping[str, Sequence[Document]] | None = None,
    not_compared: Mapping[str, str] | None = None,
    doubts: Doubts | None = None,
    amounts: Amounts | None = None,
) -> Written:
    """Writes plans, replies, corpus, rejects and leaks as JSON lines, and the card.

    Args:
        schema: The task.
        requests: What to ask.
        out: The folder to write to.
        settings: How to ask, and what to leave out.
        real: Parts of a real corpus for the leak audit; they are compared here and sent nowhere.
        not_compared: Parts that it lacks, and why; for the card.
        doubts: Finds labels that are in doubt; none are looked for without it.
        amounts: What the writer was told of lengths and density, where it is known; the card says how far
            it kept to it.

    Raises what ``RequestRunner.run`` raises; what was paid for until then is in the cache.
    """
    out.mkdir(parents=True, exist_ok=True)
    runner = RequestRunner(settings.server, settings.budget)
    flaws: list[Flaw] = []
    broken: dict[str, dict[str, int]] = {}
    with ReplyCache(settings.cache) as cache:
        written = ask(requests, runner, cache, out, replay=settings.replay)
        parsed = parse_all((reply for reply in written.answers if reply), schema)
        passes = [written]
        if settings.second_pass:
            asking = checks(parsed.documents, schema, settings.plan)
            passes.append(ask(asking, runner, cache, out, SECOND_PASS, settings.replay))
            second = read_again(parsed.documents, passes[1].answers, schema)
            flaws = unconfirmed(parsed.documents, second, schema)
            if settings.critic:
                found = contested(parsed.documents, second, schema)
                asking = questions(found, schema, settings.plan)
                passes.append(ask(asking, runner, cache, out, CRITIC, settings.replay))
                flaws, broken = with_rules(flaws, found, passes[2].answers, schema)
    curated = curate(parsed.documents, schema, settings.curation, real, flaws, doubts)
    unanswered = [reject for asked in passes for reject in asked.unanswered]
    rejects = [*unanswered, *parsed.rejects, *curated.rejects]
    write_ledger(out / REJECTS, rejects)
    write_lines(out / LEAKS, (leak.to_json() for leak in curated.leaks))
    jsonl.write(out / CORPUS, curated.documents)
    card.write(
        out,
        card.Account(
            schema.name,
            requests,
            [reply for reply in written.answers if reply],
            paid(passes, settings.budget),
            len(parsed.documents),
            by_reason(rejects),
            curated.report,
            settings.second_pass,
            not_compared or {},
            files_of(out, [SECOND_PASS] * settings.second_pass + [CRITIC] * settings.critic),
            settings.notes,
            departures(parsed.documents, amounts.shortest, amounts.longest, amounts.untagged, schema.layout)
            if amounts
            else {},
            broken,
            schema.layout,
        ),
    )
    return Written(reduce(add, (asked.summary for asked in passes)), len(curated.documents))


def ask(
    requests: Sequence[Request],
    runner: RequestRunner,
    cache: ReplyCache,
    out: Path,
    name: str = "",
    replay: bool = False,
) -> Asked:
    """Asks what the cache lacks, and writes what was asked and answered.

    Args:
        requests: What to ask.
        runner: What asks.
        cache: Where the replies are kept.
        out: The folder for ``plan.jsonl``, which is written before anything is asked, and ``replies.jsonl``.
        name: What the names of the two files begin with.
        replay: Whether to ask nothing.
    """
    batch.write_plan(out / (name + PLAN), requests)
    summary = runner.run(requests, cache, replay)
    asked = Asked(requests, [cache.replies(request) for request in requests], summary)
    path = out / (name + REPLIES)
    batch.set_aside(path, {r.custom_id for r in asked.answers if r and r.outcome != "failed"})
    batch.write_replies(path, (reply for reply in asked.answers if reply))
    return asked


def paid(passes: Iterable[Asked], budget: Budget) -> card.Paid:
    """The cost of all replies of several rounds of asking."""
    pairs = (pair for asked in passes for pair in zip(asked.requests, asked.replies, strict=True))
    return card.paid(pairs, read_prices(budget.prices))


def files_of(out: Path, passes: Iterable[str] = ()) -> dict[str, Path]:
    """The files of a corpus that its card names."""
    names = [PLAN, REPLIES, CORPUS]
    names += [name + file for name in passes for file in (PLAN, REPLIES)]
    return {name: out / name for name in names}


def write_lines(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(map(json_line, values))

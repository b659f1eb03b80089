"""``clinsynth generate``: labelled text from a language model."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from clinsynth.cli.run import INCOMPLETE, INTERRUPTED, run
from clinsynth.curation.balance import vocabulary_gap
from clinsynth.curation.curate import Curation, Doubts
from clinsynth.curation.leaks import audit as find_leaks
from clinsynth.curation.leaks import summary
from clinsynth.datamodules.base import SPLITS, DocumentDataModule
from clinsynth.formats import registry
from clinsynth.formats.rejects import by_reason, write_ledger
from clinsynth.formats.tasks import read_task
from clinsynth.llm import batch
from clinsynth.llm.budget import Budget, forecast, read_prices
from clinsynth.llm.cache import CACHE, ReplyCache
from clinsynth.llm.explain import explain as explain_misses
from clinsynth.llm.fill import Filled, fill, missing
from clinsynth.llm.requests import Request
from clinsynth.llm.server import Server
from clinsynth.synthesis.generate import Generation, requests_of, write_lines
from clinsynth.synthesis.generate import generate as write_corpus
from clinsynth.synthesis.plan import PlanSettings
from clinsynth.synthesis.seeds import names, seed_requests, write_seeds
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

Real = Callable[[Schema], DocumentDataModule]


def generate(
    task: str,
    out: Path,
    plan_file: str | None = None,
    plan: PlanSettings = PlanSettings(),  # noqa: B008
    server: Server = Server(),  # noqa: B008
    budget: Budget = Budget(),  # noqa: B008
    curation: Curation = Curation(),  # noqa: B008
    second_pass: bool = False,
    real: Real | None = None,
    cache: Path = CACHE,
    notes: str = "",
    dry_run: bool = False,
) -> None:
    """Writes a corpus: asks a language model, parses, curates. Start it again to go on where it stopped.

    Also: clinsynth generate plan, import, explain, audit, seeds; each has its own --help.

    The folder gets plan.jsonl, replies.jsonl, corpus.jsonl, rejects.jsonl (what could not be used, and why),
    leaks.jsonl and a card. Every reply is kept in the cache before it is used, and none is paid for twice.
    The exit code is 0 if every request has a reply, 3 if some have none, 130 after Ctrl-C.

    Args:
        task: The task: a task.yaml.
        out: The folder to write to.
        plan_file: A plan to ask instead of one made from the task, or several with commas between; .gz too.
        plan: What to ask for.
        server: Where the language model is.
        budget: Where to stop.
        curation: What to leave out.
        second_pass: Whether the model annotates what it wrote once more, without seeing its tags; what it
            does not confirm is left out. Costs about as much again.
        real: A real corpus to compare with, e.g. NCBIDisease; it is read here and sent nowhere.
        cache: The folder of replies that were paid for.
        notes: What a user of the corpus has to know; written on its card.
        dry_run: Whether only to say what it would cost.
    """
    schema = read_task(task)
    settings = Generation(plan, server, budget, curation, second_pass, cache, notes)
    requests = requests_of(schema, plan, _paths(plan_file))
    if dry_run:
        _tell_forecast(requests, settings)
        return
    parts, absent = real_parts(real, schema) if real else ({}, {})
    doubts: Doubts | None = None
    if curation.confidence:
        from clinsynth.models import confidence  # torch takes seconds to import

        doubts = confidence.doubts
    with _interruptible():
        filled = write_corpus(schema, out, settings, _paths(plan_file), parts, absent, doubts)
    _tell(filled, out)
    if filled.failures or filled.left:
        sys.exit(INCOMPLETE)


def write_plan(task: str, out: Path, plan: PlanSettings = PlanSettings()) -> None:  # noqa: B008
    """Writes the requests as a file that can be read before money is spent, or given to a Batch API.

    Args:
        task: The task: a task.yaml.
        out: The file to write, e.g. plan.jsonl or plan.jsonl.gz.
        plan: What to ask for.
    """
    requests = requests_of(read_task(task), plan)
    batch.write_plan(out, requests)
    print(f"{len(requests)} requests: {out}")


def import_replies(plan_file: str, replies: str, cache: Path = CACHE) -> None:
    """Takes replies that came another way, e.g. the output and error files of a Batch API, into the cache.

    Args:
        plan_file: The plan that was asked, or several with commas between.
        replies: The file that came back, or several with commas between.
        cache: The folder of replies that were paid for.
    """
    requests = batch.read_plans(_paths(plan_file))
    with ReplyCache(cache) as kept:
        taken = kept.take(requests, (reply for path in _paths(replies) for reply in batch.read_replies(path)))
    print(
        f"{taken.added} replies added, {taken.known} known already, {taken.failed} failed (to be asked again)"
    )
    if taken.strangers:
        raise ValueError(
            f"{len(taken.strangers)} replies, the first {taken.strangers[0]!r}, belong to no request of the "
            "plan and were left out. Remedy: name their plan with --plan_file"
        )


def explain(
    task: str,
    plan_file: str | None = None,
    plan: PlanSettings = PlanSettings(),  # noqa: B008
    cache: Path = CACHE,
) -> None:
    """Says why requests are not answered from the cache.

    Args:
        task: The task: a task.yaml.
        plan_file: A plan instead of one made from the task, or several with commas between.
        plan: What to ask for.
        cache: The folder of replies that were paid for.
    """
    requests = requests_of(read_task(task), plan, _paths(plan_file))
    with ReplyCache(cache) as kept:
        reasons = explain_misses(requests, kept)
    print(f"{len(requests) - reasons.total()} of {len(requests)} requests are answered from {cache}")
    for reason, number in reasons.most_common():
        print(f"{number:6}  {reason}")


def audit(
    task: str,
    corpus: Path,
    real: Real,
    out: Path | None = None,
    curation: Curation = Curation(),  # noqa: B008
) -> None:
    """Compares any corpus with a real one: what it repeats, and what of its vocabulary it lacks.

    Args:
        task: The task: a task.yaml.
        corpus: The corpus to judge, in any format.
        real: The real corpus, e.g. NCBIDisease.
        out: A file for the offending pairs, one JSON object a line.
        curation: What counts as a leak.
    """
    schema = read_task(task)
    documents = list(registry.read(corpus, None))
    parts, absent = real_parts(real, schema)
    leaks = find_leaks(documents, parts, curation.leak_ngram, curation.leak_similarity)
    table = Table(
        "part", f"{curation.leak_ngram} words in a row", "similar sentences", "documents", "words known"
    )
    for split, found in summary(leaks, parts).items():
        known = vocabulary_gap(documents, parts[split])["tokens"]
        numbers = (found["ngram"], found["near duplicate"], found["documents"])
        table.add_row(split, *map(str, numbers), f"{known:.1%}")
    Console().print(table)
    for split, problem in absent.items():
        print(f"{split}: not compared: {problem}")
    if out is not None:
        write_lines(out, (one.to_json() for one in leaks))
        print(f"the pairs are in {out}")


def seeds(
    task: str,
    out: Path,
    count: int = 20,
    plan: PlanSettings = PlanSettings(),  # noqa: B008
    server: Server = Server(),  # noqa: B008
    budget: Budget = Budget(),  # noqa: B008
    cache: Path = CACHE,
) -> None:
    """Asks for names of each entity type, for every topic; --plan.seeds works them into the texts.

    Args:
        task: The task: a task.yaml.
        out: The file to write, e.g. seeds.json.
        count: Names of each type for each topic.
        plan: How to ask; the settings of size and unit play no part.
        server: Where the language model is.
        budget: Where to stop.
        cache: The folder of replies that were paid for.
    """
    schema = read_task(task)
    requests = seed_requests(schema, plan, count)
    with _interruptible(), ReplyCache(cache) as kept:
        filled = fill(requests, kept, server, budget)
        found, rejects = names((reply for one in requests if (reply := kept.reply(one))), schema)
    write_seeds(out, found)
    print(", ".join(f"{len(own)} of {label}" for label, own in found.items()) + f": {out}")
    if rejects:
        ledger = out.with_name(out.name + ".rejects.jsonl")
        write_ledger(ledger, rejects)
        told = ", ".join(f"{number} {reason}" for reason, number in by_reason(rejects).items())
        print(f"not usable: {told}: {ledger}")
    if filled.failures or filled.left:
        sys.exit(INCOMPLETE)


def _paths(given: str | None) -> list[Path]:
    return [Path(one) for one in (given or "").split(",") if one]


def real_parts(real: Real, schema: Schema) -> tuple[Mapping[str, Sequence[Document]], Mapping[str, str]]:
    """``at_hand`` for all parts. Raises ``ValueError`` if there is none."""
    module = real(schema)
    parts, absent = module.at_hand(SPLITS)
    if not parts:
        raise ValueError(f"{type(module).__name__} has no part that can be read. Remedy: see the lines above")
    return parts, absent


def _tell_forecast(requests: Sequence[Request], settings: Generation) -> None:
    with ReplyCache(settings.cache) as cache:
        wanted = [request for request, _ in missing(requests, cache, settings.server.attempts)]
        seen = [reply for request in requests if (reply := cache.reply(request))]
        found = forecast(requests, wanted, seen, read_prices(settings.budget.prices))
    money = (
        "cost not known: the model is in no price list" if found.money is None else f"{found.money:.2f} USD"
    )
    print(
        f"{found.requests} requests, {found.cached} answered from the cache\n"
        f"to ask: {found.requests - found.cached}, about {found.prompt_tokens} tokens of prompts and "
        f"{found.answer_tokens} of answers, {money}"
        + ("\nthe second pass costs about as much again" if settings.second_pass else "")
    )


def _tell(filled: Filled, out: Path) -> None:
    spent = f"{filled.prompt_tokens + filled.answer_tokens} tokens"
    if filled.money:
        spent += f", {filled.money:.2f} USD"
    print(f"{filled.cached} requests answered from the cache, {filled.replies} replies paid for ({spent})")
    if filled.stopped:
        print(f"stopped: {filled.stopped}; {filled.left} requests were not asked")
    for reason, number in Counter(one.reason for one in filled.failures).most_common():
        print(f"{number} requests failed: {reason}; start again to ask them once more")
    print(f"{out}: corpus.jsonl, card.md, and what was left out in rejects.jsonl")


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        print("Interrupted. What was paid for is kept: start again to go on.", file=sys.stderr)
        sys.exit(INTERRUPTED)


SUBCOMMANDS: Mapping[str, Callable[..., None]] = {
    "plan": write_plan,
    "import": import_replies,
    "explain": explain,
    "audit": audit,
    "seeds": seeds,
}


def main(arguments: Sequence[str]) -> None:
    """Runs the command."""
    logging.getLogger("clinsynth").setLevel(logging.INFO)
    if not logging.getLogger("clinsynth").handlers:
        logging.getLogger("clinsynth").addHandler(logging.StreamHandler())
    if arguments and arguments[0] in SUBCOMMANDS:
        name = arguments[0]
        run(SUBCOMMANDS[name], arguments[1:], f"clinsynth generate {name}", positional=False)
    else:
        run(generate, arguments, "clinsynth generate", positional=False)

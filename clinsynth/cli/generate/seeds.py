"""``clinsynth generate seeds``: names that a language model proposes."""

from __future__ import annotations

from pathlib import Path

from clinsynth.cli.generate.asking import exit_if_incomplete, interruptible
from clinsynth.formats.rejects import by_reason, write_ledger
from clinsynth.formats.tasks import read_task
from clinsynth.llm.budget import Budget
from clinsynth.llm.cache import CACHE, ReplyCache
from clinsynth.llm.runner import run_requests
from clinsynth.llm.server import Server
from clinsynth.synthesis.plan import PlanSettings
from clinsynth.synthesis.seed_names import write_seeds
from clinsynth.synthesis.seeds import names, seed_requests, topics_of


def seeds(
    task: Path,
    out: Path,
    count: int = 20,
    plan: PlanSettings = PlanSettings(),  # noqa: B008
    server: Server = Server(),  # noqa: B008
    budget: Budget = Budget(),  # noqa: B008
    cache: Path = CACHE,
) -> None:
    """Asks for names of each entity type, for every topic; --plan.seeds works them into texts about it.

    Args:
        task: The task: a task.yaml.
        out: The file to write, e.g. seeds.json.
        count: Number of names of each type for each topic.
        plan: How to ask; the settings of size and unit play no part.
        server: Where the language model is.
        budget: Where to stop.
        cache: The folder of replies that were paid for.
    """
    schema = read_task(task)
    requests = seed_requests(schema, plan, count)
    with interruptible(), ReplyCache(cache) as kept:
        summary = run_requests(requests, kept, server, budget)
        found, rejects = names(topics_of(schema), map(kept.reply, requests), schema)
    write_seeds(out, found)
    counts = {label: sum(len(known[label]) for known in found.values()) for label in schema.entities}
    told = ", ".join(f"{number} of {label}" for label, number in counts.items())
    print(f"{told}, for {len(found)} subjects: {out}")
    if rejects:
        ledger = out.with_name(out.name + ".rejects.jsonl")
        write_ledger(ledger, rejects)
        told = ", ".join(f"{number} {reason}" for reason, number in by_reason(rejects).items())
        print(f"not usable: {told}: {ledger}")
    exit_if_incomplete(summary)

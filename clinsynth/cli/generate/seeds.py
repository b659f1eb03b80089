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
from clinsynth.synthesis.seeds import names, seed_requests, write_seeds


def seeds(
    task: Path,
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
        found, rejects = names((reply for request in requests if (reply := kept.reply(request))), schema)
    write_seeds(out, found)
    print(", ".join(f"{len(proposed)} of {label}" for label, proposed in found.items()) + f": {out}")
    if rejects:
        ledger = out.with_name(out.name + ".rejects.jsonl")
        write_ledger(ledger, rejects)
        told = ", ".join(f"{number} {reason}" for reason, number in by_reason(rejects).items())
        print(f"not usable: {told}: {ledger}")
    exit_if_incomplete(summary)

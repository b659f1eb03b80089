"""``clinsynth generate plan``, ``import`` and ``explain``: requests and replies as files."""

from __future__ import annotations

from pathlib import Path

from clinsynth.cli.generate.paths import Paths, paths
from clinsynth.formats.tasks import read_task
from clinsynth.llm import batch
from clinsynth.llm.cache import CACHE, ReplyCache
from clinsynth.llm.explain import explain as explain_misses
from clinsynth.synthesis.plan import PlanSettings, requests_of


def write_plan(task: Path, out: Path, plan: PlanSettings = PlanSettings()) -> None:  # noqa: B008
    """Writes the requests as a file that can be read before money is spent, or given to a Batch API.

    Args:
        task: The task: a task.yaml.
        out: The file to write, e.g. plan.jsonl or plan.jsonl.gz.
        plan: What to ask for.
    """
    requests = requests_of(read_task(task), plan)
    batch.write_plan(out, requests)
    print(f"{len(requests)} requests: {out}")


def import_replies(plan_file: Paths, replies: Paths, cache: Path = CACHE) -> None:
    """Takes replies that came another way, e.g. the output and error files of a Batch API, into the cache.

    Args:
        plan_file: The plan that was asked, or several: [a.jsonl, b.jsonl].
        replies: The file that came back, or several.
        cache: The folder of replies that were paid for.
    """
    requests = batch.read_plans(paths(plan_file))
    with ReplyCache(cache) as kept:
        taken = kept.take(requests, (reply for path in paths(replies) for reply in batch.read_replies(path)))
    failed = sum(taken.failed.values())
    print(f"{taken.added} replies added, {taken.known} known already, {failed} failed (to be asked again)")
    for reason, number in taken.failed.items():
        print(f"{number} failed: {reason}")
    if taken.unknown_ids:
        raise ValueError(
            f"{len(taken.unknown_ids)} replies, the first {taken.unknown_ids[0]!r}, belong to no request of "
            "the plan and were left out. Remedy: name their plan with --plan_file"
        )


def explain(
    task: Path,
    plan_file: Paths | None = None,
    plan: PlanSettings = PlanSettings(),  # noqa: B008
    cache: Path = CACHE,
) -> None:
    """Says why requests are not answered from the cache.

    Args:
        task: The task: a task.yaml.
        plan_file: A plan instead of one made from the task, or several: [a.jsonl, b.jsonl].
        plan: What to ask for.
        cache: The folder of replies that were paid for.
    """
    requests = requests_of(read_task(task), plan, paths(plan_file))
    with ReplyCache(cache) as kept:
        reasons = explain_misses(requests, kept)
    print(f"{len(requests) - reasons.total()} of {len(requests)} requests are answered from {cache}")
    for reason, number in reasons.most_common():
        print(f"{number:6}  {reason}")

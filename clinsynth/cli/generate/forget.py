"""``clinsynth generate forget``: replies of no use, so that they are asked for again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from clinsynth.cli.generate.paths import Paths, paths
from clinsynth.formats.tasks import read_task
from clinsynth.llm.cache import CACHE, ReplyCache
from clinsynth.llm.requests import Reply
from clinsynth.synthesis.complaints import complaints
from clinsynth.synthesis.plan import PlanSettings, requests_of


def forget(
    task: Path,
    plan_file: Paths | None = None,
    plan: PlanSettings = PlanSettings(),  # noqa: B008
    reason: str | None = None,
    request: list[str] | str | None = None,
    cache: Path = CACHE,
) -> None:
    """Takes chosen replies out of the cache, so that the next run asks for them again; all others stay.

    Without --reason and --request it only tells what is wrong with the replies in the cache.

    Args:
        task: The task: a task.yaml.
        plan_file: A plan instead of one made from the task, or several: [a.jsonl, b.jsonl].
        plan: What was asked for.
        reason: Words of the reason why a reply is not whole or holds no document, e.g. "cut off".
        request: The custom_id of a request, or several: [a, b]; all its replies go, also a good one.
        cache: The folder of replies that were paid for.
    """
    schema = read_task(task)
    requests = requests_of(schema, plan, paths(plan_file))
    named = {request} if isinstance(request, str) else set(request or ())
    unknown = named - {asked.custom_id for asked in requests}
    if unknown:
        raise ValueError(
            f"the plan has no request {min(unknown)!r}. Remedy: take the names from its file, and name that "
            "with --plan_file"
        )
    wrong: Counter[str] = Counter()
    gone: list[Reply] = []

    def chosen(reply: Reply) -> bool:
        if reply.custom_id in named:
            return True
        words = reason.casefold() if reason is not None else None
        return words is not None and any(words in told.casefold() for told in complaints(reply, schema))

    with ReplyCache(cache) as kept:
        for asked in requests:
            if named or reason is not None:
                gone += kept.forget(asked, chosen)
            else:
                wrong.update(told for reply in kept.replies(asked) for told in complaints(reply, schema))
    if named or reason is not None:
        print(f"{len(gone)} replies to {len({reply.custom_id for reply in gone})} requests forgotten")
        return
    for told, number in wrong.most_common():
        print(f"{number:6}  {told}")
    print('name what to forget: --reason "..." or --request ID' if wrong else "all replies are good")

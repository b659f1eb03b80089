"""Why requests are not answered from the cache."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from clinsynth.llm.cache import ReplyCache
from clinsynth.llm.requests import Request, canonical

Body = Mapping[str, Any]

NEW = "it is new: no reply to this prompt is in the cache"


def explain(requests: Iterable[Request], cache: ReplyCache) -> Counter[str]:
    """How often each reason occurs; prompts are not quoted."""
    by_prompt: dict[str, list[tuple[Body, int]]] = defaultdict(list)
    for body, draw in cache.bodies():
        by_prompt[_prompt(body)].append((body, draw))
    found: Counter[str] = Counter()
    for request in requests:
        replies = cache.replies(request)
        if any(reply.outcome == "complete" for reply in replies):
            continue
        if replies:
            found[f"it has no whole answer: {replies[-1].reason}, {len(replies)} times"] += 1
            continue
        near = [_differences(request, *near_by) for near_by in by_prompt.get(_prompt(request.body), [])]
        near.sort(key=len)
        found["; ".join(near[0]) if near else NEW] += 1
    return found


def _prompt(body: Body) -> str:
    """The user's messages, which tell one request of a plan from another."""
    return canonical([message for message in body.get("messages") or [] if message.get("role") != "system"])


def _differences(request: Request, body: Body, draw: int) -> list[str]:
    """What is different from a cached request with the same user prompt."""
    told = []
    if canonical(_system(request.body)) != canonical(_system(body)):
        told.append("the system prompt (task, unit, count or examples) is another one")
    for key in sorted((request.body.keys() | body.keys()) - {"messages"}):
        asked, other = request.body.get(key), body.get(key)
        if canonical(asked) == canonical(other):
            continue
        if isinstance(asked, dict | list) or isinstance(other, dict | list):
            told.append(f"{key} is another one")
        else:
            told.append(f"{key} is {asked!r}, the cached reply has {other!r}")
    return told or [f"it is draw {request.draw} of the same request, the cached reply is draw {draw}"]


def _system(body: Body) -> list[Any]:
    return [message for message in body.get("messages") or [] if message.get("role") == "system"]

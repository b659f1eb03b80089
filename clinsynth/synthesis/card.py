"""The account of a corpus: how it came about and what is in it, for people and for programs."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from clinsynth.llm.budget import Budget, Prices, Spending
from clinsynth.llm.requests import Reply, Request, canonical
from clinsynth.synthesis.prompts import VERSION
from clinsynth_onnx.files import sha256_of

CARD = "card.json"
TITLES = {"parsed": "Texts in the replies", "rejected": "Rejected: texts, or sentences of them"}


def card(
    task: str,
    requests: Sequence[Request],
    replies: Iterable[Reply],
    paid: Mapping[str, Any],
    report: Mapping[str, Any],
    files: Mapping[str, Path],
    notes: str,
) -> dict[str, Any]:
    """Plain values without any text of a document.

    Args:
        task: The task's name.
        requests: What was asked.
        replies: What came back, one for each request that has a reply.
        paid: What ``paid`` says of all replies, those of a second pass included.
        report: What became of the replies.
        files: Files to name with their sha256.
        notes: Whatever else a user of the corpus has to know.
    """
    models, outcomes = Counter[str](), Counter[str]()
    for reply in replies:
        models[reply.model or "not named"] += 1
        outcomes[reply.outcome] += 1
    systems = {canonical(_system(one)) for one in requests}
    return {
        "task": task,
        "notes": notes,
        "requests": len(requests),
        "replies": dict(outcomes),
        "asked_of": dict(Counter(str(one.body.get("model")) for one in requests)),
        "answered_by": dict(models),
        **paid,
        "prompts": {
            "version": VERSION,
            "system_sha256": sorted(hashlib.sha256(one.encode()).hexdigest() for one in systems),
        },
        **report,
        "files": {name: sha256_of(path) for name, path in sorted(files.items())},
        "versions": {"clinsynth": metadata.version("clinsynth"), "python": platform.python_version()},
    }


def paid(asked: Iterable[tuple[Request, Sequence[Reply]]], prices: Prices) -> dict[str, Any]:
    """Tokens and cost of every reply, also of those that were asked for again; ``None`` if not recorded."""
    spending = Spending(Budget(), prices)
    counted = 0
    for request, replies in asked:
        for reply in replies:
            if reply.tokens:
                counted += 1
                spending.add(request, reply)
    tokens = {"prompt": spending.prompt_tokens, "answer": spending.answer_tokens, "replies_counted": counted}
    return {"tokens": tokens if counted else None, "cost_usd": spending.money if counted else None}


def write(folder: Path, value: Mapping[str, Any]) -> None:
    """``card.json`` and ``card.md``."""
    (folder / CARD).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    (folder / "card.md").write_text(markdown(value), encoding="utf-8")


def markdown(value: Mapping[str, Any]) -> str:
    """The card as a page."""
    lines = [f"# Synthetic corpus for {value['task']}", ""]
    lines += [value["notes"], ""] if value["notes"] else []
    for key, part in value.items():
        if key in ("task", "notes"):
            continue
        title = TITLES.get(key, key.replace("_", " ").capitalize())
        if not isinstance(part, Mapping):
            lines += ["", f"**{title}**: {'not recorded' if part is None else part}"]
            continue
        lines += ["", f"## {title}", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {shown} |" for name, shown in _rows(part)]
    return "\n".join(lines) + "\n"


def _rows(part: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    for key, value in part.items():
        name = f"{before}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _rows(value, f"{name}: ") if value else [(name, "none")]
        elif isinstance(value, list):
            yield (
                name,
                ", ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in value) or "none",
            )
        else:
            yield name, "not recorded" if value is None else f"{value}"


def _system(request: Request) -> list[Any]:
    return [one for one in request.body.get("messages") or [] if one.get("role") == "system"]

"""The account of a corpus: how it came about and what is in it, for people and for programs."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from clinsynth.curation.balance import QUANTILES
from clinsynth.curation.curate import Report
from clinsynth.llm.budget import Budget, Prices, Spending, shown_money
from clinsynth.llm.requests import Reply, Request, canonical
from clinsynth.synthesis.prompts import version_of
from clinsynth_onnx.files import sha256_of
from clinsynth_onnx.schema import Layout

CARD = "card.json"
TITLES = {
    "cost_usd": "Cost",
    "disagreements": "Disagreements of the second pass, by the rule that decides",
    "density": "Length and density",
    "departures": "Departures from what was asked",
    "parsed": "Texts in the replies",
    "rejected": "Rejected: texts, or sentences of them",
}


@dataclass(frozen=True, slots=True)
class Paid:
    """What replies cost; ``None`` where that was not recorded.

    Args:
        tokens: Tokens of prompts and answers, and the number of replies that they were counted of.
        cost_usd: Money by the price list.
    """

    tokens: Mapping[str, int] | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Account:
    """How a corpus came about; holds no text of a document.

    Args:
        task: The task's name.
        requests: What was asked, without the second pass.
        replies: What came back, one for each request that has a reply.
        paid: The cost of all replies, those of a second pass included.
        parsed: Number of texts in the replies.
        rejected: How often each reason of a rejection occurs.
        report: What curation found.
        second_pass: Whether a second pass checked the texts.
        not_compared: Parts of a real corpus that could not be read, and why.
        files: Files to name with their sha256.
        notes: Whatever else a user of the corpus has to know.
        departures: Where the writer did otherwise than it was asked, as ``curation.density`` says it.
        disagreements: How often each rule decided what the second pass does not confirm, and for whom.
        layout: How sentences of the texts end.
    """

    task: str
    requests: Sequence[Request]
    replies: Sequence[Reply]
    paid: Paid
    parsed: int
    rejected: Mapping[str, int]
    report: Report
    second_pass: bool = False
    not_compared: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    notes: str = ""
    departures: Mapping[str, Any] = field(default_factory=dict)
    disagreements: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    layout: Layout = "prose"

    @property
    def title(self) -> str:
        """The heading of the card."""
        return f"Synthetic corpus for {self.task}"

    def to_json(self) -> dict[str, Any]:
        """Plain values, in the order in which the card shows them."""
        report = self.report.to_json()
        report["curation"]["second_pass"] = self.second_pass
        if "leaks" in report:
            report["leaks"]["not_compared"] = dict(self.not_compared)
        return {
            "task": self.task,
            "notes": self.notes,
            **({"layout": self.layout} if self.layout != "prose" else {}),
            **exchange(self.requests, self.replies, self.paid),
            "parsed": self.parsed,
            "rejected": dict(self.rejected),
            **({"departures": dict(self.departures)} if self.departures else {}),
            **({"disagreements": dict(self.disagreements)} if self.disagreements else {}),
            **report,
            **provenance(self.files),
        }


class Told(Protocol):
    """An account that makes a card."""

    @property
    def title(self) -> str:
        """The heading of the card."""

    def to_json(self) -> dict[str, Any]:
        """Plain values, in the order in which the card shows them."""


def exchange(requests: Sequence[Request], replies: Sequence[Reply], paid: Paid) -> dict[str, Any]:
    """What was asked of which model, what came back, and the cost; prompts as hashes.

    Args:
        requests: What was asked.
        replies: What came back, one for each request that has a reply.
        paid: The cost of all replies.
    """
    systems = {canonical(_system(request)) for request in requests}
    versions = sorted({version for system in systems if (version := version_of(system))})
    return {
        "requests": len(requests),
        "replies": dict(Counter(reply.outcome for reply in replies)),
        "asked_of": dict(Counter(str(request.body.get("model")) for request in requests)),
        "answered_by": dict(Counter(reply.model or "not named" for reply in replies)),
        "tokens": paid.tokens,
        "cost_usd": None if paid.cost_usd is None else round(paid.cost_usd, 4),
        "prompts": {
            "version": versions[0] if len(versions) == 1 else versions or None,
            "system_sha256": sorted(hashlib.sha256(system.encode()).hexdigest() for system in systems),
        },
    }


def provenance(files: Mapping[str, Path]) -> dict[str, Any]:
    """Files with their sha256, and what wrote them."""
    return {
        "files": {name: sha256_of(path) for name, path in sorted(files.items())},
        "versions": {"clinsynth": metadata.version("clinsynth"), "python": platform.python_version()},
    }


def paid(asked: Iterable[tuple[Request, Sequence[Reply]]], prices: Prices) -> Paid:
    """Tokens and cost of every reply, also of those that were asked for again.

    Args:
        asked: Requests with all their replies; one that occurs several times counts once.
        prices: The price list.
    """
    spending = Spending(Budget(), prices)
    counted = 0
    for request, replies in {request.key: (request, replies) for request, replies in asked}.values():
        for reply in replies:
            if reply.tokens:
                counted += 1
                spending.add(request, reply)
    if not counted:
        return Paid(None, None)
    tokens = {"prompt": spending.prompt_tokens, "answer": spending.answer_tokens, "replies_counted": counted}
    return Paid(tokens, spending.money)


def write(folder: Path, account: Told) -> None:
    """``card.json`` and ``card.md``."""
    value = account.to_json()
    (folder / CARD).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    (folder / "card.md").write_text(markdown(account.title, value), encoding="utf-8")


def markdown(title: str, value: Mapping[str, Any]) -> str:
    """The card as a page."""
    lines = [f"# {title}", ""]
    lines += [value["notes"], ""] if value["notes"] else []
    for key, part in value.items():
        if key in ("task", "notes"):
            continue
        name = TITLES.get(key, key.replace("_", " ").capitalize())
        if not isinstance(part, Mapping):
            shown = shown_money(part) if key == "cost_usd" and part is not None else part
            lines += ["", f"**{name}**: {'not recorded' if shown is None else shown}"]
            continue
        lines += ["", f"## {name}", "", "| | |", "|---|---|"]
        lines += [f"| {row} | {shown} |" for row, shown in _rows(part)]
    return "\n".join(lines) + "\n"


def _rows(part: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    for key, value in part.items():
        name = f"{before}{key.replace('_', ' ')}"
        if key.endswith("_a_document"):
            name += f": {', '.join(QUANTILES)}"
        if isinstance(value, Mapping):
            yield from _rows(value, f"{name}: ") if value else [(name, "none")]
        elif isinstance(value, list):
            shown = [f"{item:g}" if isinstance(item, float) else str(item) for item in value]
            yield name, ", ".join(shown) or "none"
        else:
            yield name, "not recorded" if value is None else f"{value}"


def _system(request: Request) -> list[Any]:
    messages = request.body.get("messages") or []
    return [message for message in messages if message.get("role") == "system"]

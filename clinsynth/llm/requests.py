"""What is asked of a language model and what it answered, as lines of OpenAI Batch files have it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from clinsynth.llm.completion import Answer, Outcome, read_answer

PASSING = (408, 409, 425, 429)  # statuses below 500 after which the same request may pass later


@dataclass(frozen=True)
class Request:
    """One chat completion to ask for.

    Args:
        custom_id: Its name in a plan.
        body: The JSON body of the call: model, messages, response_format and sampling settings.
        draw: How many requests of the same body came before it in its plan. It tells apart several
            samples of one prompt.
    """

    custom_id: str
    body: Mapping[str, Any] = field(hash=False)
    draw: int = 0

    @cached_property
    def key(self) -> str:
        """What its reply is cached under: the sha256 of all that can change the reply."""
        return fingerprint([self.body, self.draw])


@dataclass(frozen=True)
class Reply:
    """What came back for a request.

    Args:
        custom_id: Name of the request that it answers.
        status_code: HTTP status; 0 if no response came.
        body: The chat completion, or the server's error.
        error: Why there is no completion, in a few words without any text of the exchange.
        batch: Whether it came through a Batch API, at its price.
    """

    custom_id: str
    status_code: int
    body: Mapping[str, Any] = field(default_factory=dict, hash=False)
    error: str = ""
    batch: bool = False

    @cached_property
    def answer(self) -> Answer:
        """What it says, or why it says nothing."""
        if self.error or self.status_code != 200:
            return Answer("failed", "", self.error or f"status {self.status_code}")
        return read_answer(self.body)

    @property
    def outcome(self) -> Outcome:
        """Whether the answer is whole."""
        return self.answer.outcome

    @property
    def text(self) -> str:
        """What the model wrote, without its thoughts; empty if nothing."""
        return self.answer.text

    @property
    def reason(self) -> str:
        """Why the answer is not whole, without any text of the exchange; empty if it is."""
        return self.answer.reason

    @property
    def lasting(self) -> bool:
        """Whether the server will answer the same request with the same error."""
        return 400 <= self.status_code < 500 and self.status_code not in PASSING

    @property
    def paid(self) -> bool:
        """Whether a model wrote something, be it of use or not."""
        return not self.error and self.status_code == 200 and bool(self.body.get("choices"))

    @property
    def model(self) -> str:
        """The model that answered, as it calls itself."""
        return str(self.body.get("model") or "")

    @property
    def tokens(self) -> tuple[int, int] | None:
        """Tokens of prompt and completion, or ``None`` if they were not recorded."""
        usage = self.body.get("usage")
        if not isinstance(usage, Mapping):
            return None
        prompt, answer = (
            next((usage[name] for name in names if isinstance(usage.get(name), int)), None)
            for names in (("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens"))
        )
        return None if prompt is None or answer is None else (prompt, answer)


def canonical(value: Any) -> str:
    """JSON that is equal for equal values: keys sorted, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def fingerprint(value: Any) -> str:
    """The sha256 of the canonical JSON, in hexadecimal digits; equal for equal values."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def numbered(requests: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Request]:
    """Requests of (custom_id, body), each with the number of those before it that have the same body."""
    seen: Counter[str] = Counter()
    for custom_id, body in requests:
        digest = fingerprint(body)
        yield Request(custom_id, body, seen[digest])
        seen[digest] += 1

"""What the error of a server says: its code and the parameter that it names, and never its message.

Messages quote texts and keys; they are only searched for names of parameters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from clinsynth.llm.completion import error_code
from clinsynth.llm.requests import PASSING

READ_OF_A_MESSAGE = 400  # characters: what follows is more likely text than error
_NAME = re.compile(r"[A-Za-z0-9_.\[\]]{1,50}")
_VALUE = re.compile(r"too (?:large|long|many)|context[ _-]?(?:length|window|size)|\bexceed", re.IGNORECASE)
_LOCATION = re.compile(r"['\"]loc['\"]\s*:\s*[\[(]([^\])]*)[\])]")  # pydantic's, printed into a message


@dataclass(frozen=True, slots=True)
class ServerProblem:
    """An answer that is an error.

    Args:
        status: HTTP status.
        code: The server's name for it; empty if it has none.
        parameter: What the error is about, as the server says; empty if it does not.
        messages: What it says in words; may quote anything, so that it is never shown.
    """

    status: int
    code: str = ""
    parameter: str = ""
    messages: tuple[str, ...] = field(default=(), repr=False)

    @property
    def passing(self) -> bool:
        """Whether the same request may pass later."""
        return self.status in PASSING or self.status >= 500

    @property
    def is_of_a_value(self) -> bool:
        """Whether a parameter is taken, but not with the value that it has in this request."""
        said = " ".join(message[:READ_OF_A_MESSAGE] for message in self.messages)
        return self.code == "context_length_exceeded" or _VALUE.search(said) is not None

    @property
    def reason(self) -> str:
        """A few words without any text of the exchange."""
        named = [self.code, f"parameter {self.parameter}" if self.parameter else ""]
        told = ", ".join(name for name in named if name)
        return f"status {self.status}" + (f" ({told})" if told else "")

    def mentions(self, words: Iterable[str]) -> bool:
        """Whether one of the words, which mean nothing else, occurs anywhere in the error."""
        told = " ".join([self.code, self.parameter, *self.messages]).lower()
        return any(word in told for word in words)

    def parameters(self, sent: Iterable[str]) -> list[str]:
        """Which of the parameters that were sent the error is about."""
        names = sorted(sent)
        if self.parameter:
            parts = re.split(r"[.\[\]]+", self.parameter)
            return [name for name in names if name in parts]
        said = " ".join(message[:READ_OF_A_MESSAGE] for message in self.messages)
        if located := _LOCATION.search(said):
            return [name for name in names if name in re.findall(r"\w+", located[1])]
        return [name for name in names if _spoken_of(name).search(said)]


def read_error(status: int, body: Any) -> ServerProblem:
    """What is known of an error.

    Args:
        status: HTTP status.
        body: The JSON of the response or its ``error``, or whatever else came.
    """
    code = parameter = ""
    messages: list[str] = []
    for part in _parts(body):
        if isinstance(part, str):
            messages.append(part)
            continue
        if code in ("", str(status)):
            code = error_code(part).strip(" ()") or code
        named, location = part.get("param"), part.get("loc")
        location = location if isinstance(location, list) else []
        location = [step for step in location if isinstance(step, str) and step != "body"]
        named = location[0] if location else named
        if not parameter and isinstance(named, str) and _NAME.fullmatch(named):
            parameter = named
    return ServerProblem(status, "" if code == str(status) else code, parameter, tuple(messages))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from ``retry-after-ms`` or ``Retry-After`` (RFC 9110, seconds or a date)."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after")
        if value is None:
            return None
        if value.strip().replace(".", "", 1).isdigit():
            return float(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return None


def _parts(body: Any, depth: int = 0) -> Iterator[str | Mapping[str, Any]]:
    """The objects and messages of an error, the outer ones first; ``input``, an echo, is not read."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, list):
        for part in body:
            yield from _parts(part, depth)
    elif isinstance(body, Mapping) and depth < 6:
        yield body
        for key in ("error", "message", "msg", "detail", "errors"):
            yield from _parts(body.get(key), depth + 1)
        inner = body.get("metadata")
        if isinstance(inner, Mapping) and isinstance(raw := inner.get("raw"), str):  # of a server behind it
            try:
                yield from _parts(json.loads(raw), depth + 1)
            except ValueError:
                yield raw


def _spoken_of(name: str) -> re.Pattern[str]:
    """The name where a sentence speaks of a parameter; ``temperature`` is a word of clinical texts too."""
    return re.compile(
        rf"[\"'`]{name}[\"'`]"
        rf"|\b{name}\b(?=\s*:|\s+(?:is|are|does|do|must|should|cannot|can|not|parameter|argument|field)\b)"
        rf"|(?:parameter|argument|field|property|option|key|supplied|keyword)s?[\s:\"'`]+{name}\b"
        rf"|:\s*{name}\.?\s*\Z"
    )

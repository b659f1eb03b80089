"""What a server was found not to take, and how requests are put to it instead."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from clinsynth.llm.errors import ServerProblem

log = logging.getLogger("clinsynth")

# of response_format, each for servers that lack the one before
FORMS = ("json_schema", "json_object", "none")
FORM_WORDS = ("response_format", "json_schema", "json_object")
ALIASES = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
KEPT = {"model", "messages", "response_format"}


class Dialect:
    """Parameters that a server refused are left out of all further requests, and said once each."""

    def __init__(self) -> None:
        self._form = 0
        self._sent_as: dict[str, str | None] = {}

    @property
    def response_format(self) -> str:
        """The most that the server was found to take."""
        return FORMS[self._form]

    def body(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """The body that is sent for the one that is wanted."""
        sent = {
            name: value
            for key, value in wanted.items()
            if (name := self._sent_as.get(key, key)) is not None and key != "response_format"
        }
        form = wanted.get("response_format")
        kind = self._kind(wanted)
        if form is not None and (kind == _type(form) or _type(form) not in FORMS):
            return {**sent, "response_format": form}
        return sent if kind == "none" else {**sent, "response_format": {"type": kind}}

    def learns(self, wanted: Mapping[str, Any], sent: Mapping[str, Any], problem: ServerProblem) -> bool:
        """Whether an error tells how to put a request otherwise, so that it is worth to be sent again.

        Args:
            wanted: The body of the request.
            sent: What was sent for it.
            problem: What the server answered.
        """
        if problem.status in (400, 422, 500) and "response_format" in sent and problem.mentions(FORM_WORDS):
            refused = _type(sent["response_format"])
            if refused in FORMS:
                if self._kind(wanted) == refused:
                    self._form = FORMS.index(refused) + 1
                    log.warning(
                        "the server does not take response_format %s: going on with %s",
                        refused,
                        self.response_format,
                    )
                return True
        if problem.status not in (400, 422) or problem.is_of_a_value:
            return False
        refused_names = problem.parameters(sent.keys() - KEPT)
        for name in refused_names:
            if name in self.body(wanted):  # else another request has learnt it meanwhile
                self._give_up(name)
        return bool(refused_names)

    def _give_up(self, name: str) -> None:
        wanted = next((key for key, sent in self._sent_as.items() if sent == name), name)
        instead = ALIASES.get(name) if wanted not in self._sent_as else None
        self._sent_as[wanted] = instead
        log.warning(
            "the server does not take %s: going on %s", name, f"with {instead}" if instead else "without"
        )

    def _kind(self, wanted: Mapping[str, Any]) -> str:
        asked = _type(wanted.get("response_format"))
        return FORMS[max(self._form, FORMS.index(asked))] if asked in FORMS else "none"


def _type(form: Any) -> str:
    return str(form.get("type")) if isinstance(form, Mapping) else "none"

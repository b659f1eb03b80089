"""What a chat completion says: the answer without the thoughts, or why it holds none.

Format: https://platform.openai.com/docs/api-reference/chat/object, and what other servers make of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from clinsynth.llm.thoughts import without_thoughts

Outcome = Literal["complete", "truncated", "refused", "failed"]

EMPTY = "the answer is empty"
CUT_SHORT = "the answer was cut off before it began"
ONLY_THOUGHTS = "the answer holds thoughts only"
UNCLOSED = "the thoughts in the answer are never closed"
CUT_IN_PROSE = "the answer is cut off, and what there is may be thoughts"
NO_COMPLETION = "the response is no chat completion"
FILTERED = "a filter of the server took the answer"
REFUSAL = "the model refused"
CUT_OFF = "the answer is cut off"

# names of finish_reason: OpenAI, Azure, Anthropic, Gemini, Bedrock, Mistral, Cohere, DeepSeek, GLM
_LENGTH = re.compile(r"length|max.*token|token.*limit|context.*window|truncat|incomplete")
_FILTER = re.compile(
    r"filter|safety|refus|block|prohibit|recitation|spii|guardrail|sensitive|moderat|toxic|policy|flagged"
)
_BROKEN = re.compile(r"error|fail|abort|cancel|interrupt|timeout|malformed|insufficient")
_PROSE_FIRST = re.compile(r"\s*(?!```|[{\[\"<]|[-*\u2022]\s|\(?\d{1,4}[.):])\S[^{\[<]*[{\[<]")
_CODE = re.compile(r"[A-Za-z0-9_.\[\]]{1,50}")
_REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks")


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is of an answer.

    Args:
        outcome: Whether it is whole.
        text: The answer without thoughts; where it is ``failed``, the message as it came.
        reason: Why it is not whole, without any text of the exchange; empty if it is.
    """

    outcome: Outcome
    text: str
    reason: str = ""


def read_answer(body: Mapping[str, Any]) -> Answer:
    """The answer in the first choice of a chat completion; never raises."""
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, Mapping):
        code = error_code(body.get("error"))
        return Answer("failed", "", f"error in the response{code}" if body.get("error") else NO_COMPLETION)
    message = choice.get("message")
    message = message if isinstance(message, Mapping) else {}
    written = "".join(_texts(message.get("content")))
    problem = choice.get("error") or body.get("error")
    finish = _finish(choice)
    if problem or _BROKEN.search(finish):
        return Answer("failed", written, f"error in the answer{error_code(problem) or _told(finish)}")
    if message.get("refusal") or _refused_part(message.get("content")):
        return Answer("refused", written, REFUSAL)
    if _FILTER.search(finish) or _filtered(choice.get("content_filter_results")):
        return Answer("refused", written, FILTERED + _told(finish))
    called = "\n".join(_arguments(message))
    cut = bool(_LENGTH.search(finish))
    answer = called if called.strip() else without_thoughts(written)
    if answer is None:
        return Answer("failed", written, UNCLOSED)
    if not answer.strip():
        thought = bool(written.strip()) or any(message.get(name) for name in _REASONING_FIELDS)
        return Answer(
            "failed", written, (CUT_SHORT if cut else ONLY_THOUGHTS if thought else EMPTY) + _told(finish)
        )
    if cut and answer == written and _PROSE_FIRST.match(answer):
        return Answer("failed", written, CUT_IN_PROSE + _told(finish))
    return Answer("truncated", answer, CUT_OFF + _told(finish)) if cut else Answer("complete", answer)


def error_code(error: Any) -> str:
    """The code of an error as `` (code)``, or nothing; never its message, which may quote text or key."""
    found = [error.get(key) for key in ("code", "type", "status")] if isinstance(error, Mapping) else []
    named = next(
        (str(code) for code in found if isinstance(code, str | int) and _CODE.fullmatch(str(code))), ""
    )
    return f" ({named})" if named else ""


def _finish(choice: Mapping[str, Any]) -> str:
    """``finish_reason`` in lower case; the model's own name for it where the server's says no more."""
    named = [str(choice.get(key) or "").lower() for key in ("finish_reason", "native_finish_reason")]
    return named[1] if named[0] in ("", "stop") and _LENGTH.search(named[1]) else named[0]


def _told(finish: str) -> str:
    return f" (finish_reason {finish})" if finish not in ("", "stop") and _CODE.fullmatch(finish) else ""


def _texts(content: Any) -> Iterator[str]:
    """The text of a message: a string, or the text parts of a list of parts."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            yield from _texts(part)
    elif isinstance(content, Mapping) and content.get("type", "text") in ("text", "output_text"):
        text = content.get("text")
        text = text.get("value") if isinstance(text, Mapping) else text
        if isinstance(text, str) and not content.get("thought"):  # Gemini marks thoughts so
            yield text


def _refused_part(content: Any) -> bool:
    parts = content if isinstance(content, list) else []
    return any(isinstance(part, Mapping) and part.get("type") == "refusal" for part in parts)


def _arguments(message: Mapping[str, Any]) -> Iterator[str]:
    """The arguments of tool calls: some servers ask their model for JSON in this way."""
    calls = message.get("tool_calls")
    functions = (
        [call.get("function") for call in calls if isinstance(call, Mapping)]
        if isinstance(calls, list)
        else []
    )
    content = message.get("content")
    used = [part for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []
    given = [
        function.get("arguments")
        for function in [*functions, message.get("function_call")]
        if isinstance(function, Mapping)
    ]
    given += [part.get("input") for part in used if part.get("type") == "tool_use"]
    for value in given:
        if isinstance(value, str) and value.strip() not in ("{}", "null"):
            yield value
        elif isinstance(value, Mapping | list) and value:
            yield json.dumps(value, ensure_ascii=False)


def _filtered(results: Any) -> bool:
    values = results.values() if isinstance(results, Mapping) else ()
    return any(isinstance(result, Mapping) and result.get("filtered") is True for result in values)

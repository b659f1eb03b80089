from __future__ import annotations

import json
from typing import Any

import pytest

from clinsynth.llm import completion
from clinsynth.llm.completion import read_answer

ANSWER = '{"sentences": ["The answer."]}'
DRAFT = '{"sentences": ["A draft."]}'
CANARY = "canary text 4711"


def body(content: Any, finish: Any = "stop", choice: Any = None, **message: Any) -> dict[str, Any]:
    return {
        "choices": [
            {
                "message": {"content": content, **message},
                "finish_reason": finish,
                "index": 0,
                **(choice or {}),
            }
        ]
    }


CALL = {"id": "c", "type": "function", "function": {"name": "json", "arguments": ANSWER}}


@pytest.mark.parametrize(
    "given",
    [
        body(ANSWER),
        body(ANSWER, None),
        body(ANSWER, "end_turn"),
        body(ANSWER, "eos", reasoning_content=DRAFT),
        body(ANSWER, reasoning=DRAFT),
        body(f"{DRAFT} no </think>{ANSWER}"),
        body([{"type": "text", "text": ANSWER}]),
        body(
            [
                {"type": "thinking", "thinking": [{"type": "text", "text": DRAFT}]},
                {"type": "text", "text": ANSWER},
            ]
        ),
        body([{"type": "reasoning", "text": DRAFT}, {"type": "output_text", "text": {"value": ANSWER}}]),
        body([{"text": DRAFT, "thought": True}, {"text": ANSWER}]),
        body([ANSWER[:9], ANSWER[9:]]),
        body(None, "tool_calls", tool_calls=[CALL]),
        body("I call the tool.", "tool_calls", tool_calls=[CALL]),
        body(None, "tool_calls", tool_calls=[{"function": {"arguments": json.loads(ANSWER)}}]),
        body(ANSWER, tool_calls=[{"function": {"arguments": "{}"}}]),
        body("", "function_call", function_call={"name": "json", "arguments": ANSWER}),
        body([{"type": "tool_use", "input": json.loads(ANSWER)}], "tool_use"),
        body(ANSWER, choice={"error": None, "content_filter_results": {"hate": {"filtered": False}}}),
    ],
)
def test_the_answer_is_read_wherever_it_stands(given: dict[str, Any]) -> None:
    found = read_answer(given)
    assert (found.outcome, found.text, found.reason) == ("complete", ANSWER, "")


@pytest.mark.parametrize(
    "finish", ["length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens", "token_limit"]
)
def test_names_of_an_answer_that_is_cut_off(finish: str) -> None:
    found = read_answer(body(ANSWER[:-4], finish))
    assert (found.outcome, found.reason) == (
        "truncated",
        f"the answer is cut off (finish_reason {finish.lower()})",
    )
    assert read_answer(body(ANSWER, choice={"native_finish_reason": finish})).outcome == "truncated"
    assert read_answer(body("", finish)).reason.startswith(completion.CUT_SHORT)
    assert read_answer(body(f"I think of {DRAFT}", finish)).reason.startswith(completion.CUT_IN_PROSE)
    assert read_answer(body(f"<think>I think of {DRAFT}", finish)).reason == completion.UNCLOSED


@pytest.mark.parametrize(
    "finish",
    ["content_filter", "SAFETY", "refusal", "RECITATION", "content_filtered", "guardrail_intervened"],
)
def test_names_of_an_answer_that_was_taken(finish: str) -> None:
    found = read_answer(body("", finish))
    assert (found.outcome, found.reason) == (
        "refused",
        f"{completion.FILTERED} (finish_reason {finish.lower()})",
    )


def test_a_refusal() -> None:
    assert read_answer(body(None, refusal="No.")).outcome == "refused"
    assert read_answer(body([{"type": "refusal", "refusal": "No."}])).outcome == "refused"
    filtered = {"content_filter_results": {"self_harm": {"filtered": True, "severity": "medium"}}}
    assert read_answer(body(ANSWER, choice=filtered)).outcome == "refused"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (body(""), completion.EMPTY),
        (body(None), completion.EMPTY),
        (body("  \n"), completion.EMPTY),
        (body([]), completion.EMPTY),
        (body(None, reasoning_content=DRAFT), completion.ONLY_THOUGHTS),
        (body(f"<think>{DRAFT}</think>"), completion.ONLY_THOUGHTS),
        (body(f"<think>{DRAFT}"), completion.UNCLOSED),
        (body(ANSWER, "error"), "error in the answer (finish_reason error)"),
        (body(ANSWER, choice={"error": {"code": 502, "message": CANARY}}), "error in the answer (502)"),
        (body(ANSWER, choice={"error": {"code": CANARY}}), "error in the answer"),
        (
            body(ANSWER, "malformed_function_call"),
            "error in the answer (finish_reason malformed_function_call)",
        ),
        ({"error": {"message": CANARY, "code": 429}}, "error in the response (429)"),
        ({"choices": []}, completion.NO_COMPLETION),
        ({"choices": [3]}, completion.NO_COMPLETION),
        ({"choices": [{}]}, completion.EMPTY),
        ({}, completion.NO_COMPLETION),
    ],
)
def test_what_holds_no_answer_is_a_failure(given: dict[str, Any], reason: str) -> None:
    found = read_answer(given)
    assert (found.outcome, found.reason) == ("failed", reason)
    assert CANARY not in found.reason

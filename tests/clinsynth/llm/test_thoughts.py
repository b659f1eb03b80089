from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.llm.thoughts import without_thoughts

DRAFT = 'Draft: {"sentences": ["A \\"draft\\"."]} But wait, "patients" is none.'
ANSWER = '{"sentences": ["The answer."]}'


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{DRAFT}</think>\n{ANSWER}",
        f"{DRAFT}\n</think>\n\n{ANSWER}",
        f"<thinking>{DRAFT}</thinking>{ANSWER}",
        f"{DRAFT}</thinking>{ANSWER}",
        f"[THINK]{DRAFT}[/THINK]{ANSWER}",
        f"{DRAFT}[/THINK]{ANSWER}",
        f"<think>\n\n</think>\n\n{ANSWER}",
        f"\u25c1think\u25b7{DRAFT}\u25c1/think\u25b7{ANSWER}",
        f"<|START_THINKING|>{DRAFT}<|END_THINKING|><|START_RESPONSE|>{ANSWER}",
        f"<seed:think>{DRAFT}</seed:think>{ANSWER}",
        f"<unused94>thought\n{DRAFT}<unused95>{ANSWER}",
        f"<thought>{DRAFT}</thought>{ANSWER}",
        f"<reasoning>{DRAFT}</reasoning>\n{ANSWER}",
        f"Here is my thought process:\n{DRAFT}\nHere is my response:\n{ANSWER}",
        f"<think>I open <think> and {DRAFT}</think>{ANSWER}",
        f"<think>I close with </think> later. {DRAFT}</think>{ANSWER}",
        f"Sure.<think>{DRAFT}</think>{ANSWER}",
        f"{ANSWER}\n<think>Is it right? {DRAFT}</think>",
        f"{ANSWER.replace('answer', 'draft')} No.\n</think>{ANSWER}",
        f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}<|return|>",
        f"<|channel|>commentary<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final "
        f"<|constrain|>json<|message|>{ANSWER}",
        f"<|start|>assistant<|channel|>final<|message|>{ANSWER}<|end|><|start|>assistant<|channel|>analysis<|message|>{DRAFT}",
        f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant"
        f"<|channel|>commentary to=functions.json <|constrain|>json<|message|>{ANSWER}<|call|>",
        f"analysis{DRAFT}assistantfinal{ANSWER}",
        ANSWER,
    ],
)
def test_the_answer_is_told_from_the_thoughts(text: str) -> None:
    found = without_thoughts(text)
    assert found is not None and ANSWER in found and "raft" not in found


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{DRAFT}",
        f"[THINK]{DRAFT}\n{ANSWER}",
        f"<reasoning>{DRAFT}",
        f"Here is my thought process:\n{DRAFT}",
        f"<|channel|>analysis<|message|>{DRAFT}<|end|>",
        f"<think>{DRAFT}</think><think>{DRAFT}",
    ],
)
def test_thoughts_that_are_never_closed_have_no_answer(text: str) -> None:
    assert without_thoughts(text) is None


@given(
    st.lists(
        st.sampled_from(["<think>", "</think>", "[THINK]", '"', "\\", "<|channel|>final<|message|>", "a"])
    )
)
def test_what_stands_in_the_strings_of_json_is_text(pieces: list[str]) -> None:
    text = json.dumps({"sentences": ["".join(pieces)]})
    assert without_thoughts(text) == text


@given(st.text())
def test_a_text_without_marks_is_left_as_it_is(text: str) -> None:
    assert without_thoughts(text) in (text, None)

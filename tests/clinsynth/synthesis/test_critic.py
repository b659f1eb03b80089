from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.curation.flaws import Flaw
from clinsynth.synthesis.critic import (
    Contested,
    Disagreement,
    Judgement,
    contested,
    disagreements,
    judgements,
    questions,
    rules,
    with_rules,
)
from clinsynth.synthesis.generate import Generation
from clinsynth.synthesis.plan import PlanSettings
from clinsynth.synthesis.second_pass import DISAGREES, read_again, unconfirmed
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import EntityType, Schema
from tests.clinsynth.synthesis.tasks import reply

GUIDELINES = """
- Leave out severity:
  mark gout in "severe gout".
- No drugs.
"""
TASK = Schema(
    "letters", {"Disease": EntityType("A disease.", GUIDELINES), "Drug": EntityType("", "- Names only.")}
)
TEXT = "Has severe gout. Takes salt."
FIRST = Document(TEXT, (Entity(4, 15, "Disease"), Entity(23, 27, "Drug")), id="a")
SECOND = Document(TEXT, (Entity(11, 15, "Disease"),), id="a")
BOTH = [
    Disagreement((FIRST.entities[0],), (SECOND.entities[0],)),
    Disagreement((FIRST.entities[1],), ()),
]


def said(*judged: tuple[str, str, str]) -> dict[str, Any]:
    keys = ("disagreement", "right", "rule")
    return {"judgements": [dict(zip(keys, one, strict=True)) for one in judged]}


def test_rules_are_numbered_by_type() -> None:
    assert rules(TASK) == {
        "Disease 0": "A disease.",
        "Disease 1": 'Leave out severity: mark gout in "severe gout".',
        "Disease 2": "No drugs.",
        "Drug 1": "Names only.",
    }
    prose = Schema("letters", {"Disease": EntityType("A disease.", "Mark all of them.")})
    assert list(rules(prose)) == ["Disease 0", "Disease 1"]


def test_mentions_that_overlap_are_one_disagreement() -> None:
    assert disagreements(FIRST, SECOND) == BOTH
    assert disagreements(FIRST, FIRST) == []


def test_the_rule_that_decides_is_told_of_each_mention() -> None:
    check = reply({"sentences": ["Has severe <Disease>gout</Disease>.", "Takes salt."]})
    second = read_again([FIRST], [check], TASK)
    found = contested([FIRST], second, TASK)
    assert found == [Contested(0, FIRST, BOTH)]
    (request,) = questions(found, TASK, PlanSettings(model="m"))
    assert "Disease 1: Leave out severity" in request.body["messages"][0]["content"]
    assert "<Disease>severe gout</Disease>" in request.body["messages"][1]["content"]
    answer = reply(said(("1", "second", "Disease 1"), ("2", "first", "no rule")))
    flaws, counted = with_rules(unconfirmed([FIRST], second, TASK), found, [answer], TASK)
    assert [flaw.detail.partition("; ")[2] for flaw in flaws] == [
        "by Disease 1 the second pass is right",
        "by Disease 1 the second pass is right",
        "by no rule the first pass is right",
    ]
    (first, second) = counted.items()
    assert first == ('Disease 1 (Leave out severity: mark gout in "severe gout".)', {"second right": 1})
    assert second == ("no rule", {"first right": 1})


def test_what_is_not_judged_is_counted() -> None:
    flaws = [Flaw(0, 4, 15, DISAGREES, "x")]
    found = [Contested(0, FIRST, BOTH)]
    assert with_rules(flaws, found, [None], TASK) == (flaws, {"not judged": {"disagreements": 2}})


@pytest.mark.parametrize(
    "answer",
    [
        said(("3", "first", "Disease 1")),
        said(("1", "third", "Disease 1")),
        said(("1", "first", "Disease 9")),
        {"judgements": ["first", None, 3]},
        {"judgements": {"1": "first"}},
        "I think the first is right.",
    ],
)
def test_a_judgement_that_is_none_does_not_count(answer: Any) -> None:
    assert judgements(reply(answer), 2, TASK) == [None, None]


def test_a_judgement_of_an_answer_that_is_cut_off_counts_if_it_is_whole() -> None:
    answer = '{"judgements": [{"disagreement": "1", "right": "neither", "rule": "Drug 1"}, {"disagree'
    assert judgements(reply(answer), 2, TASK) == [Judgement("neither", "Drug 1"), None]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: (
            st.lists(x) | st.dictionaries(st.sampled_from(["judgements", "disagreement", "right", "rule"]), x)
        ),
    )
)
def test_any_answer_is_read(answer: Any) -> None:
    assert len(judgements(reply(answer), 2, TASK)) == 2


def test_a_critic_needs_a_second_pass() -> None:
    with pytest.raises(ValueError, match="add --second_pass true"):
        Generation(critic=True)

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from clinsynth.synthesis.answer_form import Unit
from clinsynth.synthesis.prompts import (
    VERSION,
    Amounts,
    relation_rules,
    system_prompt,
    user_prompt,
    version_of,
)
from tests.clinsynth.synthesis.tasks import ENTITY_TASK, RELATION_TASK

LINES = replace(ENTITY_TASK, layout="lines")


@pytest.mark.parametrize(
    ("unit", "texts", "order"),
    [
        ("document", 1,
         "Invent one text in the style of letters. It has a title, if the genre has titles, and "
         "6 to 10 sentences that belong together."),
        ("document", 3, "Invent 3 texts in the style of letters. Each has a title"),
        ("sentence", 1, "Invent one sentence in the style of letters."),
        ("sentence", 20, "Invent 20 sentences, each of them a text of its own, in the style of letters."),
        ("pair", 20, "in the style of letters. In each, mark the two mentions that are judged, and say"),
    ],
)  # fmt: skip
def test_what_to_invent_is_said_in_whole_sentences(unit: Unit, texts: int, order: str) -> None:
    schema = RELATION_TASK if unit == "pair" else ENTITY_TASK
    system = system_prompt(replace(schema, genre="letters"), unit, Amounts(texts))
    assert order in system
    assert not re.search(r"sentences? single|text whole|\b(\w+) \1\b", system)


def test_length_and_density_are_the_users_numbers() -> None:
    system = system_prompt(ENTITY_TASK, "document", Amounts(1, 3, 3, 0.45))
    assert (
        " 3 sentences that belong together" in system and "About 45% of the sentences have nothing" in system
    )
    assert "nothing to tag" not in system_prompt(ENTITY_TASK, "document", Amounts(1, untagged=0))


def test_a_text_in_lines_is_asked_for_in_lines() -> None:
    system = system_prompt(LINES, "document", Amounts(1, 8, 20))
    assert "It is written in 8 to 20 lines, as such texts are: headings" in system
    assert '[["first line", "line with <Gene>...</Gene>", ...], ...]' in system and "title" not in system


def test_names_are_offered_and_not_forced_in() -> None:
    told = user_prompt("gout", "doses", {"Disease": ["podagra", "tophus"], "Gene": []})
    assert told.splitlines() == [
        "Subject: gout.",
        "Put weight on: doses.",
        "Names of the type Disease that you may use where they belong to the subject, in whatever form fits: "
        "podagra; tophus.",
    ]


def test_the_version_of_a_prompt_is_known_by_its_heading() -> None:
    assert version_of(system_prompt(ENTITY_TASK, "document", Amounts(1))) == VERSION
    assert version_of(system_prompt(RELATION_TASK, "pair", Amounts(20))) == VERSION
    assert version_of("Make it hard and true to life:\n- Of the sentences about one in five") == 1
    assert version_of("Write something.") is None


def test_a_symmetric_relation_is_told_to_have_no_direction() -> None:
    directed = RELATION_TASK.relations["Association"]
    either = replace(RELATION_TASK, relations={"Association": replace(directed, symmetric=True)})
    assert "(from Gene to Disease)" in relation_rules(RELATION_TASK)
    assert "(from Gene to Disease, no matter which is first)" in relation_rules(either)

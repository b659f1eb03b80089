from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.formats.errors import CorpusError
from clinsynth.formats.tasks import read_task
from clinsynth_onnx.schema import EntityType, RelationType, Schema

ROOT = Path(__file__).parents[3]
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
ENTITIES = st.builds(EntityType, WORDS, WORDS, st.lists(WORDS, max_size=2))


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return tmp_path / "task.yaml"


def problem(task: Path, text: str) -> str:
    task.write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError) as told:
        read_task(task)
    return str(told.value).removeprefix(str(task))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs" / "tasks").glob("*/task.yaml")), ids=lambda p: p.parent.name
)
def test_the_tasks_that_come_with_clinsynth(path: Path) -> None:
    assert read_task(path) == Schema.from_json(yaml.safe_load(path.read_text(encoding="utf-8")))


@given(st.dictionaries(WORDS, ENTITIES, min_size=1, max_size=3), WORDS, st.lists(WORDS, max_size=2))
def test_what_yaml_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, entities: dict[str, EntityType], genre: str, topics: list[str]
) -> None:
    label = next(iter(entities))
    schema = Schema("t", entities, {"R": RelationType([label], [label])}, genre, topics)
    path = tmp_path_factory.getbasetemp() / "written.yaml"
    path.write_text(yaml.safe_dump(schema.to_json(), allow_unicode=True), encoding="utf-8")
    assert read_task(path) == schema


@pytest.mark.parametrize(
    ("word", "taken"),
    [("NO", "a truth value"), ("Yes", "a truth value"), ("off", "a truth value"), ("1", "a number"),
     ("1.5", "a number"), ("null", "nothing"), ("~", "nothing"), ("2024-01-01", "a date")],
)  # fmt: skip
def test_labels_that_yaml_takes_for_something_else_have_to_be_quoted(
    task: Path, word: str, taken: str
) -> None:
    told = problem(task, f"name: gases\nentities:\n  CO:\n  {word}:\n    definition: a gas\n")
    assert told.startswith(":4: a label under entities is " + word) and taken in told
    assert f'Remedy: put it in quotes: "{word}"' in told
    task.write_text(f'name: gases\nentities:\n  CO:\n  "{word}":\n    definition: a gas\n')
    assert read_task(task).entity_labels == ("CO", word)


def test_so_has_every_other_text(task: Path) -> None:
    start = "name: r\nentities: {Gene: , Disease: }\nrelations:\n  Linked:\n    head: [Gene]\n"
    told = problem(task, f"{start}    tail: [Disease]\n    none_label: No\n")
    assert told.startswith(":7: none_label is No, which YAML takes for a truth value")
    assert problem(task, f"{start}    tail: [NO]\n").startswith(":6: an item of tail is NO")
    assert problem(task, "name: 7\nentities: {A: }").startswith(
        ":1: name is 7, which YAML takes for a number"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: x\nentities:\n  A:\n    guidlines: none\n",
         ":4: entities.A has no key 'guidlines'. Remedy: the keys are "
         "definition, guidelines, examples. Did you mean 'guidelines'?"),
        ("name: x\nentitties: {A: }\n", ":2: the task has no key 'entitties'"),
        ("name: x\nentities: {A: {definition: a, definition: b}}\n", ":2: the key 'definition' occurs twice"),
        ("name: x\n", ":1: the task lacks the key 'entities'"),
        ("name: x\nentities: {A: }\ntopics: gout\n", ":3: topics is not a list"),
        ("name: x\nentities: [A]\n", ":2: entities is not a mapping"),
        ("name: x\nentities: {A: }\nrelations: {R: {head: [A]}}\n", ":3: relations.R lacks the key 'tail'"),
        ("name: x\nentities: {A: }\nrelations: {R: {head: [A], tail: [B]}}\n", "names 'B' as tail"),
        ("name: x\nentities: {A: }\nrelations: {R: {head: [A], tail: [A], symmetric: 'yes'}}\n",
         ":3: symmetric is neither true nor false. Remedy: write true or false, without quotes"),
        ("name: x\nentities: {A: \n", ":3: this is not YAML"),
        ("", "the task file is empty"),
        ("name: x\ngenre:\nentities: {A: }\n", ":2: genre is not a text"),
    ],
)  # fmt: skip
def test_errors_say_where_and_what_to_do(task: Path, text: str, told: str) -> None:
    found = problem(task, text)
    assert told in found and "Remedy: " in found


def test_a_file_that_is_not_there(task: Path) -> None:
    with pytest.raises(CorpusError, match="no such task file"):
        read_task(task)


def test_a_mapping_can_be_taken_in(task: Path) -> None:
    task.write_text(
        "name: x\nentities:\n  A: &a {definition: d, guidelines: g}\n  B: {<<: *a, definition: e}\n"
    )
    assert read_task(task).entities["B"] == EntityType("e", "g")


def test_a_character_that_yaml_does_not_allow_is_told_with_its_line(task: Path) -> None:
    told = problem(task, "name: x\nentities:\n  A: {definition: pasted\x0bfrom a slide}\n")
    assert told == ":3: YAML does not allow the character U+000B. Remedy: remove it"

"""Mentions of a text that are one thing, by their names."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth_onnx.concepts import concepts
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.grouping import grouped, plain
from tests.clinsynth_onnx import strategies


def found(text: str, *mentions: str, label: str = "Disease") -> Document:
    """A text whose mentions are found one after the other."""
    entities, end = [], 0
    for mention in mentions:
        start = text.index(mention, end)
        end = start + len(mention)
        entities.append(Entity(start, end, label))
    return Document(text, tuple(entities))


def ids(document: Document) -> list[str]:
    return list(grouped(document).meta["concepts"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Seizure", "seizures"),
        ("beta-blocker", "beta blockers"),
        ("beta\u2010blockers", "Betablocker"),
        ("toxicities", "toxicity"),
        ("renal\nfailure", "renal failure"),
    ],
)
def test_a_name_in_another_spelling_is_the_same(one: str, other: str) -> None:
    assert ids(found(f"{one}, {other}", one, other)) == ["1", "1"]


@pytest.mark.parametrize(("one", "other"), [("pus", "pu"), ("virus", "viru"), ("mass", "mas"), ("AS", "A")])
def test_not_every_s_is_a_plural(one: str, other: str) -> None:
    assert plain(one) != plain(other)


def test_a_name_of_another_label_is_another_thing() -> None:
    document = Document("DM DM", (Entity(0, 2, "Gene"), Entity(3, 5, "Disease")))
    assert ids(document) == ["1", "2"]


def test_an_abbreviation_is_what_the_text_says_it_is() -> None:
    text = "Acute renal failure (ARF) and fever. ARFs, or acute renal failures, then fever and ALF."
    mentions = ("Acute renal failure", "ARF", "fever", "ARFs", "acute renal failures", "fever", "ALF")
    assert ids(found(text, *mentions)) == ["1", "1", "2", "1", "1", "2", "3"]


def test_an_abbreviation_of_two_things_is_the_first() -> None:
    text = "Mitral stenosis (MS) is not multiple sclerosis (MS). MS."
    mentions = ("Mitral stenosis", "MS", "multiple sclerosis", "MS", "MS")
    assert ids(found(text, *mentions)) == ["1", "1", "2", "1", "1"]


def test_ids_that_are_there_stay_and_are_given_to_others_of_the_name() -> None:
    document = found("fever, pain, gout, Fever, pain", "fever", "pain", "gout", "Fever", "pain")
    known = Document(document.text, document.entities, meta={"concepts": ["1", None, "-1", None, "D9|D8"]})
    assert ids(known) == ["1", "D9|D8", "2", "1", "D9|D8"]


@given(strategies.documents(), st.data())
def test_every_mention_has_an_id_and_again_changes_nothing(document: Document, data: st.DataObject) -> None:
    if data.draw(st.booleans()):
        count = len(document.entities)
        given = data.draw(st.lists(st.sampled_from(["1", "2|3", None, "-1"]), min_size=count, max_size=count))
        document = Document(document.text, document.entities, meta={"concepts": given})
    once = grouped(document)
    assert grouped(once) == once and once.entities == document.entities
    before = document.meta.get("concepts") or [None] * len(document.entities)
    names: dict[tuple[str, str], set[str]] = {}
    for entity, old, new in zip(document.entities, before, once.meta.get("concepts", ()), strict=True):
        if old in (None, "-1"):
            names.setdefault((entity.label, document.mention(entity)), set()).add(new)
        else:
            assert new == old
    assert all(len(one) == 1 for one in names.values())
    assert not any(concept.name.startswith("mention ") for concept in concepts(once))


def test_a_long_text_is_grouped_at_once() -> None:
    line = "Chronic kidney disease (CKD) with anemia, CKD with Anemias. "
    entities = tuple(
        Entity(n * len(line) + start, n * len(line) + end, "Disease")
        for n in range(500)
        for start, end in ((0, 22), (24, 27), (34, 40), (42, 45), (51, 58))
    )
    begin = time.perf_counter()
    assert len(concepts(grouped(Document(line * 500, entities)))) == 2
    assert time.perf_counter() - begin < 2, "30,000 characters, 2,500 mentions"

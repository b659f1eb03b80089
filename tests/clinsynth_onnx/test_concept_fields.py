"""Concept fields as corpora have them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth_onnx.concept_fields import about_relations, fields, ids, names, scored, stated
from clinsynth_onnx.document import Document, Entity


@pytest.mark.parametrize(
    ("field", "single"),
    [
        (None, ()),
        ("", ()),
        ("-1", ()),
        ("-", ()),
        ("D1", ("D1",)),
        ("D1|D2", ("D1", "D2")),
        ("D1|-1", ("D1",)),
        ("10333,10392", ("10333", "10392")),
        ("c|SUB|G|35|A", ("c|SUB|G|35|A",)),
        ("|DEL|3_5|", ("|DEL|3_5|",)),
        ("p|SUB|V|600|E;HGVS:p.V600E;CorrespondingGene:673", ("p|SUB|V|600|E",)),
        ("OMIM:1|OMIM:2", ("OMIM:1", "OMIM:2")),
        ("RS#:113488022", ("RS#:113488022",)),
    ],
)
def test_the_ids_of_a_concept_field(field: str | None, single: tuple[str, ...]) -> None:
    assert ids(field) == single
    assert set(single) <= set(names(field)), "a concept is called by its id"


def test_a_concept_may_be_called_by_the_whole_field_too() -> None:
    assert names("p|SUB|V|600|E;CorrespondingGene:673") == (
        "p|SUB|V|600|E",
        "CorrespondingGene:673",
        "p|SUB|V|600|E;CorrespondingGene:673",
    )


@given(
    st.lists(
        st.tuples(st.tuples(st.text(), st.text(), st.text()), st.sampled_from([None, "Novel", "No"])),
        max_size=4,
    )
)
def test_what_is_stated_is_kept_in_meta(relations: list[tuple[tuple[str, str, str], str | None]]) -> None:
    assert stated(about_relations(relations)) == relations
    assert scored(about_relations(relations)) == [(triple, 1.0) for triple, _ in relations]


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({"concept_relations": [["A", "1", "2"]], "novelty": ["No", "No"]}, "novelty.*each of the 1"),
        (
            {"concept_relations": [["A", "1", "2"]], "concept_relation_scores": [1, 1]},
            "scores.*each",
        ),
        ({"concept_relations": [["A", "1", "2"]], "concept_relation_scores": ["x"]}, "list of numbers"),
        ({"concept_relations": [["A", "1"]]}, "label, head, tail"),
        ({"concept_relations": [["A", 1, 2]]}, "all strings"),
        ({"concept_relations": 3}, "label, head, tail"),
    ],
)
def test_relations_that_are_none_are_errors(meta: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scored(meta)


@pytest.mark.parametrize(
    ("concepts", "message"),
    [(3, "no list"), ([1], "no list of strings"), (["D1", "D2"], "2 concepts for 1 entities.*Remedy")],
)
def test_concepts_that_do_not_fit_the_entities_are_errors(concepts: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"document 'd'.*{message}"):
        fields(Document("ab", (Entity(0, 1, "Gene"),), id="d", meta={"concepts": concepts}))

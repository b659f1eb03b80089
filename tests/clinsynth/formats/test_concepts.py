"""Concept fields as corpora have them, and the relations that mentions get from them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.formats.concepts import about_relations, concepts_named, relations_between, stated
from clinsynth_onnx.document import Entity, Relation

ENTITIES = (Entity(0, 1, "Gene"), Entity(1, 2, "Disease"), Entity(2, 3, "Disease"))


@pytest.mark.parametrize(
    ("field", "names"),
    [
        (None, ()),
        ("", ()),
        ("D1", ("D1",)),
        ("D1|D2", ("D1|D2", "D1", "D2")),
        ("10333,10392", ("10333,10392", "10333", "10392")),
        ("c|SUB|G|35|A", ("c|SUB|G|35|A",)),
        ("p|SUB|V|600|E;CorrespondingGene:673", ("p|SUB|V|600|E", "CorrespondingGene:673")),
        ("OMIM:1|OMIM:2", ("OMIM:1|OMIM:2", "OMIM:1", "OMIM:2")),
    ],
)
def test_the_names_of_a_concept_field(field: str | None, names: tuple[str, ...]) -> None:
    assert set(names) <= set(concepts_named(field)) <= {*names, *([field] if field else [])}


def test_a_position_in_a_variant_is_no_gene() -> None:
    assert not relations_between(ENTITIES, ["g|DEL|35|", "D1", None], [("Association", "35", "D1")])


def test_the_first_mention_of_each_concept_is_joined() -> None:
    relations = relations_between(ENTITIES, ["7,8", "D1;D2", "D1"], [("A", "8", "D1"), ("A", "D2", "D1")])
    assert relations == (Relation(0, 1, "A"),), "a mention is not related to itself"


@given(
    st.lists(
        st.tuples(st.tuples(st.text(), st.text(), st.text()), st.sampled_from([None, "Novel", "No"])),
        max_size=4,
    )
)
def test_what_is_stated_is_kept_in_meta(relations: list[tuple[tuple[str, str, str], str | None]]) -> None:
    assert stated(about_relations(relations)) == relations


def test_novelty_that_fits_no_relation_is_an_error() -> None:
    with pytest.raises(ValueError):
        stated({"concept_relations": [["A", "1", "2"]], "novelty": ["No", "No"]})

"""Concepts and the relations between them: read from meta, set, and read again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth_onnx.concepts import (
    Concept,
    ConceptRelation,
    candidate_labels,
    candidate_pairs,
    concept_relations,
    concepts,
    oriented,
    relations_between,
    unplaced_relations,
    with_concept_relations,
)
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import EntityType, RelationType, Schema
from tests.clinsynth_onnx import strategies

ENTITIES = (Entity(0, 1, "Gene"), Entity(1, 2, "Disease"), Entity(2, 3, "Disease"))
LABELS = ("Gene", "Disease")
NAMES = ["D1", "7", "7,8", "D1|D2", "c|SUB|G|35|A", "-1", "mention 1", "Gene|7", None]

RELATIONS = {
    "Causes": RelationType(["Gene"], ["Disease"]),
    "Binds": RelationType(["Gene"], ["Gene", "Disease"], symmetric=True),
}
SCHEMA = Schema("t", {label: EntityType() for label in LABELS}, RELATIONS)


@st.composite
def stating(draw: st.DrawFn) -> Document:
    """Documents with or without ids, with relations of mentions, of concepts, or both."""
    bare = draw(strategies.documents(LABELS))
    meta: dict[str, Any] = {"source": "x"}
    count = len(bare.entities)
    if draw(st.booleans()):
        meta["concepts"] = draw(st.lists(st.sampled_from(NAMES), min_size=count, max_size=count))
    ends = st.sampled_from(["D1", "7", "8", "Disease|7", "7,8", "gone"])
    triples = draw(st.lists(st.tuples(st.sampled_from(list(RELATIONS)), ends, ends), max_size=3))
    if triples:
        meta["concept_relations"] = [list(triple) for triple in triples]
    places = st.integers(0, max(0, count - 1))
    pairs = draw(st.lists(st.tuples(places, places, st.sampled_from(list(RELATIONS))), max_size=3))
    relations = tuple(Relation(*pair) for pair in pairs if count and pair[0] != pair[1])
    return Document(bare.text, bare.entities, relations, bare.id, meta)


@given(stating())
def test_every_entity_is_a_mention_and_concepts_come_in_the_order_of_the_text(document: Document) -> None:
    known = concepts(document)
    assert {i for concept in known for i in concept.mentions} == set(range(len(document.entities)))
    firsts = [document.entities[concept.mentions[0]] for concept in known]
    assert [e.start for e in firsts] == sorted(e.start for e in firsts)
    assert len({(concept.name, concept.label) for concept in known}) == len(known)
    for concept in known:
        starts = [document.entities[i].start for i in concept.mentions]
        assert starts == sorted(starts)
        assert {document.entities[i].label for i in concept.mentions} == {concept.label}


@given(stating())
def test_relations_that_are_set_are_read_again(document: Document) -> None:
    relations = concept_relations(document)
    assert len(set(relations)) == len(relations)
    again = with_concept_relations(document, relations)
    known = {(concept.mentions, concept.label) for concept in concepts(document)}
    assert {(concept.mentions, concept.label) for concept in concepts(again)} == known
    assert again.meta["source"] == "x" and again.entities == document.entities
    if any(concept.name in NAMES for concept in concepts(document)):
        assert concept_relations(again) == relations
        assert unplaced_relations(again) == []
    else:
        assert set(concept_relations(again)) == set(relations)
    assert with_concept_relations(again, concept_relations(again)) == again
    assert Document.from_json(json.loads(json.dumps(again.to_json()))) == again


@given(stating(), st.data())
def test_scores_are_kept(document: Document, data: st.DataObject) -> None:
    pairs = list(candidate_pairs(concepts(document), SCHEMA))
    if not pairs:
        return
    chosen = data.draw(st.lists(st.sampled_from(pairs), unique=True, max_size=4))
    relations = tuple(ConceptRelation(*pair, "Causes", 0.25) for pair in chosen)
    again = concept_relations(with_concept_relations(document, relations))
    assert set(again) == set(relations) and all(relation.score == 0.25 for relation in again)


@given(stating())
def test_symmetric_relations_are_candidates_once(document: Document) -> None:
    known = concepts(document)
    found = [
        (*pair, label)
        for pair in candidate_pairs(known, SCHEMA)
        for label in candidate_labels(*pair, known, SCHEMA)
    ]
    assert all(candidate_labels(*pair, known, SCHEMA) for pair in candidate_pairs(known, SCHEMA))
    expected = set()
    for i, head in enumerate(known):
        for j, tail in enumerate(known):
            if i != j and (head.label, tail.label) == ("Gene", "Disease"):
                expected.add((i, j, "Causes"))
            if i < j and "Gene" in (head.label, tail.label):
                expected.add((i, j, "Binds"))
    assert set(found) == expected and len(found) == len(expected)
    for relation in oriented(concept_relations(document), SCHEMA):
        if relation.label == "Binds":
            assert relation.head < relation.tail


def test_a_mention_of_several_ids_is_one_of_several_concepts() -> None:
    document = Document("abc", ENTITIES, meta={"concepts": ["7,8", "D1|D2", "D1"]})
    assert concepts(document) == (
        Concept("7", "Gene", (0,)),
        Concept("8", "Gene", (0,)),
        Concept("D1", "Disease", (1, 2)),
        Concept("D2", "Disease", (1,)),
    )


def test_a_pair_of_mentions_is_a_pair_of_concepts() -> None:
    document = Document("abc", ENTITIES, (Relation(0, 2, "Causes", 0.5),))
    assert [concept.mentions for concept in concepts(document)] == [(0,), (1,), (2,)]
    assert concept_relations(document) == (ConceptRelation(0, 2, "Causes"),)
    assert concept_relations(document)[0].score == 0.5
    assert with_concept_relations(document, concept_relations(document)) == document


def test_a_relation_of_mentions_is_one_of_their_concepts() -> None:
    document = Document("abc", ENTITIES, (Relation(0, 2, "Causes"),), meta={"concepts": ["7", "D1", "D1"]})
    assert concept_relations(document) == (ConceptRelation(0, 1, "Causes"),)
    again = with_concept_relations(document, concept_relations(document))
    assert again.relations == (Relation(0, 1, "Causes"),), "the first mentions are joined"
    assert again.meta["concept_relations"] == [["Causes", "7", "D1"]]


def test_relations_of_two_types_between_the_same_two() -> None:
    meta = {"concepts": ["7", "D1", "D1"], "concept_relations": [["Causes", "7", "D1"], ["Binds", "7", "D1"]]}
    assert [r.label for r in concept_relations(Document("abc", ENTITIES, meta=meta))] == ["Causes", "Binds"]


def test_one_id_of_two_labels_is_two_concepts() -> None:
    document = Document("abc", ENTITIES, meta={"concepts": ["7", "7", "8"]})
    again = with_concept_relations(document, [ConceptRelation(1, 2, "Binds")])
    assert again.meta["concept_relations"] == [["Binds", "Disease|7", "8"]]
    assert concept_relations(again) == (ConceptRelation(1, 2, "Binds"),)


def test_what_no_mention_names_is_not_placed() -> None:
    triples = [["Causes", "7", "D9"], ["Binds", "7", "7"], ["Causes", "Gene|7", "D1"]]
    document = Document("abc", ENTITIES, meta={"concepts": ["7", "D1", None], "concept_relations": triples})
    assert unplaced_relations(document) == [("Causes", "7", "D9"), ("Binds", "7", "7")]
    assert concept_relations(document) == (ConceptRelation(0, 1, "Causes"),)


def test_a_relation_joins_two_concepts_that_are_there() -> None:
    with pytest.raises(ValueError, match=r"document 'd'.*a concept that is not there: the document has 3"):
        with_concept_relations(Document("abc", ENTITIES, id="d"), [ConceptRelation(0, 3, "Causes")])
    with pytest.raises(ValueError, match="two different concept"):
        ConceptRelation(1, 1, "Causes")


def test_a_position_in_a_variant_is_no_gene() -> None:
    assert not relations_between(ENTITIES, ["g|DEL|35|", "D1", None], [("Association", "35", "D1")])


def test_the_first_mention_of_each_concept_is_joined() -> None:
    relations = relations_between(ENTITIES, ["7,8", "D1;D2", "D1"], [("A", "8", "D1"), ("A", "D2", "D1")])
    assert relations == (Relation(0, 1, "A"),), "a mention is not related to itself"

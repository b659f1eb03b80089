from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clinsynth.curation.duplicates import EXACT, NEAR, distinct
from clinsynth_onnx.document import RELATIONS_NOT_STATED, Document, Entity, Relation
from clinsynth_onnx.schema import EntityType, RelationType, Schema

TASK = Schema(
    "toy", {"Gene": EntityType(), "Disease": EntityType()}, {"R": RelationType(["Gene"], ["Disease"])}
)
LONG = "The patient had fever and cough for three days and was treated with rest at home."


def test_the_first_of_each_group_is_kept() -> None:
    texts = [LONG, "Other text.", LONG.upper() + "!", LONG.replace("home", "hospital"), "Other words."]
    kept, rejects = distinct([Document(text, id=str(i)) for i, text in enumerate(texts)], 0.8, TASK)
    assert [document.id for document in kept] == ["0", "1", "4"]
    assert [(reject.source, reject.reason, reject.detail) for reject in rejects] == [
        ("2", EXACT, "of 0"),
        ("3", NEAR, "of 0, similarity 0.87"),
    ]


def test_another_judged_pair_is_another_example() -> None:
    text = "A1 and B2 in gout."
    genes = [Entity(0, 2, "Gene"), Entity(7, 9, "Gene")]
    disease = Entity(13, 17, "Disease")
    pairs = [Document(text, (gene, disease)) for gene in genes]
    pairs += [Document(text, (genes[0], disease), (Relation(0, 1, "R"),)), pairs[0]]
    kept, rejects = distinct(pairs, 0.8, TASK)
    assert (len(kept), [reject.reason for reject in rejects]) == (3, [EXACT])


def test_other_tags_of_an_entity_text_do_not_make_it_another() -> None:
    tags = (Entity(0, 2, "Gene"), Entity(6, 10, "Disease"))
    documents = [
        Document("A1 in gout.", entities, meta=RELATIONS_NOT_STATED) for entities in (tags, tags[:1], ())
    ]
    kept, rejects = distinct(documents, 0.8, TASK)
    assert (kept, [reject.reason for reject in rejects]) == (documents[:1], [EXACT, EXACT])


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=12).map(" ".join), max_size=20))
def test_nothing_is_lost_and_doing_it_again_changes_nothing(texts: list[str]) -> None:
    documents = [Document(text, id=str(i)) for i, text in enumerate(texts)]
    kept, rejects = distinct(documents, 0.8, TASK)
    assert len(kept) + len(rejects) == len(documents)
    assert distinct(kept, 0.8, TASK) == (kept, [])
    assert {document.text for document in kept} | {reject.raw for reject in rejects} == set(texts)

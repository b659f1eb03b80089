from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clinsynth.curation.flaws import Flaw, without
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import Layout
from tests.clinsynth.synthesis.strategies import documents

TEXT = "One gout. Two mumps here. Three ague."
DOCUMENT = Document(
    TEXT, (Entity(4, 8, "Disease"), Entity(14, 19, "Disease"), Entity(32, 36, "Disease")), id="d"
)


def test_only_the_flawed_sentence_goes() -> None:
    (kept,), (reject,) = without([DOCUMENT], [Flaw(0, 14, 15, "why", "what")])
    assert kept.text == "One gout. Three ague."
    assert [kept.mention(e) for e in kept.entities] == ["gout", "ague"]
    assert (reject.reason, reject.raw, reject.source, reject.detail) == (
        "why",
        "Two mumps here. ",
        "d",
        "what",
    )


def test_a_document_with_relations_goes_as_a_whole() -> None:
    related = Document(TEXT, DOCUMENT.entities, (Relation(0, 1, "R"),))
    kept, (reject,) = without([related], [Flaw(0, 14, 15, "why")])
    assert kept == [] and reject.raw == TEXT


def test_passages_stay_where_their_text_is() -> None:
    text = "A heading\nOne gout. Two. Three. Last part"
    passages = [[0, 9, "title"], [10, 31, "abstract"], [32, 41, "end"]]
    document = Document(text, (Entity(14, 18, "Disease"),), meta={"passages": passages, "year": 2020})
    (kept,), (reject,) = without([document], [Flaw(0, 21, 22, "odd")])
    assert reject.raw == "Two. " and kept.meta["year"] == 2020
    assert [(kept.text[a:b], kind) for a, b, kind in kept.passages] == [
        ("A heading", "title"),
        ("One gout. Three.", "abstract"),
        ("Last part", "end"),
    ]
    (kept,), (reject,) = without([document], [Flaw(0, 3, 4, "odd")])
    assert reject.raw == "A heading\n", "a heading ends though it has no full stop"
    assert [(kept.text[a:b], kind) for a, b, kind in kept.passages] == [
        ("One gout. Two. Three.", "abstract"),
        ("Last part", "end"),
    ]
    assert [kept.mention(e) for e in kept.entities] == ["gout"]


def test_of_lines_no_more_than_a_line_goes() -> None:
    document = Document(
        "PLAN\nAspirin daily. No fever\n- mumps\n\nHOME",
        (Entity(23, 28, "Disease"), Entity(31, 36, "Disease")),
    )
    assert [document.mention(e) for e in document.entities] == ["fever", "mumps"]
    flaw = Flaw(0, 31, 36, "why")
    (kept,), (reject,) = without([document], [flaw], "lines")
    assert reject.raw == "- mumps\n\n" and kept.text == "PLAN\nAspirin daily. No fever\nHOME"
    (kept,), (reject,) = without([document], [flaw])
    assert reject.raw == "No fever\n- mumps\n\n", "in prose a line break ends nothing"


def test_a_mention_over_the_border_takes_the_document_along() -> None:
    crossing = Document(TEXT, (Entity(4, 12, "Disease"),))
    assert without([crossing], [Flaw(0, 14, 15, "why")])[0] == []


@given(st.lists(documents(), max_size=4), st.data(), st.sampled_from(["prose", "lines"]))
def test_what_is_kept_is_as_it_was(
    given_documents: list[Document], data: st.DataObject, layout: Layout
) -> None:
    flaws = []
    for i, document in enumerate(given_documents):
        for _ in range(data.draw(st.integers(0, 2))):
            start = data.draw(st.integers(0, len(document.text) - 1))
            flaws.append(Flaw(i, start, start + 1, "why"))
    kept, rejects = without(given_documents, flaws, layout)
    assert sum(len(document.text) for document in kept) + sum(len(reject.raw) for reject in rejects) == sum(
        len(document.text) for document in given_documents
    )
    before = [document.mention(e) for document in given_documents for e in document.entities]
    for document in kept:
        assert all(document.mention(e) in before for e in document.entities)
    untouched = [
        document for i, document in enumerate(given_documents) if i not in {flaw.document for flaw in flaws}
    ]
    assert all(document in kept for document in untouched)

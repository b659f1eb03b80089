from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clinsynth.curation.flaws import without
from clinsynth.curation.leaks import audit, flaws, summary
from clinsynth.curation.similarity import words
from clinsynth_onnx.document import Document

STOCK = "mutations in this gene were found in all of the affected members"
REAL = {
    "train": [Document("Nothing of the kind is said in this one.", id="t1")],
    "test": [Document(f"As is known, {STOCK}. The rest differs.", id="t2")],
}


def test_words_in_a_row_are_one_leak_with_its_place() -> None:
    document = Document(f"A sentence of our own. Here {STOCK.upper()} of a family.", id="s")
    (leak,) = audit([document], REAL, near=0.95)
    assert (leak.split, leak.real, leak.kind, leak.score) == ("test", "t2", "ngram", 12)
    assert document.text[leak.start : leak.end].lower() == STOCK
    kept, rejects = without([document], flaws([leak], ["test"]))
    assert [document.text for document in kept] == ["A sentence of our own. "]
    assert rejects[0].reason == "overlaps the test part of a real corpus"
    assert without([document], flaws([leak], ["train"]))[0] == [document]


def test_sentences_with_the_same_words_are_found() -> None:
    close = "Nothing of the kind was said, in this one!"
    (leak,) = audit([Document(close)], REAL, ngram=12, near=0.3)
    assert (leak.kind, leak.split) == ("near duplicate", "train")
    found = summary([leak], REAL)
    assert found["train"] == {"ngram": 0, "near duplicate": 1, "documents": 1}
    assert found["test"]["documents"] == 0


TEXTS = st.lists(st.sampled_from("abc"), max_size=30).map(" ".join)


@given(st.lists(TEXTS, max_size=3), st.lists(TEXTS, max_size=3), st.integers(3, 8))
def test_it_finds_what_a_plain_search_finds(synthetic: list[str], real: list[str], size: int) -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        found = words(text)
        return {tuple(found[i : i + size]) for i in range(len(found) - size + 1)}

    expected = {(i, j) for i, a in enumerate(synthetic) for j, b in enumerate(real) if runs(a) & runs(b)}
    others = [Document(text, id=str(j)) for j, text in enumerate(real)]
    leaks = audit([Document(text) for text in synthetic], {"val": others}, size, near=1.0)
    assert {(leak.document, int(leak.real)) for leak in leaks if leak.kind == "ngram"} == expected

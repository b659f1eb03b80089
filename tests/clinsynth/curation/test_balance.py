"""The figures of a card are those of its texts."""

from __future__ import annotations

from clinsynth.curation.balance import balance, vocabulary_gap
from clinsynth_onnx.document import Document, Entity


def test_counts_and_variety() -> None:
    documents = [Document("gout and gout", (Entity(0, 4, "D"), Entity(9, 13, "D"))), Document("a b")]
    found = balance(documents)
    assert (found["documents"], found["words"], found["mentions"]) == (2, 5, {"D": 2})
    assert (found["distinct_1"], found["distinct_2"], found["distinct_3"]) == (0.8, 1.0, 1.0)
    assert found["distinct_mentions"] == {"D": 1} and found["documents_without_mentions"] == 1
    assert found["share_of_most_frequent_mention"] == {"D": 1.0}
    mixed = Document("gout flu gout", (Entity(0, 4, "D"), Entity(5, 8, "D"), Entity(9, 13, "D")))
    assert balance([mixed])["share_of_most_frequent_mention"] == {"D": 0.6667}
    assert balance([Document("one line\nanother")], "lines")["sentences"] == 2


def test_a_gap_of_vocabulary_has_two_sides() -> None:
    gap = vocabulary_gap([Document("a b c d")], [Document("a a e", (Entity(0, 1, "D"), Entity(4, 5, "D")))])
    assert (gap["types"], gap["tokens"], gap["unreal_types"]) == (0.5, 0.6667, 0.75)
    assert gap["mentions of D"] == 0.0

"""Amounts of what was learned, and what of it repeats what is scored."""

from __future__ import annotations

from pathlib import Path

from clinsynth.corpora import NCBIDisease
from clinsynth.reproducing.learned import Overlaps, amounts
from clinsynth_onnx.document import Document, Entity

LONG = "the patient was given a drug for gout and felt better within two days"


def test_titles_without_a_full_stop_are_sentences(root: Path) -> None:
    documents = list(NCBIDisease(str(root)).documents("train"))
    assert amounts(documents) == {
        "documents": 20,
        "sentences": 40,
        "mentions": sum(len(document.entities) for document in documents),
        "relations": 0,
    }


def test_texts_count_once_and_whatever_was_looked_at_before() -> None:
    gold = [Document(f"Then {LONG}.", (Entity(5, 8, "X"),), id="g")]
    overlaps = Overlaps(gold)
    other = Document("Nothing of this stands in any other text that is looked at here.")
    assert overlaps.count([Document(f"Once {LONG}."), other, other]) == {"texts": 2, "overlapping": 1}
    assert overlaps.count([other]) == {"texts": 1, "overlapping": 0}
    assert overlaps.count([Document(f"Once {LONG}."), other]) == {"texts": 2, "overlapping": 1}

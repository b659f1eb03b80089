from __future__ import annotations

from hypothesis import given

from clinsynth.metrics.confusion import entity_confusion
from clinsynth_onnx.document import Document, Entity
from tests.clinsynth_onnx.strategies import documents

TEXT = "renal failure after lithium and gout"
GOLD = Document(TEXT, (Entity(0, 13, "D"), Entity(20, 27, "C"), Entity(32, 36, "D")))


def test_boundaries_do_not_matter_and_labels_do() -> None:
    found = Document(TEXT, (Entity(6, 13, "D"), Entity(14, 27, "D"), Entity(14, 19, "C")))
    matrix = entity_confusion(GOLD, found, ("C", "D"))
    # gold in rows: none, C, D; found in columns
    assert matrix.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 1]]


def test_what_is_right_is_on_the_diagonal() -> None:
    assert entity_confusion(GOLD, GOLD, ("C", "D")).tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 2]]


@given(documents(), documents())
def test_every_mention_counts_once(first: Document, other: Document) -> None:
    gold = Document(first.text, tuple(dict.fromkeys(first.entities)))
    found = Document(gold.text, tuple({e: 0 for e in other.entities if e.end <= len(gold.text)}))
    labels = sorted({e.label for e in (*gold.entities, *found.entities)})
    matrix = entity_confusion(gold, found, labels)
    for i, label in enumerate(labels, 1):
        assert matrix[i].sum() == sum(e.label == label for e in gold.entities)
        assert matrix[:, i].sum() == sum(e.label == label for e in found.entities)
    assert matrix[0, 0] == 0

from __future__ import annotations

from hypothesis import given

from clinsynth.metrics.errors import Error, errors, summary
from clinsynth_onnx.document import Document, Entity
from tests.clinsynth_onnx.strategies import documents

TEXT = "severe renal failure after lithium; renal failure and gout"


def marked(*mentions: tuple[int, str, str]) -> Document:
    """Documents with mentions, each the n-th place of its words."""
    spans = []
    for n, words, label in mentions:
        start = -1
        for _ in range(n):
            start = TEXT.index(words, start + 1)
        spans.append(Entity(start, start + len(words), label))
    return Document(TEXT, tuple(spans))


GOLD = marked((1, "renal failure", "D"), (1, "lithium", "C"), (2, "renal failure", "D"), (1, "gout", "D"))
FOUND = (1, "severe renal", "D"), (2, "renal failure", "D"), (1, "after", "C")


def test_each_kind_is_told() -> None:
    found = marked(
        (1, "severe renal", "D"), (1, "lithium", "D"), (2, "renal failure", "D"), (1, "after", "C")
    )
    kinds = [error.kind for error in errors(GOLD, found)]
    assert kinds == ["wrong boundary", "spurious", "wrong label", "missed"]
    assert errors(GOLD, GOLD) == []


def test_words_say_where_it_goes_wrong() -> None:
    found = marked(
        (1, "severe renal", "D"), (1, "lithium", "C"), (2, "renal failure", "D"), (1, "after", "C")
    )
    counted = summary([(GOLD, found)])
    assert counted.right == 2
    assert counted.words == {
        "too much before": {"severe": 1},
        "lacking after": {"failure": 1},
        "spurious": {"after": 1},
        "missed": {"gout": 1},
    }
    assert counted.by_turns == {"renal failure": (1, 1)}
    assert counted.kinds[("missed", "D")] == 1


@given(documents(), documents())
def test_every_mention_is_right_or_in_one_error(gold: Document, other: Document) -> None:
    kept = tuple(e for e in other.entities if e.end <= len(gold.text))
    found = Document(gold.text, kept)
    told = errors(gold, found)
    right = set(gold.entities) & set(found.entities)
    wanted = [e for e in gold.entities if e not in right]
    assert sorted(map(repr, wanted)) == sorted(repr(error.gold) for error in told if error.gold)
    left = [e for e in found.entities if e not in right]
    assert sorted(map(repr, left)) == sorted(repr(error.found) for error in told if error.found)
    assert all(isinstance(error, Error) for error in told)

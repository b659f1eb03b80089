from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clinsynth.corpora.splits import draw, hold_out
from clinsynth_onnx.document import Document, Entity, Relation


@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60),
    st.floats(0.05, 0.9),
    st.integers(0, 9),
)
def test_no_text_is_on_both_sides_of_a_cut(drawn: list[tuple[int, bool]], fraction: float, seed: int) -> None:
    entities = (Entity(0, 1, "Gene"), Entity(1, 2, "Disease"))
    documents = [
        Document(f"ab{n}", entities, (Relation(0, 1, "Association"),) if related else (), str(i))
        for i, (n, related) in enumerate(drawn)
    ]
    train, held = hold_out(documents, fraction, seed)
    assert not {d.text for d in train} & {d.text for d in held}
    assert sorted(int(d.id) for d in [*train, *held]) == list(range(len(documents)))
    assert draw(documents, len(documents), seed) == documents


def test_the_seed_draws() -> None:
    documents = [Document(str(i)) for i in range(50)]
    first, again, other = (draw(documents, 10, seed) for seed in (0, 0, 1))
    assert first == again != other and first != documents[:10]
    assert first == sorted(first, key=documents.index), "in the order of the corpus"

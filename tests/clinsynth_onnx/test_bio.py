"""The likeliest sound tags of words, against trying all of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth_onnx.bio import best_tags
from clinsynth_onnx.tokens import continues_word


def tags_of(chances: list[np.ndarray], continues: list[list[bool]]) -> list[np.ndarray]:
    """Tags of each sequence, from all of them at once."""
    lengths = [len(sequence) for sequence in continues]
    whole = np.concatenate(chances) if chances else np.zeros((0, 3))
    tags = best_tags(whole, np.array([*itertools.chain(*continues)], dtype=np.bool_), lengths)
    return np.split(tags, np.cumsum(lengths)[:-1]) if lengths else []


def sound(tags: tuple[int, ...], continues: list[bool]) -> bool:
    """No I continues nothing, and a word is all O, or B or I and then I."""
    follows = all(
        tag == 0 or tag % 2 == 1 or before in (tag, tag - 1) for before, tag in itertools.pairwise((0, *tags))
    )
    whole = all(
        not inner or (tag == before == 0) or (tag % 2 == 0 and before in (tag, tag - 1) and tag > 0)
        for inner, (before, tag) in zip(continues, itertools.pairwise((0, *tags)), strict=True)
    )
    return follows and whole


@given(
    st.lists(st.lists(st.booleans(), max_size=5), max_size=4), st.integers(1, 2), st.integers(0, 2**32 - 1)
)
def test_tags_are_the_likeliest_of_all_sound_ones(drawn: list[list[bool]], labels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes = 1 + 2 * labels
    inner = [[False, *sequence[1:]] if sequence else [] for sequence in drawn]
    chances = [rng.dirichlet(np.full(classes, 0.5), size=len(sequence)) for sequence in inner]
    found = tags_of(chances, inner)

    def likelihood(its_chances: np.ndarray, continues: list[bool], tags: tuple[int, ...]) -> float:
        logs = np.log(its_chances[np.arange(len(its_chances)), list(tags)])
        words = np.cumsum(~np.array(continues))
        return float(sum(logs[words == word].mean() for word in set(words.tolist())))

    for its_chances, continues, tags in zip(chances, inner, found, strict=True):
        assert sound(tuple(tags.tolist()), continues)
        if len(its_chances):
            every = itertools.product(range(classes), repeat=len(its_chances))
            best = max(likelihood(its_chances, continues, c) for c in every if sound(c, continues))
            assert likelihood(its_chances, continues, tuple(tags.tolist())) == pytest.approx(best)


def test_a_lonely_inside_becomes_what_is_likeliest_with_its_neighbours() -> None:
    chances = np.array([[0.4, 0.35, 0.25], [0.1, 0.1, 0.8]])
    assert [t.tolist() for t in tags_of([chances], [[False, False]])] == [[1, 2]]


def test_a_word_is_read_as_a_whole() -> None:
    chances = np.array([[0.05, 0.9, 0.05], [0.6, 0.2, 0.2]])
    assert [t.tolist() for t in tags_of([chances], [[False, True]])] == [[1, 2]]


def test_impossible_classes_do_not_disturb() -> None:
    chances = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    (tags,) = tags_of([chances], [[False, False]])
    assert sound(tuple(tags.tolist()), [False, False])


@pytest.mark.parametrize(
    ("text", "offsets", "continues"),
    [
        ("tumour", [(0, 3), (3, 6)], [False, True]),
        ("a-b 12", [(0, 1), (1, 2), (2, 3), (4, 5), (5, 6)], [False, False, False, False, True]),
        ("\u7ef4\u751f", [(0, 1), (1, 2)], [False, False]),
        ("e\u0301b", [(0, 2), (2, 3)], [False, False]),
        ("\u00e9b", [(0, 1), (0, 1), (1, 2)], [False, True, True]),
        ("\U0001f469", [(0, 1), (0, 1)], [False, True]),
    ],
)
def test_words_of_scripts_with_cases_hold_together(
    text: str, offsets: list[tuple[int, int]], continues: list[bool]
) -> None:
    assert continues_word(text, np.array(offsets)).tolist() == continues

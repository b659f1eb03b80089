"""The likeliest sound tags, against trying all of them."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clinsynth_onnx.bio import best_tags


def sound(tags: tuple[int, ...]) -> bool:
    return all(
        tag == 0 or tag % 2 == 1 or before in (tag, tag - 1) for before, tag in itertools.pairwise((0, *tags))
    )


@given(st.lists(st.integers(0, 5), max_size=4), st.integers(1, 2), st.integers(0, 2**32 - 1))
def test_tags_are_the_likeliest_of_all_sound_ones(lengths: list[int], labels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes = 1 + 2 * labels
    chances = [rng.dirichlet(np.full(classes, 0.5), size=length) for length in lengths]
    for own, tags in zip(chances, best_tags(chances), strict=True):
        assert sound(tuple(tags.tolist()))
        if len(own):
            every = (c for c in itertools.product(range(classes), repeat=len(own)) if sound(c))
            best = max(np.prod(own[np.arange(len(own)), c]) for c in every)
            assert np.isclose(np.prod(own[np.arange(len(own)), tags]), best)


def test_a_lonely_inside_becomes_what_is_likeliest_with_its_neighbours() -> None:
    chances = np.array([[0.4, 0.35, 0.25], [0.1, 0.1, 0.8]])
    assert [t.tolist() for t in best_tags([chances])] == [[1, 2]]


def test_impossible_classes_do_not_disturb() -> None:
    chances = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    (tags,) = best_tags([chances])
    assert sound(tuple(tags.tolist()))

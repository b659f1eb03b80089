"""Batches hold every sequence once and keep to their budget."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clinsynth_onnx.batching import batches, begun_ahead, blocks, cut, in_chunks
from clinsynth_onnx.codec import Example


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 100), st.integers(1, 5))
def test_cuts_add_up(lengths: list[int], budget: int, at_least: int) -> None:
    sizes = cut(sorted(lengths), budget, at_least)
    assert sum(sizes) == len(lengths)
    assert all(size >= min(at_least, len(lengths)) for size in sizes)


@given(st.lists(st.integers(1, 30), max_size=30), st.integers(1, 64))
def test_chunks_give_results_in_order(sizes: list[int], budget: int) -> None:
    examples = [
        Example(np.full(size, i), np.zeros(size, dtype=np.int64), np.zeros(0, dtype=np.int64), 0, (0, 1))
        for i, size in enumerate(sizes)
    ]
    results = in_chunks(examples, budget, lambda chunk: [int(e.input_ids[0]) for e in chunk])
    assert results == list(range(len(sizes)))
    chunks = batches(examples, budget)
    assert sorted(i for chunk in chunks for i in chunk) == list(range(len(sizes)))
    assert all(len(chunk) == 1 or len(chunk) * max(sizes[i] for i in chunk) <= budget for chunk in chunks)


@given(st.lists(st.text(max_size=5)), st.integers(1, 4), st.integers(1, 8))
def test_blocks_hold_every_item_once_within_bounds(items: list[str], most: int, characters: int) -> None:
    made = list(blocks(iter(items), len, most, characters))
    assert [item for block in made for item in block] == items
    for block in made:
        assert 1 <= len(block) <= most and sum(map(len, block[:-1])) < characters
    if made:  # they depend on the items alone
        assert list(blocks(items[len(made[0]) :], len, most, characters)) == made[1:]


def test_some_are_begun_ahead() -> None:
    begun: list[int] = []

    def begin(item: int) -> int:
        begun.append(item)
        return item * 10

    results = begun_ahead(iter(range(4)), begin, 2)
    assert next(results) == (0, 0) and begun == [0, 1, 2]
    assert list(results) == [(1, 10), (2, 20), (3, 30)]

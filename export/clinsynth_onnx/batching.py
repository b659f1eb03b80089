"""Sequences of similar length together, under a token budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from clinsynth_onnx.codec import Example

Result = TypeVar("Result")


def cut(lengths: Sequence[int], batch_tokens: int, at_least: int = 1) -> list[int]:
    """Cuts a sorted run of lengths where a batch would exceed its budget; returns the sizes.

    A batch costs its longest (last) length times its size. It has ``at_least`` members even where
    these cost more, so that each of so many processes has work.
    """
    sizes: list[int] = []
    size = 0
    for length in lengths:
        if size >= at_least and length * (size + 1) > batch_tokens:
            sizes.append(size)
            size = 0
        size += 1
    if size and size < at_least and sizes:
        sizes[-1] += size
    elif size:
        sizes.append(size)
    return sizes


def batches(examples: Sequence[Example], batch_tokens: int) -> list[list[int]]:
    """Indices of the examples, from short to long, in batches under a budget of padded tokens."""
    order = sorted(range(len(examples)), key=lambda i: len(examples[i]))
    result = []
    done = 0
    for size in cut([len(examples[i]) for i in order], batch_tokens):
        result.append(order[done : done + size])
        done += size
    return result


def in_chunks(
    examples: Sequence[Example], batch_tokens: int, work: Callable[[list[Example]], Sequence[Result]]
) -> list[Result]:
    """Does ``work`` on runs of similar length under a token budget; results come in the order given."""
    results: dict[int, Result] = {}
    for chosen in batches(examples, batch_tokens):
        results.update(zip(chosen, work([examples[i] for i in chosen]), strict=True))
    return [results[i] for i in range(len(examples))]

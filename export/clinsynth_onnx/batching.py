"""What is computed together: documents of a stream, and sequences of similar length under a token budget."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from clinsynth_onnx.codec import Example

Item = TypeVar("Item")
Result = TypeVar("Result")


def blocks(
    items: Iterable[Item], characters: Callable[[Item], int], most_items: int, most_characters: int
) -> Iterator[list[Item]]:
    """Cuts a stream where a block has one of the two; depends on the items alone.

    Args:
        items: A stream.
        characters: How many an item has.
        most_items: Items of a block at most.
        most_characters: Characters after which a block ends; it has this many and the last item's at most.
    """
    block: list[Item] = []
    total = 0
    for item in items:
        block.append(item)
        total += characters(item)
        if len(block) >= most_items or total >= most_characters:
            yield block
            block, total = [], 0
    if block:
        yield block


def begun_ahead(
    items: Iterable[Item], begin: Callable[[Item], Result], ahead: int
) -> Iterator[tuple[Item, Result]]:
    """Each item with what ``begin`` gives of it, which is called for ``ahead`` more before that."""
    under_way: deque[tuple[Item, Result]] = deque()
    for item in items:
        under_way.append((item, begin(item)))
        if len(under_way) > ahead:
            yield under_way.popleft()
    yield from under_way


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

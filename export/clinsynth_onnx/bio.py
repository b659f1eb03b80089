"""The likeliest BIO tags that make sense together."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

from clinsynth_onnx.codec import FloatArray
from clinsynth_onnx.tokens import IntArray

TIE = 1e-9  # below what two log probabilities differ by that are not the same sum in another order


def best_tags(chances: FloatArray, continues: NDArray[np.bool_], lengths: Sequence[int]) -> IntArray:
    """The likeliest tags in which no I continues nothing and no word is torn apart (Viterbi 1967).

    A word is read as a whole: what its tokens say is averaged (geometric mean of probabilities).

    Args:
        chances: Probabilities ``[tokens, classes]`` of all sequences, one after the other; the classes
            are O, then B and I of each label.
        continues: Which tokens ``[tokens]`` go on with the word of the token before; never the first
            of a sequence.
        lengths: Tokens of each sequence.

    Returns:
        Class indices ``[tokens]``.
    """
    if not len(chances):
        return np.zeros(0, dtype=np.int64)
    words = _by_word(chances, continues)
    # the likeliest tags of each word alone are the answer wherever they make sense already
    tags = np.asarray(words.argmax(axis=-1), dtype=np.int64)
    borders = np.concatenate([[0], np.cumsum(~continues)])[np.cumsum([0, *lengths])]
    before = np.concatenate([[0], tags[:-1]])
    before[borders[:-1][borders[:-1] < len(tags)]] = 0
    unsound = (tags > 0) & (tags % 2 == 0) & (before != tags) & (before != tags - 1)
    if unsound.any():
        sequences = set((np.searchsorted(borders, np.flatnonzero(unsound), side="right") - 1).tolist())
        for start, end in [(int(borders[i]), int(borders[i + 1])) for i in sequences]:
            tags[start:end] = _viterbi(words[start:end])
    return _by_token(tags, continues)


def _by_word(chances: FloatArray, continues: NDArray[np.bool_]) -> FloatArray:
    """Mean log probabilities ``[words, classes]``; B of a word is B of its first token and I of the rest."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.asarray(chances, dtype=np.float64))
    if not continues.any():
        return logs
    logs[np.ix_(continues, np.arange(1, logs.shape[1], 2))] = logs[continues][:, 2::2]
    starts = np.flatnonzero(~continues)
    sizes = np.diff(np.append(starts, len(logs)))
    result: FloatArray = np.add.reduceat(logs, starts, axis=0) / sizes[:, None]
    result[:, 2::2] -= TIE  # what may begin or go on begins: a mention before it keeps its end
    return result


def _by_token(tags: IntArray, continues: NDArray[np.bool_]) -> IntArray:
    result: IntArray = tags[np.cumsum(~continues) - 1]
    result[continues & (result % 2 == 1)] += 1
    return result


def _viterbi(logs: FloatArray) -> list[int]:
    """The best path through log probabilities ``[words, classes]`` of one sequence."""
    # plain lists: few sequences need this, and a step is too short for numpy to pay off
    first, *rest = logs.tolist()
    inside = range(2, len(first), 2)
    score = [-inf if i in inside else value for i, value in enumerate(first)]
    came_from = []
    for word in rest:
        best = max(range(len(score)), key=score.__getitem__)
        origin = [best] * len(score)
        for i in inside:
            origin[i] = i if score[i] >= score[i - 1] else i - 1
        score = [score[before] + value for before, value in zip(origin, word, strict=True)]
        came_from.append(origin)
    path = [max(range(len(score)), key=score.__getitem__)]
    for origin in reversed(came_from):
        path.append(origin[path[-1]])
    return path[::-1]

"""The likeliest BIO tags that make sense together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clinsynth_onnx.codec import FloatArray
from clinsynth_onnx.tokens import IntArray


def best_tags(chances: Sequence[FloatArray], continues: Sequence[NDArray[np.bool_]]) -> list[IntArray]:
    """The likeliest tags in which no I continues nothing and no word is torn apart (Viterbi 1967).

    A word is read as a whole: what its tokens say is averaged (geometric mean of probabilities).

    Args:
        chances: Probabilities ``[tokens, classes]`` of each sequence; the classes are O, then B and I
            of each label.
        continues: Which tokens ``[tokens]`` go on with the word of the token before.

    Returns:
        Class indices ``[tokens]`` of each sequence.
    """
    words = [_by_word(own, inner) for own, inner in zip(chances, continues, strict=True)]
    tags = [np.asarray(own.argmax(axis=-1), dtype=np.int64) for own in words]
    # the likeliest tags of each word alone are the answer wherever they make sense already
    unsound = sorted((i for i, own in enumerate(tags) if not _sound(own)), key=lambda i: -len(tags[i]))
    if unsound:
        for i, own in zip(unsound, _viterbi([words[i] for i in unsound]), strict=True):
            tags[i] = own
    return [_by_token(own, inner) for own, inner in zip(tags, continues, strict=True)]


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
    return result


def _by_token(tags: IntArray, continues: NDArray[np.bool_]) -> IntArray:
    result = tags[np.cumsum(~continues) - 1] if len(continues) else tags
    begins = continues & (result % 2 == 1)
    return np.where(begins, result + 1, result)


def _sound(tags: IntArray) -> bool:
    inside = (tags > 0) & (tags % 2 == 0)
    before = np.concatenate([[0], tags[:-1]])
    return bool((~inside | (before == tags) | (before == tags - 1)).all())


def _viterbi(logs: Sequence[FloatArray]) -> list[IntArray]:
    """All sequences of log probabilities side by side, the longest first."""
    lengths = np.array([len(own) for own in logs])
    classes = logs[0].shape[-1]
    inside = np.arange(2, classes, 2)
    came_from = np.zeros((int(lengths[0]), len(logs), classes), dtype=np.int64)
    score = np.stack([own[0] for own in logs])
    score[:, inside] = -np.inf
    for place in range(1, int(lengths[0])):
        running = int(np.count_nonzero(lengths > place))  # the first ones, as they are the longest
        before = score[:running]
        origin = came_from[place][:running]
        origin[:] = before.argmax(axis=1)[:, None]
        origin[:, inside] = np.where(before[:, inside] >= before[:, inside - 1], inside, inside - 1)
        score[:running] = np.take_along_axis(before, origin, axis=1) + np.stack(
            [own[place] for own in logs[:running]]
        )
    result = []
    for row, length in enumerate(lengths.tolist()):
        path = [int(score[row].argmax())]
        for place in range(length - 1, 0, -1):
            path.append(int(came_from[place][row, path[-1]]))
        result.append(np.array(path[::-1], dtype=np.int64))
    return result

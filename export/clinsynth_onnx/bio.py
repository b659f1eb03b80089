"""The likeliest BIO tags that make sense together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clinsynth_onnx.codec import FloatArray
from clinsynth_onnx.tokens import IntArray


def best_tags(chances: Sequence[FloatArray]) -> list[IntArray]:
    """The tags with the highest joint probability in which no I continues nothing (Viterbi 1967).

    Args:
        chances: Probabilities ``[tokens, classes]`` of each sequence; the classes are O, then B and I
            of each label.

    Returns:
        Class indices ``[tokens]`` of each sequence.
    """
    tags = [np.asarray(own.argmax(axis=-1), dtype=np.int64) for own in chances]
    # the likeliest tags of each token alone are the answer wherever they make sense already
    unsound = sorted((i for i, own in enumerate(tags) if not _sound(own)), key=lambda i: -len(tags[i]))
    if unsound:
        for i, own in zip(unsound, _viterbi([chances[i] for i in unsound]), strict=True):
            tags[i] = own
    return tags


def _sound(tags: IntArray) -> bool:
    inside = (tags > 0) & (tags % 2 == 0)
    before = np.concatenate([[0], tags[:-1]])
    return bool((~inside | (before == tags) | (before == tags - 1)).all())


def _viterbi(chances: Sequence[FloatArray]) -> list[IntArray]:
    """All sequences side by side, the longest first."""
    lengths = np.array([len(own) for own in chances])
    classes = chances[0].shape[-1]
    with np.errstate(divide="ignore"):
        logs = [np.log(own) for own in chances]
    inside = np.arange(2, classes, 2)
    came_from = [np.zeros((n, classes), dtype=np.int64) for n in [len(chances)] * int(lengths[0])]
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

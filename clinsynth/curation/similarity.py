"""Texts that share most of their words in the same order."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported where they are used: they take longer than the rest of a command's start
    from datasketch import MinHash

WORD = re.compile(r"\w+")
SHINGLE = 3  # words
PERMUTATIONS = 128


def words(text: str) -> list[str]:
    """Lower-cased words, without punctuation."""
    return WORD.findall(text.lower())


def ngrams(text: str, size: int) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Runs of ``size`` words, each with the characters where it begins and ends."""
    found = [(match[0].lower(), match.start(), match.end()) for match in WORD.finditer(text)]
    for i in range(len(found) - size + 1):
        run = found[i : i + size]
        yield tuple(word for word, _, _ in run), run[0][1], run[-1][2]


def shingles(text: str) -> frozenset[str]:
    """Runs of three words, or all words of a shorter text as one."""
    found = words(text)
    if len(found) < SHINGLE:
        return frozenset([" ".join(found)])
    return frozenset(" ".join(found[i : i + SHINGLE]) for i in range(len(found) - SHINGLE + 1))


class NearIndex:
    """Finds texts by their Jaccard similarity over shingles: |A & B| / |A | B|.

    MinHash with locality-sensitive hashing (Broder 1997) proposes, the exact similarity decides. A pair
    above the threshold is missed with a small probability, which is lower the more similar it is.
    """

    def __init__(self, threshold: float) -> None:
        from datasketch import MinHashLSH

        self.threshold = threshold
        self._index = MinHashLSH(num_perm=PERMUTATIONS, params=_bands(threshold * 0.9))
        self._shingles: dict[Hashable, frozenset[str]] = {}

    def add(self, key: Hashable, text: str) -> None:
        """Makes a text findable."""
        runs = shingles(text)
        self._shingles[key] = runs
        self._index.insert(key, _minhash(runs))

    def near(self, text: str) -> list[tuple[Hashable, float]]:
        """Keys of similar texts with their similarity, the most similar first."""
        runs = shingles(text)
        found = []
        for key in self._index.query(_minhash(runs)):
            other = self._shingles[key]
            similarity = len(runs & other) / len(runs | other)
            if similarity >= self.threshold:
                found.append((key, similarity))
        return sorted(found, key=lambda pair: (-pair[1], str(pair[0])))


@cache
def _bands(threshold: float) -> tuple[int, int]:
    """Number and size of bands for a threshold; searching them takes longer than a small corpus."""
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
    return index.b, index.r


@cache
def _empty() -> MinHash:
    from datasketch import MinHash

    return MinHash(PERMUTATIONS)


def _minhash(runs: frozenset[str]) -> MinHash:
    minhash = _empty().copy()
    minhash.update_batch([run.encode("utf-8", "surrogatepass") for run in runs])
    return minhash

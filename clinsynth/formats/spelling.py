"""Which known word was meant by one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that is spelt most like ``word``, or ``None``.

    Args:
        word: What was written.
        known: Words to choose from.
        cutoff: Similarity from which a word is meant, from 0 to 1, as ``difflib`` counts it.
    """
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)), None)


def did_you_mean(word: str | None, form: str = "{!r}") -> str:
    """The end of a message, ``. Did you mean 'fit'?``; nothing if no word is near.

    Args:
        word: The word that was most likely meant.
        form: How it is written.
    """
    return f". Did you mean {form.format(word)}?" if word else ""

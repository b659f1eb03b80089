"""From the characters of a text to tokens that know where they stand in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

IntArray = NDArray[np.int64]

PAD_TOKENS = ("[PAD]", "<pad>", "<|padding|>")
MARKS = {"Mn", "Mc", "Me"}  # accents, vowel signs, variation selectors: part of the character before


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one text, without special tokens.

    Attributes:
        ids: Vocabulary indices, ``[tokens]``.
        offsets: Half-open character offsets into the text, ``[tokens, 2]``; never white space at
            either end. A token that stands for no visible character has an empty span.
    """

    ids: IntArray
    offsets: IntArray

    def __len__(self) -> int:
        return len(self.ids)


class TextTokenizer:
    """A Hugging Face ``tokenizers`` tokenizer whose offsets hold for any text.

    Truncation and padding that a ``tokenizer.json`` may carry are switched off: sentence
    encoders are often published with a maximum of 128 tokens.

    Args:
        tokenizer_json: The content of a ``tokenizer.json``.
    """

    def __init__(self, tokenizer_json: str) -> None:
        self.json = tokenizer_json
        self._tokenizer = Tokenizer.from_str(tokenizer_json)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.prefix, self.suffix = self._special_tokens()
        ids = (self._tokenizer.token_to_id(token) for token in PAD_TOKENS)
        self.pad_id: int = next((number for number in ids if number is not None), 0)

    def __call__(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokenises each text whole, whatever its length."""
        if len(texts) == 1:  # waking the threads that a batch is shared out to would take longer
            encodings = [self._tokenizer.encode(texts[0], add_special_tokens=False)]
        else:
            encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        tokens = [_tokens(encoding) for encoding in encodings]
        _trim(texts, tokens)
        for text, found in zip(texts, tokens, strict=True):
            if not text.isascii():
                _attach_marks(text, found.offsets)
        return tokens

    def _special_tokens(self) -> tuple[IntArray, IntArray]:
        """What the model wants before and after a sequence, e.g. ``[CLS]`` and ``[SEP]``."""
        encoding = self._tokenizer.encode("a", add_special_tokens=True)
        inner = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
        ids = np.asarray(encoding.ids, dtype=np.int64)
        return ids[: inner[0]], ids[inner[-1] + 1 :]


def _tokens(encoding: Encoding) -> Tokens:
    ids = np.array(encoding.ids, dtype=np.int64)
    offsets = np.fromiter(chain.from_iterable(encoding.offsets), dtype=np.int64, count=2 * len(ids))
    return Tokens(ids, offsets.reshape(-1, 2))


def continues_word(text: str, offsets: IntArray) -> NDArray[np.bool_]:
    """Which tokens go on with the word of the token before, by offsets ``[tokens, 2]`` of visible tokens.

    A word is a run of digits and of letters that have a case: the scripts that have cases set words
    apart by spaces, others may not. Tokens that share a character are always of one word.
    """
    before, starts = offsets[:-1, 1], offsets[1:, 0]
    result = np.zeros(len(offsets), dtype=np.bool_)
    result[1:] = starts < before
    close = np.flatnonzero(starts == before)
    places = starts[close]
    result[close + 1] = _is(_spelt, text, places - 1) & _is(_spelt, text, places)
    return result


def _is(kind: Callable[[str], bool], text: str, places: IntArray) -> NDArray[np.bool_]:
    """Whether the characters of ``text`` at ``places`` are of a kind."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)[places]
    result = _ascii(kind)[np.minimum(points, 127)]
    for i in np.flatnonzero(points > 127).tolist():
        result[i] = kind(chr(points[i]))
    return result


@lru_cache
def _ascii(kind: Callable[[str], bool]) -> NDArray[np.bool_]:
    return np.array([kind(chr(point)) for point in range(128)], dtype=np.bool_)


def _spelt(character: str) -> bool:
    return character.isdecimal() or character.lower() != character.upper()


def _trim(texts: Sequence[str], tokens: Sequence[Tokens]) -> None:
    """Takes white space off both ends of each span: byte-level tokenizers count it in."""
    sizes = np.array([len(pieces) for pieces in tokens], dtype=np.int64)
    if not sizes.any():
        return
    text_starts = np.cumsum([0, *map(len, texts)])
    text_of = np.repeat(np.arange(len(texts)), sizes)
    offsets = np.concatenate([pieces.offsets for pieces in tokens])
    visible = np.flatnonzero(offsets[:, 0] < offsets[:, 1])
    places = offsets[visible] + text_starts[text_of[visible], None]
    whole = "".join(texts)
    loose = _is(str.isspace, whole, places[:, 0]) | _is(str.isspace, whole, places[:, 1] - 1)
    first = np.cumsum(sizes) - sizes
    for i in visible[loose].tolist():
        document = int(text_of[i])
        start, end = offsets[i].tolist()
        piece = texts[document][start:end]
        left = len(piece) - len(piece.lstrip())
        tokens[document].offsets[i - first[document]] = (start + left, start + max(left, len(piece.rstrip())))


def _attach_marks(text: str, offsets: IntArray) -> None:
    """Gives marks that a normaliser dropped, such as accents, back to the token before them."""
    limit = len(text)
    for i in range(len(offsets) - 1, -1, -1):
        start, end = offsets[i].tolist()
        if start == end:
            continue
        while end < limit and unicodedata.category(text[end]) in MARKS:
            end += 1
        offsets[i, 1] = end
        limit = start

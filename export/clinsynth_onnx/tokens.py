"""From the characters of a text to tokens that know where they stand in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

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
        self.pad_id: int = next((one for one in ids if one is not None), 0)

    def __call__(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokenises each text whole, whatever its length."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [_tokens(text, encoding) for text, encoding in zip(texts, encodings, strict=True)]

    def _special_tokens(self) -> tuple[IntArray, IntArray]:
        """What the model wants before and after a sequence, e.g. ``[CLS]`` and ``[SEP]``."""
        encoding = self._tokenizer.encode("a", add_special_tokens=True)
        inner = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
        ids = np.asarray(encoding.ids, dtype=np.int64)
        return ids[: inner[0]], ids[inner[-1] + 1 :]


def _tokens(text: str, encoding: Encoding) -> Tokens:
    ids = np.asarray(encoding.ids, dtype=np.int64)
    offsets = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    _trim(text, offsets)
    if not text.isascii():
        _attach_marks(text, offsets)
    return Tokens(ids, offsets)


def continues_word(text: str, offsets: IntArray) -> NDArray[np.bool_]:
    """Which tokens go on with the word of the token before, by offsets ``[tokens, 2]`` of visible tokens.

    A word is a run of digits and of letters that have a case: the scripts that have cases set words
    apart by spaces, others may not. Tokens that share a character are always of one word.
    """
    before, starts = offsets[:-1, 1], offsets[1:, 0]
    result = np.zeros(len(offsets), dtype=np.bool_)
    result[1:] = starts < before
    for i in (np.flatnonzero(starts == before) + 1).tolist():
        place = int(offsets[i, 0])
        result[i] = _spelt(text[place - 1]) and _spelt(text[place])
    return result


def _spelt(character: str) -> bool:
    return character.isdecimal() or character.lower() != character.upper()


def _trim(text: str, offsets: IntArray) -> None:
    """Takes white space off both ends of each span: byte-level tokenizers count it in."""
    for i, (start, end) in enumerate(offsets.tolist()):
        if start < end and (text[start].isspace() or text[end - 1].isspace()):
            piece = text[start:end]
            left = len(piece) - len(piece.lstrip())
            offsets[i] = (start + left, start + max(left, len(piece.rstrip())))


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

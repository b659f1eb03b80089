"""Documents to network inputs, and network outputs back to Documents.

A codec is the only code that knows both characters and tokens. ``encode`` and
``decode`` are inverses up to what tokens cannot express; that is counted in
``Features.unaligned`` and never passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clinsynth_onnx.document import Document
from clinsynth_onnx.tokens import IntArray, TextTokenizer, Tokens

FloatArray = NDArray[np.floating]

IGNORE = -100  # the label of a position that has none: torch's convention in cross_entropy
NO_PAIRS = np.zeros((0, 2), dtype=np.int64)
# what padding is filled with is no concept, and a padded pair is not of padded mentions
NO_MARK, NO_PAIR = -1, -2


@dataclass(frozen=True, slots=True)
class Unalignable:
    """Something gold that a codec could not express exactly.

    Attributes:
        document: ``Document.id`` of where it is.
        start: Character offset of the mention or of the relation's head.
        end: The end of it.
        label: Its label.
        reason: What is in the way, the same words each time so that it can be counted.
    """

    document: str
    start: int
    end: int
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class Example:
    """One sequence for the network.

    Attributes:
        input_ids: ``[length]``, special tokens included.
        labels: One class index for each token, ``[length]``, or for the sequence, ``[1]``; for each pair of
            concepts and class whether it is so, ``[pairs, classes]``. ``IGNORE`` where there is none.
        anchors: Positions whose hidden states represent head and tail, ``[2]``; or empty, ``[0]``.
        document: Index into ``Features.documents``.
        origin: Where in the document it comes from: the first and the end token of a window,
            or the head and the tail of a candidate pair.
        marks: Position and concept of each mention, ``[mentions, 2]``, where pairs of concepts are scored.
        pairs: Head and tail, concepts of ``marks``, ``[pairs, 2]``; or empty, ``[0, 2]``.
    """

    input_ids: IntArray
    labels: IntArray
    anchors: IntArray
    document: int
    origin: tuple[int, int]
    marks: IntArray = field(default_factory=lambda: NO_PAIRS)
    pairs: IntArray = field(default_factory=lambda: NO_PAIRS)

    def __len__(self) -> int:
        return len(self.input_ids)

    @property
    def targets(self) -> int:
        """How many tokens, sequences or pairs have a label: what a loss is the mean over."""
        return len(self.pairs) or int(np.count_nonzero(self.labels != IGNORE))


@dataclass(frozen=True, slots=True)
class Features:
    """What ``encode`` makes of documents.

    Attributes:
        documents: The documents, in the order given.
        examples: Their sequences, in document order.
        tokens: The tokens of each document, where ``decode`` needs them.
        unaligned: Gold that could not be expressed, for a report.
    """

    documents: tuple[Document, ...]
    examples: tuple[Example, ...]
    tokens: tuple[Tokens, ...]
    unaligned: tuple[Unalignable, ...]


class Codec(Protocol):
    """Inverses that live together; ``classes`` names the network's outputs in order."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def pad_id(self) -> int: ...

    @property
    def tokenizer(self) -> TextTokenizer: ...

    @property
    def max_length(self) -> int: ...

    def encode(self, documents: Sequence[Document]) -> Features: ...

    def decode(self, features: Features, logits: Sequence[FloatArray]) -> list[Document]:
        """Documents from each example's logits, ``[length, classes]`` or ``[classes]``."""
        ...


def pad(examples: Sequence[Example], pad_id: int) -> Mapping[str, IntArray]:
    """Stacks sequences into ``input_ids``, ``attention_mask``, ``labels`` and ``anchors``, padded right.

    Shapes: ``[batch, longest]``, except ``labels`` of whole sequences (``[batch, 1]``) and
    ``anchors`` (``[batch, 2]`` or ``[batch, 0]``). Sequences with pairs of concepts have ``labels``
    ``[batch, most pairs, classes]`` and besides ``marks`` ``[batch, most mentions, 2]``, filled with
    ``NO_MARK``, and ``pairs`` ``[batch, most pairs, 2]``, filled with ``NO_PAIR``.
    """
    stacked = {
        "input_ids": _stack([e.input_ids for e in examples], pad_id),
        "attention_mask": _stack([np.ones_like(e.input_ids) for e in examples], 0),
        "labels": _stack([e.labels for e in examples], IGNORE),
        "anchors": _stack([e.anchors for e in examples], 0),
    }
    if any(len(e.pairs) for e in examples):
        stacked["marks"] = _stack([e.marks for e in examples], NO_MARK)
        stacked["pairs"] = _stack([e.pairs for e in examples], NO_PAIR)
    return stacked


def unpad(logits: FloatArray, examples: Sequence[Example]) -> list[FloatArray]:
    """What a network makes of a padded batch, for each sequence without its padding.

    Args:
        logits: ``[batch, longest, classes]`` of tokens, ``[batch, most pairs, classes]`` of pairs of
            concepts, or ``[batch, classes]`` of whole sequences.
        examples: What ``pad`` was given.

    Returns:
        ``[length, classes]``, ``[pairs, classes]`` or ``[classes]`` of each.
    """
    return [row[: len(e.labels)] if row.ndim == 2 else row for e, row in zip(examples, logits, strict=True)]


def _stack(rows: Sequence[IntArray], fill: int) -> IntArray:
    shape = np.max([row.shape for row in rows], axis=0) if rows else (0,)
    out = np.full((len(rows), *shape), fill, dtype=np.int64)
    for row, values in zip(out, rows, strict=True):
        row[tuple(map(slice, values.shape))] = values
    return out


def reasons(unaligned: Sequence[Unalignable]) -> dict[str, int]:
    """How often each reason occurs."""
    return dict(Counter(gold.reason for gold in unaligned))


def probabilities(logits: FloatArray) -> FloatArray:
    """Softmax over the last axis, in float64."""
    shifted = np.asarray(logits, dtype=np.float64)
    shifted = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    result: FloatArray = shifted / shifted.sum(axis=-1, keepdims=True)
    return result

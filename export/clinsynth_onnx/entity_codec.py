"""Entities as BIO tags over subword tokens; long texts as overlapping windows."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from clinsynth_onnx.abbreviations import agreeing
from clinsynth_onnx.bio import best_tags
from clinsynth_onnx.codec import IGNORE, Example, Features, FloatArray, Unalignable, probabilities
from clinsynth_onnx.document import Document, Entity, passage_starts
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.sentences import sentence_starts
from clinsynth_onnx.tokens import IntArray, TextTokenizer, Tokens, continues_word

Unit = Literal["sentence", "document"]

OUTSIDE = 0
NO_ANCHORS = np.zeros(0, dtype=np.int64)


class EntityCodec:
    """BIO tags (Ramshaw and Marcus 1995, the IOB2 variant) over the tokens of whole documents.

    A sentence or document longer than a window becomes several, each sharing ``overlap`` tokens
    with the one before. A token that two windows see is read in the window where it has more
    context on its poorer side. So each token is decided once, entities are put together over the
    whole document, and none is cut or doubled at a border. Words are tagged as wholes (``continues_word``).
    No entity goes from one of the document's passages into the next.

    Args:
        tokenizer: From characters to tokens.
        schema: The task.
        unit: What a sequence holds: one sentence, or as much of the document as fits.
        max_length: Tokens in a sequence at most, special tokens included.
        overlap: Tokens that neighbouring windows share.
        abbreviations: Whether what is decoded agrees with the abbreviations that its document defines.
    """

    def __init__(
        self,
        tokenizer: TextTokenizer,
        schema: Schema,
        unit: Unit = "sentence",
        max_length: int = 512,
        overlap: int = 128,
        abbreviations: bool = True,
    ) -> None:
        self.tokenizer = tokenizer
        self.schema = schema
        self.unit = unit
        self.max_length = max_length
        self.overlap = overlap
        self.abbreviations = abbreviations
        self._room = max_length - len(tokenizer.prefix) - len(tokenizer.suffix)
        if not 0 <= overlap < self._room:
            raise ValueError(
                f"windows of {max_length} tokens hold {self._room} tokens of text, "
                f"so the overlap must be from 0 to {self._room - 1}, not {overlap}"
            )
        self.classes = ("O", *(f"{p}-{label}" for label in schema.entity_labels for p in "BI"))
        self._begin = {label: 1 + 2 * i for i, label in enumerate(schema.entity_labels)}

    @property
    def pad_id(self) -> int:
        return self.tokenizer.pad_id

    def encode(self, documents: Sequence[Document]) -> Features:
        """Windows of tagged tokens. Raises ``ValueError`` on a label the schema does not have."""
        tokens = self.tokenizer([document.text for document in documents])
        examples: list[Example] = []
        unaligned: list[Unalignable] = []
        for index, (document, its_tokens) in enumerate(zip(documents, tokens, strict=True)):
            tags, its_unaligned = self._tags(document, its_tokens)
            unaligned += its_unaligned
            for first, end in self._segments(document, its_tokens):
                examples += self._windows(index, its_tokens, tags, first, end)
        return Features(tuple(documents), tuple(examples), tuple(tokens), tuple(unaligned))

    def decode(self, features: Features, logits: Sequence[FloatArray]) -> list[Document]:
        """Documents with the entities that ``logits`` ``[length, classes]`` of each window say."""
        if not features.documents:
            return []
        scores = np.concatenate(self._merged(features, logits))
        # all documents at once: as many calls for a thousand sentences as for one
        text = "".join(document.text for document in features.documents)
        text_starts = np.cumsum([0, *(len(document.text) for document in features.documents)])
        document_of = np.repeat(np.arange(len(features.tokens)), [len(tokens) for tokens in features.tokens])
        offsets = np.concatenate([tokens.offsets for tokens in features.tokens])
        # a token without characters says nothing and stands between none
        visible = offsets[:, 0] < offsets[:, 1]
        document_of, offsets, scores = document_of[visible], offsets[visible], scores[visible]
        if not (scores.argmax(axis=1) != OUTSIDE).any():  # then no path is better than the one outside
            return [document.annotated(()) for document in features.documents]
        chances = probabilities(scores)
        at = text_starts[document_of]
        borders = np.array(
            [
                text_starts[i] + start
                for i, document in enumerate(features.documents)
                for start in passage_starts(document)
            ],
            dtype=np.int64,
        )
        crossed = np.searchsorted(borders, offsets[:, 0] + at, side="right")
        limits = np.append(borders, len(text))[crossed] - at
        passage = document_of + crossed
        lengths = np.unique(passage, return_counts=True)[1]
        inner = continues_word(text, offsets + at[:, None])
        inner[np.cumsum(lengths)[:-1]] = False
        tags = best_tags(chances, inner, lengths.tolist())
        found: list[list[Entity]] = [[] for _ in features.documents]
        for first, last in self._mentions(tags, passage):
            score = float(chances[np.arange(first, last + 1), tags[first : last + 1]].mean())
            label = self.schema.entity_labels[(int(tags[first]) - 1) // 2]
            start, end = int(offsets[first, 0]), int(min(offsets[last, 1], limits[last]))
            found[document_of[first]].append(Entity(start, end, label, score))
        decoded = [d.annotated(tuple(e)) for d, e in zip(features.documents, found, strict=True)]
        return [agreeing(document) for document in decoded] if self.abbreviations else decoded

    def _merged(self, features: Features, logits: Sequence[FloatArray]) -> list[FloatArray]:
        """Logits ``[tokens, classes]`` of each document, each token's from where it has most context."""
        merged: list[FloatArray] = [np.zeros((len(tokens), len(self.classes))) for tokens in features.tokens]
        margin: dict[int, IntArray] = {}
        left = len(self.tokenizer.prefix)
        for example, scores in zip(features.examples, logits, strict=True):
            start, end = example.origin
            into = merged[example.document]
            if (start, end) == (0, len(into)):
                into[:] = scores[left : left + end]
                continue
            best = margin.setdefault(example.document, np.full(len(into), -1, dtype=np.int64))
            context = np.minimum(np.arange(start, end) - start, end - 1 - np.arange(start, end))
            better = context > best[start:end]
            rows = np.arange(start, end)[better]
            best[rows] = context[better]
            into[rows] = scores[left + rows - start]
        return merged

    def _tags(self, document: Document, tokens: Tokens) -> tuple[IntArray, list[Unalignable]]:
        unknown = self.schema.unknown_labels(document.entities)
        if unknown:
            raise ValueError(
                f"document {document.id!r} has {unknown[0]!r} entities, but the task "
                f"{self.schema.name!r} knows {', '.join(self.schema.entity_labels)} only"
            )
        tags = np.full(len(tokens), OUTSIDE, dtype=np.int64)
        starts, ends = tokens.offsets[:, 0], tokens.offsets[:, 1]
        tags[starts == ends] = IGNORE
        if not document.entities:
            return tags, []
        visible = np.flatnonzero(starts < ends)
        inner = continues_word(document.text, tokens.offsets[visible])
        borders = passage_starts(document)
        inner &= ~np.isin(starts[visible], borders)
        word_starts = set(starts[visible][~inner].tolist())
        word_ends = set(ends[visible][~np.append(inner[1:], False)].tolist()) if len(visible) else set()
        unaligned: list[Unalignable] = []
        for entity in sorted(document.entities, key=lambda e: (e.start, -e.end, e.label)):
            covered = np.flatnonzero((starts < entity.end) & (ends > entity.start) & (starts < ends))
            if len(covered) == 0:
                reason = "no token stands for it"
            elif bisect_right(borders, entity.start) != bisect_left(borders, entity.end):
                reason = "it goes from one passage into the next"
            elif (tags[covered] != OUTSIDE).any():
                reason = "it overlaps another mention"
            else:
                tags[covered] = self._begin[entity.label] + 1
                tags[covered[0]] = self._begin[entity.label]
                if entity.start in word_starts and entity.end in word_ends:
                    continue
                reason = "it begins or ends inside a token or a word"
            unaligned.append(Unalignable(document.id, entity.start, entity.end, entity.label, reason))
        return tags, unaligned

    def _segments(self, document: Document, tokens: Tokens) -> Iterator[tuple[int, int]]:
        """First and end token of each sentence, or of the whole text."""
        cuts = [0, len(tokens)]
        if self.unit == "sentence":
            starts = np.array(sentence_starts(document.text, passage_starts(document), self.schema.layout))
            cuts = [*np.searchsorted(tokens.offsets[:, 0], starts).tolist(), len(tokens)]
        for first, end in itertools.pairwise(cuts):
            if first < end or len(tokens) == 0:
                yield first, end

    def _windows(
        self, index: int, tokens: Tokens, tags: IntArray, first: int, last: int
    ) -> Iterator[Example]:
        prefix, suffix = self.tokenizer.prefix, self.tokenizer.suffix
        before, after = (np.full(len(x), IGNORE, dtype=np.int64) for x in (prefix, suffix))
        start = first
        while True:
            end = min(start + self._room, last)
            yield Example(
                np.concatenate([prefix, tokens.ids[start:end], suffix]),
                np.concatenate([before, tags[start:end], after]),
                NO_ANCHORS,
                index,
                (start, end),
            )
            if end == last:
                return
            start = end - self.overlap

    @staticmethod
    def _mentions(tags: IntArray, passage: IntArray) -> Iterator[tuple[int, int]]:
        """First and last token of each B with the I that follow it in the same passage."""
        begins = np.flatnonzero(tags % 2 == 1)
        after = np.append(tags[1:], OUTSIDE)
        after[:-1][passage[1:] != passage[:-1]] = OUTSIDE
        ends = np.flatnonzero((tags != OUTSIDE) & ((after % 2 == 1) | (after == OUTSIDE)))
        return zip(begins.tolist(), ends.tolist(), strict=True)

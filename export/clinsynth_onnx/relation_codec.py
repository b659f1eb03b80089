"""Relations as one marked sequence for each candidate pair of entities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from clinsynth_onnx.codec import Example, Features, FloatArray, Unalignable, probabilities
from clinsynth_onnx.concept_fields import ABOUT_RELATIONS
from clinsynth_onnx.document import Document, Relation
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.tokens import IntArray, TextTokenizer, Tokens

Marking = Literal["mask", "markers"]

NONE = 0


class RelationCodec:
    """Every pair of entities that the schema allows, each in a copy of its text where it is marked.

    ``mask`` replaces the two mentions by ``@LABEL$`` (Lee et al. 2020, BioBERT), so that a model
    cannot learn names. ``markers`` puts typed punctuation around them (Zhou and Chen 2022): ``@ *
    gene * BRCA1 @`` for the head, ``# ^ disease ^ cancer #`` for the tail; no new tokens needed.

    A text longer than a sequence keeps what is around the two mentions, the same number of tokens
    on each side; the number of texts so cut is in ``Features.unaligned``.

    Args:
        tokenizer: From characters to tokens.
        schema: The task; needs at least one relation type.
        marking: How the two mentions are marked.
        max_length: Tokens in a sequence at most, special tokens included.
    """

    def __init__(
        self, tokenizer: TextTokenizer, schema: Schema, marking: Marking = "mask", max_length: int = 512
    ) -> None:
        self.tokenizer = tokenizer
        self.schema = schema
        self.marking = marking
        self.max_length = max_length
        self.classes = (schema.none_label, *schema.relation_labels)
        self._room = max_length - len(tokenizer.prefix) - len(tokenizer.suffix)
        if self._room < 32:
            raise ValueError(f"sequences of {max_length} tokens are too short to hold two marked mentions")

    @property
    def pad_id(self) -> int:
        return self.tokenizer.pad_id

    def encode(self, documents: Sequence[Document]) -> Features:
        """One example for each candidate pair, labelled with the relation it has or none."""
        unaligned: list[Unalignable] = []
        pairs: list[tuple[int, tuple[int, int], int]] = []
        texts: list[str] = []
        spans: list[tuple[tuple[int, int], tuple[int, int]]] = []
        for index, document in enumerate(documents):
            gold = self._gold(document, unaligned)
            for pair in self.schema.candidate_pairs(document):
                text, marked = self._marked(document, pair)
                pairs.append((index, pair, gold.get(pair, NONE)))
                texts.append(text)
                spans.append(marked)
        examples = []
        for (index, pair, label), tokens, marked in zip(pairs, self.tokenizer(texts), spans, strict=True):
            ids, anchors, cut = self._fit(tokens, marked)
            if cut:
                unaligned.append(
                    self._cannot_say(documents[index], pair, "its text is longer than a sequence")
                )
            examples.append(Example(ids, np.array([label]), anchors, index, pair))
        return Features(tuple(documents), tuple(examples), (), tuple(unaligned))

    def decode(self, features: Features, logits: Sequence[FloatArray]) -> list[Document]:
        """The documents, their relations replaced by what ``logits`` ``[classes]`` of each pair say."""
        found: list[list[Relation]] = [[] for _ in features.documents]
        for example, allowed, chances in self._judged(features, logits):
            best = int(chances.argmax())
            if allowed[best] != NONE:
                relation = Relation(*example.origin, self.classes[allowed[best]], float(chances[best]))
                found[example.document].append(relation)
        return [
            replace(
                document,
                relations=tuple(relations),
                meta={key: value for key, value in document.meta.items() if key not in ABOUT_RELATIONS},
            )
            for document, relations in zip(features.documents, found, strict=True)
        ]

    def related(self, features: Features, logits: Sequence[FloatArray]) -> list[dict[tuple[int, int], float]]:
        """For each document how likely each of its pairs is related at all."""
        found: list[dict[tuple[int, int], float]] = [{} for _ in features.documents]
        for example, _, chances in self._judged(features, logits):
            found[example.document][example.origin] = float(chances[1:].sum())  # after NONE
        return found

    def _judged(
        self, features: Features, logits: Sequence[FloatArray]
    ) -> Iterator[tuple[Example, list[int], FloatArray]]:
        """Each pair with the classes that it may have and how likely these are."""
        for example, scores in zip(features.examples, logits, strict=True):
            document = features.documents[example.document]
            allowed = [NONE, *self._allowed(document, example.origin)]
            yield example, allowed, probabilities(np.asarray(scores)[allowed])

    def _allowed(self, document: Document, pair: tuple[int, int]) -> list[int]:
        head, tail = (document.entities[i].label for i in pair)
        return [self.classes.index(label, 1) for label in self.schema.relations_between(head, tail)]

    def _gold(self, document: Document, unaligned: list[Unalignable]) -> dict[tuple[int, int], int]:
        gold: dict[tuple[int, int], int] = {}
        for relation in document.relations:
            pair = (relation.head, relation.tail)
            if relation.label not in self.schema.relations:
                raise ValueError(
                    f"document {document.id!r} has {relation.label!r} relations, but the task "
                    f"{self.schema.name!r} knows {', '.join(self.schema.relations)} only"
                )
            label = self.classes.index(relation.label, 1)
            if label not in self._allowed(document, pair):
                unaligned.append(
                    self._cannot_say(document, pair, "the task does not allow the types of its entities")
                )
            elif pair in gold:
                unaligned.append(self._cannot_say(document, pair, "its pair has another relation already"))
            else:
                gold[pair] = label
        return gold

    @staticmethod
    def _cannot_say(document: Document, pair: tuple[int, int], reason: str) -> Unalignable:
        head = document.entities[pair[0]]
        return Unalignable(document.id, head.start, head.end, head.label, reason)

    def _marked(
        self, document: Document, pair: tuple[int, int]
    ) -> tuple[str, tuple[tuple[int, int], tuple[int, int]]]:
        """The text with the pair marked, and where the marked head and tail are in it."""
        pieces: list[str] = []
        length = done = 0
        spans: dict[int, tuple[int, int]] = {}
        for i in sorted(pair, key=lambda i: (document.entities[i].start, -document.entities[i].end)):
            entity = document.entities[i]
            start = max(entity.start, done)  # nested mentions are marked one after the other
            before = document.text[done:start]
            mark = self._mark(document.text[start : entity.end], entity.label, i == pair[0])
            spans[i] = (length + len(before), length + len(before) + len(mark))
            pieces += [before, mark]
            length = spans[i][1]
            done = max(done, entity.end)
        pieces.append(document.text[done:])
        return "".join(pieces), (spans[pair[0]], spans[pair[1]])

    def _mark(self, mention: str, label: str, is_head: bool) -> str:
        if self.marking == "mask":
            return f"@{label.upper()}$"
        outer, inner = ("@", "*") if is_head else ("#", "^")
        return f"{outer} {inner} {label.lower()} {inner} {mention} {outer}"

    def _fit(
        self, tokens: Tokens, marked: tuple[tuple[int, int], tuple[int, int]]
    ) -> tuple[IntArray, IntArray, bool]:
        """Ids with special tokens, the positions of both marks, and whether text was left out."""
        starts, ends = tokens.offsets[:, 0], tokens.offsets[:, 1]
        first = [int(np.flatnonzero((ends > start) & (starts < ends))[0]) for start, _ in marked]
        keep = np.arange(len(tokens))
        if len(tokens) > self._room:
            last = [int(np.flatnonzero((starts < end) & (starts < ends))[-1]) for _, end in marked]
            distance = np.min(
                [np.maximum(np.maximum(a - keep, keep - b), 0) for a, b in zip(first, last, strict=True)],
                axis=0,
            )
            keep = np.sort(np.argsort(distance, kind="stable")[: self._room])
        ids = np.concatenate([self.tokenizer.prefix, tokens.ids[keep], self.tokenizer.suffix])
        anchors = np.searchsorted(keep, np.array(first)) + len(self.tokenizer.prefix)
        return ids, anchors.astype(np.int64), len(keep) < len(tokens)

"""Relations between the things that a document speaks of: all of its pairs from one reading of the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from clinsynth_onnx.codec import IGNORE, Example, Features, FloatArray, Unalignable
from clinsynth_onnx.concepts import (
    Concept,
    ConceptRelation,
    candidate_labels,
    candidate_pairs,
    concept_relations,
    concepts,
    oriented,
    unplaced_relations,
    with_concept_relations,
)
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.tokens import IntArray, TextTokenizer, Tokens

NONE = 0
NO_ANCHORS = np.zeros(0, dtype=np.int64)
# one for each entity label; where there are more, the name of the label follows
PUNCTUATION = ("@", "#", "$", "%", "&", "*", "^", "~", "+", "=", "|", "<")


class ConceptCodec:
    """A text as one sequence in which all mentions are marked, whatever the number of pairs.

    Each mention has a marker before and after it, a punctuation mark that is the same for all of its label
    (typed markers, Zhou and Chen 2022). The network reads what stands at the first markers of a concept's
    mentions (Zhou et al. 2021, ATLOP) and scores each candidate pair of concepts in each relation, and in
    none. The chance of a relation is that against none, and a pair may have several; or, where relations
    exclude each other, it is that against all others, and a pair has the likeliest.

    A text longer than a sequence becomes overlapping windows of the same length. A pair is read in each
    window that has a mention of both, and scored as in the window where it scores highest. Two concepts that
    no window has together are not related; if they are so in gold, ``Features.unaligned`` tells.

    Args:
        tokenizer: From characters to tokens.
        schema: The task; needs at least one relation type.
        max_length: Tokens in a sequence at most, special tokens and markers included.
        overlap: Tokens that neighbouring windows share at least.
        threshold: Chance from which on a relation is found. What is best for F1 is half of the F1 that it
            leads to (Lipton et al. 2014, "Optimal thresholding of classifiers to maximize F1 measure").
        exclusive: Whether a pair has one relation at most.
    """

    def __init__(
        self,
        tokenizer: TextTokenizer,
        schema: Schema,
        max_length: int = 512,
        overlap: int = 256,
        threshold: float = 0.3,
        exclusive: bool = False,
    ) -> None:
        self.tokenizer = tokenizer
        self.schema = schema
        self.max_length = max_length
        self.overlap = overlap
        self.threshold = threshold
        self.exclusive = exclusive
        self.classes = (schema.none_label, *schema.relation_labels)
        self._room = max_length - len(tokenizer.prefix) - len(tokenizer.suffix)
        if not 0 <= overlap < self._room:
            raise ValueError(
                f"windows of {max_length} tokens hold {self._room} tokens of text, "
                f"so the overlap must be from 0 to {self._room - 1}, not {overlap}"
            )
        if not 0 < threshold < 1:
            raise ValueError(f"'threshold' is a chance above 0 and below 1, not {threshold}")
        labels = schema.entity_labels
        marks = [
            PUNCTUATION[i] if i < len(PUNCTUATION) else f"{PUNCTUATION[i % len(PUNCTUATION)]} {label}"
            for i, label in enumerate(labels)
        ]
        self._marker = {label: tokens.ids for label, tokens in zip(labels, tokenizer(marks), strict=True)}

    @property
    def pad_id(self) -> int:
        return self.tokenizer.pad_id

    def encode(self, documents: Sequence[Document]) -> Features:
        """One example for each window that has a candidate pair.

        Raises ``ValueError`` on a label that the schema does not have.
        """
        examples: list[Example] = []
        unaligned: list[Unalignable] = []
        tokens = self.tokenizer([document.text for document in documents])
        for index, (document, its_tokens) in enumerate(zip(documents, tokens, strict=True)):
            known = concepts(document)
            gold = self._gold(document, known, unaligned)
            ids, spans = self._marked(document, its_tokens)
            mentions = np.array(
                [(*spans[i], concept) for concept, thing in enumerate(known) for i in thing.mentions],
                dtype=np.int64,
            ).reshape(-1, 3)
            mentions = mentions[np.argsort(mentions[:, 0], kind="stable")]
            missing = dict(gold)
            for start, end in self._windows(len(ids)):
                first, last = np.searchsorted(mentions[:, 0], (start, end))
                here = mentions[first:last]
                here = here[here[:, 1] <= end]
                pairs, labels = self._pairs(known, np.unique(here[:, 2]).tolist(), gold)
                if len(pairs):
                    for head, tail in pairs.tolist():
                        missing.pop((head, tail), None)
                    sequence = [self.tokenizer.prefix, ids[start:end], self.tokenizer.suffix]
                    marks = np.stack([here[:, 0] - start + len(self.tokenizer.prefix), here[:, 2]], axis=1)
                    examples.append(
                        Example(
                            np.concatenate(sequence), labels, NO_ANCHORS, index, (start, end), marks, pairs
                        )
                    )
            for pair in missing:
                reason = "no sequence holds a mention of both of its concepts"
                unaligned.append(_cannot_say(document, known, pair, reason))
        return Features(tuple(documents), tuple(examples), (), tuple(unaligned))

    def decode(self, features: Features, logits: Sequence[FloatArray]) -> list[Document]:
        """The documents, their relations those that ``logits`` ``[pairs, classes]`` of each window say."""
        best: list[dict[tuple[int, int, int], float]] = [{} for _ in features.documents]
        for example, scores in zip(features.examples, logits, strict=True):
            chances = self._chances(np.asarray(scores, dtype=np.float64), example.labels == IGNORE)
            its_best = best[example.document]
            for row, label in np.argwhere(chances >= self.threshold):
                head, tail = example.pairs[row].tolist()
                key = (head, tail, int(label) + 1)
                its_best[key] = max(its_best.get(key, 0.0), float(chances[row, label]))
        return [
            with_concept_relations(
                document,
                [
                    ConceptRelation(head, tail, self.classes[label], chance)
                    for (head, tail, label), chance in sorted(
                        (_likeliest(found) if self.exclusive else found).items()
                    )
                ],
            )
            for document, found in zip(features.documents, best, strict=True)
        ]

    def _chances(self, scores: FloatArray, impossible: NDArray[np.bool_]) -> FloatArray:
        """The chance of each relation ``[pairs, classes - 1]``."""
        scores = np.where(impossible, -np.inf, scores)
        relations, none = scores[:, 1:], scores[:, :1]
        all_of_it = np.logaddexp.reduce(scores, axis=1, keepdims=True)
        against = all_of_it if self.exclusive else np.logaddexp(relations, none)
        chances: FloatArray = np.exp(relations - against)
        return chances

    def _gold(
        self, document: Document, known: Sequence[Concept], unaligned: list[Unalignable]
    ) -> dict[tuple[int, int], set[int]]:
        """The classes of each related pair."""
        gold: dict[tuple[int, int], set[int]] = {}
        for relation in oriented(concept_relations(document), self.schema):
            pair = (relation.head, relation.tail)
            if relation.label not in self.schema.relations:
                raise ValueError(
                    f"document {document.id!r} has {relation.label!r} relations, but the task "
                    f"{self.schema.name!r} knows {', '.join(self.schema.relations)} only"
                )
            if relation.label in candidate_labels(*pair, known, self.schema):
                gold.setdefault(pair, set()).add(self.classes.index(relation.label, 1))
            else:
                reason = "the task does not allow the types of its concepts"
                unaligned.append(_cannot_say(document, known, pair, reason))
        for label, *_ in unplaced_relations(document):
            reason = "no mention refers to one of its concepts, or both are one"
            unaligned.append(Unalignable(document.id, 0, len(document.text), label, reason))
        return gold

    def _pairs(
        self, known: Sequence[Concept], there: Sequence[int], gold: Mapping[tuple[int, int], set[int]]
    ) -> tuple[IntArray, IntArray]:
        """Candidate pairs ``[pairs, 2]`` of concepts that are there, and labels ``[pairs, classes]``."""
        inner = candidate_pairs([known[concept] for concept in there], self.schema)
        pairs = [(there[i], there[j]) for i, j in inner]
        labels = np.full((len(pairs), len(self.classes)), IGNORE, dtype=np.int64)
        for row, pair in zip(labels, pairs, strict=True):
            allowed = candidate_labels(*pair, known, self.schema)
            row[[NONE, *(self.classes.index(label, 1) for label in allowed)]] = 0
            row[list(gold.get(pair, (NONE,)))] = 1
        return np.array(pairs, dtype=np.int64).reshape(-1, 2), labels

    def _marked(self, document: Document, tokens: Tokens) -> tuple[IntArray, IntArray]:
        """The text's tokens with markers, and where those of each entity begin and end, ``[entities, 2]``.

        It is -1 for an entity without a visible token.
        """
        starts, ends = tokens.offsets[:, 0], tokens.offsets[:, 1]
        ranges: list[tuple[int, int, int]] = []
        for i, entity in enumerate(document.entities):
            if entity.label not in self._marker:
                raise ValueError(
                    f"document {document.id!r} has {entity.label!r} mentions, but the task "
                    f"{self.schema.name!r} knows {', '.join(self.schema.entities)} only"
                )
            inside = np.flatnonzero((ends > entity.start) & (starts < entity.end) & (starts < ends))
            if len(inside):
                ranges.append((int(inside[0]), int(inside[-1]) + 1, i))
        # at one place mentions end before others begin; of two the shorter one ends first and begins last
        marks = [(end, 0, -first, i) for first, end, i in ranges]
        marks += [(first, 1, -end, i) for first, end, i in ranges]
        spans = np.full((len(document.entities), 2), -1, dtype=np.int64)
        parts: list[IntArray] = []
        length = done = 0
        for place, begins, _, i in sorted(marks):
            marker = self._marker[document.entities[i].label]
            parts += [tokens.ids[done:place], marker]
            length += place - done
            done = place
            spans[i, 1 - begins] = length + len(marker) * (1 - begins)
            length += len(marker)
        return np.concatenate([*parts, tokens.ids[done:]]), spans

    def _windows(self, length: int) -> Iterator[tuple[int, int]]:
        rest = max(0, length - self._room)
        count = 1 + -(-rest // (self._room - self.overlap))
        for i in range(count):
            start = round(i * rest / max(1, count - 1))
            yield start, min(length, start + self._room)


def _likeliest(found: Mapping[tuple[int, int, int], float]) -> dict[tuple[int, int, int], float]:
    """The relation of each pair that has the largest chance."""
    ordered = sorted(found.items(), key=lambda item: item[1])
    return dict({key[:2]: (key, chance) for key, chance in ordered}.values())


def _cannot_say(
    document: Document, known: Sequence[Concept], pair: tuple[int, int], reason: str
) -> Unalignable:
    head = document.entities[known[pair[0]].mentions[0]]
    return Unalignable(document.id, head.start, head.end, head.label, reason)

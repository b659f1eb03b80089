"""Right and wrong relations between the things that documents speak of, as whole numbers that add up.

A relation is right or wrong once for a document, however often it is mentioned, as in the chemical-disease
task of BioCreative V (Wei et al. 2016, "Assessing the state of the art in biomedical relation extraction").
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clinsynth.metrics.counts import IntArray
from clinsynth_onnx.concepts import Concept, concept_relations, concepts, unplaced_relations
from clinsynth_onnx.document import Document, passage_starts
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.sentences import sentence_starts

RIGHT, FOUND, STATED = range(3)
VIEWS = ("pair", "within", "across")

Key = tuple[str, int, int]  # label, head, tail


@dataclass(frozen=True, slots=True)
class JudgedRelations:
    """Relations of gold and of what was found, with the same numbers for the same things.

    Attributes:
        stated: Those of gold.
        found: Those that were found, with the confidence in each.
        things: The things by their numbers: those of gold, then the found ones. Numbers above are of things
            without a mention.
    """

    stated: frozenset[Key]
    found: Mapping[Key, float]
    things: Sequence[tuple[Document, Concept]]

    def name(self, thing: int) -> str:
        """The first mention of a thing."""
        if thing >= len(self.things):
            return "a thing without a mention"
        document, concept = self.things[thing]
        return document.mention(document.entities[concept.mentions[0]])


def concept_relation_counts(predicted: Document, gold: Document, schema: Schema) -> IntArray:
    """Counts ``[labels + 3, 3]`` of one document: right, found and gold relations.

    Rows are the labels, then ``VIEWS``: related pairs whatever the label and the direction; relations of two
    things some mentions of which share a sentence; the others. A relation is the same in the other direction
    if its type is symmetric. A gold relation of a thing without a mention, or of one with itself, is missed.

    Raises ``ValueError`` on a relation label that the schema does not have.
    """
    judged = judged_relations(predicted, gold, schema)
    true, mine = judged.stated, frozenset(judged.found)
    starts = sentence_starts(gold.text, passage_starts(gold), schema.layout)
    sentences = [
        {bisect_right(starts, document.entities[i].start) for i in thing.mentions}
        for document, thing in judged.things
    ]

    def shares_a_sentence(key: Key) -> bool:
        _, head, tail = key
        return max(head, tail) < len(sentences) and not sentences[head].isdisjoint(sentences[tail])

    rows = np.zeros((len(schema.relations) + len(VIEWS), 3), dtype=np.int64)
    for column, keys in ((RIGHT, true & mine), (FOUND, mine), (STATED, true)):
        labels = Counter(label for label, *_ in keys)
        rows[: len(schema.relations), column] = [labels[label] for label in schema.relations]
        within = sum(map(shares_a_sentence, keys))
        rows[-2:, column] = within, len(keys) - within
    of_true, of_mine = ({frozenset(ends) for _, *ends in keys} for keys in (true, mine))
    rows[-3] = len(of_true & of_mine), len(of_mine), len(of_true)
    return rows


def judged_relations(predicted: Document, gold: Document, schema: Schema) -> JudgedRelations:
    """The relations of one document, found and stated, between the same things.

    Things are matched by mentions: one that was found stands for that of gold with which it has most mentions
    of the same place and label, the first in the text if there are several. One that has none in common
    stands for nothing, and its relations are wrong. What stands for the same thing is one thing. Where the
    mentions and concepts of gold were given, each stands for itself.

    Raises ``ValueError`` on a relation label that the schema does not have.
    """
    known, found = concepts(gold), concepts(predicted)
    stands_for = matched(predicted, found, gold, known)
    unmentioned: dict[str, int] = defaultdict(lambda: len(known) + len(found) + len(unmentioned))
    stated = [(r.label, r.head, r.tail) for r in concept_relations(gold)]
    stated += [(label, unmentioned[h], unmentioned[t]) for label, h, t in unplaced_relations(gold)]
    answered = [
        ((r.label, stands_for[r.head], stands_for[r.tail]), r.score) for r in concept_relations(predicted)
    ]
    for label, *_ in (*stated, *(key for key, _ in answered)):
        if label not in schema.relations:
            raise ValueError(
                f"document {gold.id!r} has {label!r} relations, but the task {schema.name!r} knows "
                f"{', '.join(schema.relations)} only"
            )
    scores: dict[Key, float] = {}
    for key, score in answered:
        key = _oriented(key, schema)
        scores[key] = max(score, scores.get(key, 0.0))
    return JudgedRelations(
        frozenset(_oriented(key, schema) for key in stated),
        scores,
        [*((gold, thing) for thing in known), *((predicted, thing) for thing in found)],
    )


def matched(
    predicted: Document, found: Sequence[Concept], gold: Document, known: Sequence[Concept]
) -> list[int]:
    """For each found thing its place in ``known``, or a number of its own from ``len(known)`` on."""
    if predicted.entities == gold.entities and list(found) == list(known):
        return list(range(len(known)))
    at: dict[tuple[int, int, str], set[int]] = {}
    for index, thing in enumerate(known):
        for i in thing.mentions:
            entity = gold.entities[i]
            at.setdefault((entity.start, entity.end, entity.label), set()).add(index)
    matched = []
    for index, thing in enumerate(found):
        mentions = (predicted.entities[i] for i in thing.mentions)
        places = {(entity.start, entity.end, entity.label) for entity in mentions}
        votes = Counter(one for place in places for one in at.get(place, ()))
        matched.append(min(votes, key=lambda one: (-votes[one], one), default=len(known) + index))
    return matched


def _oriented(key: Key, schema: Schema) -> Key:
    """The relation with its ends in one order if it is symmetric."""
    label, head, tail = key
    return (label, tail, head) if schema.relations[label].symmetric and head > tail else key

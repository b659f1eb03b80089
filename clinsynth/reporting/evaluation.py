"""Gold against found documents, and all that is counted of them for a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from clinsynth.metrics.concept_counts import (
    JudgedRelations,
    concept_relation_counts,
)
from clinsynth.metrics.concept_counts import (
    judged_relations as relations_of,
)
from clinsynth.metrics.confidence import Judged, judged_entities, judged_relations
from clinsynth.metrics.confusion import entity_confusion, relation_confusion
from clinsynth.metrics.counts import IntArray, entity_counts
from clinsynth.metrics.errors import Errors, summary
from clinsynth.metrics.scores import (
    Score,
    concept_relation_figures,
    concept_relation_result,
    difference,
    entity_figures,
    entity_result,
)
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema


@dataclass(frozen=True)
class Evaluation:
    """What was found in documents, beside gold.

    Attributes:
        name: What it is called, as ``test-1``.
        scores: Figures with intervals, as ``Result.to_json`` makes them.
        gold: The documents as people marked them; ``None`` if they were not kept.
        found: The documents as a model marked them, in the same order.
        record: Counts and hash of what was read.
        schema: The task, where it is known.
    """

    name: str
    scores: Mapping[str, Any]
    gold: Sequence[Document] | None
    found: Sequence[Document]
    record: Mapping[str, Any]
    schema: Schema | None

    @property
    def documents(self) -> int:
        """How many documents were scored."""
        return int(self.scores["documents"])

    @property
    def relations(self) -> bool:
        """Whether relations were found, else entities."""
        return "strict_f1" not in self.scores["scores"]

    @property
    def labels(self) -> tuple[str, ...]:
        """What is scored, in the order of the task."""
        return tuple(self.scores["support"])

    @property
    def main(self) -> str:
        """The name of the figure that picks checkpoints."""
        return "f1" if self.relations else "strict_f1"

    @cached_property
    def pairs(self) -> list[tuple[Document, Document]]:
        """Gold and found of each document; none if gold was not kept."""
        return list(zip(self.gold, self.found, strict=True)) if self.gold is not None else []

    @cached_property
    def counts(self) -> IntArray:
        """Counts of each document, as the scores are made of them; ``[documents, ...]``."""
        if self.relations:
            return _relation_counts(self.pairs, self._schema)
        return _entity_counts(self.pairs, self.labels)

    @cached_property
    def judged_relations(self) -> list[JudgedRelations]:
        """Relations of each document, found and stated; pairs of mentions are things of one mention each."""
        return [relations_of(found, gold, self._schema) for gold, found in self.pairs]

    @cached_property
    def confusion(self) -> IntArray:
        """Gold by found ``[1 + labels, 1 + labels]``; 0 is none."""
        if self.relations:
            each = [relation_confusion(document, self.labels) for document in self.judged_relations]
        else:
            each = [entity_confusion(*pair, self.labels) for pair in self.pairs]
        summed: IntArray = np.sum(each, axis=0)
        return summed

    @cached_property
    def judged(self) -> Judged:
        """Confidences and whether they were right."""
        return judged_relations(self.judged_relations) if self.relations else judged_entities(self.pairs)

    @cached_property
    def errors(self) -> Errors:
        """Errors of entities by kind and by word."""
        return summary(self.pairs)

    def difference(self, other: Evaluation) -> Score | None:
        """How much higher the main score of another one is; ``None`` if it is not of the same gold."""
        if not self.gold or self.relations != other.relations or self.labels != other.labels:
            return None
        if other.gold is None or list(self.gold) != list(other.gold):
            return None
        figures = concept_relation_figures if self.relations else entity_figures
        return difference(self.counts, other.counts, lambda c: figures(c, self.labels), self.main)

    @property
    def _schema(self) -> Schema:
        if self.schema is None:
            raise ValueError("relations are counted by their task, which is not known here")
        return self.schema


def evaluate(
    name: str,
    gold: Sequence[Document],
    found: Sequence[Document],
    schema: Schema,
    relations: bool,
    record: Mapping[str, Any],
) -> Evaluation:
    """Compares documents by the scores that ``clinsynth test`` prints.

    Args:
        name: What to call it.
        gold: Documents as people marked them.
        found: The same documents as a model marked them.
        schema: The task.
        relations: Whether relations are compared, else entities.
        record: Counts and hash of ``gold``.
    """
    pairs = list(zip(gold, found, strict=True))
    if relations:
        result = concept_relation_result(_relation_counts(pairs, schema), schema.relation_labels)
    else:
        result = entity_result(_entity_counts(pairs, schema.entity_labels), schema.entity_labels)
    return Evaluation(name, result.to_json(), gold, found, record, schema)


def _relation_counts(pairs: Iterable[tuple[Document, Document]], schema: Schema) -> IntArray:
    return np.array([concept_relation_counts(found, gold, schema) for gold, found in pairs])


def _entity_counts(pairs: Iterable[tuple[Document, Document]], labels: Sequence[str]) -> IntArray:
    return np.array([entity_counts(found, gold, labels) for gold, found in pairs])

"""The torchmetrics shell: it keeps each document's counts and puts processes together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from clinsynth.metrics.concept_counts import STATED, VIEWS, concept_relation_counts
from clinsynth.metrics.counts import GOLD, IntArray, entity_counts, relation_counts
from clinsynth.metrics.scores import (
    Result,
    concept_relation_figures,
    entity_figures,
    evaluate,
    relation_figures,
)
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema


class DocumentScores(Metric):
    """Rows of (place in the split, counts...), one for each document, gathered over processes.

    Args:
        shape: Shape of one document's counts.
    """

    full_state_update = False
    rows: list[Tensor]

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self._shape = shape
        self.add_state("rows", default=[], dist_reduce_fx="cat")

    @abstractmethod
    def counts(self, predicted: Document, gold: Document) -> IntArray:
        """Counts of one document."""

    @abstractmethod
    def figures(self, counts: IntArray) -> Result:
        """Figures of all documents' counts ``[documents, *shape]``."""

    def result(self) -> Result:
        """Figures over the documents of all processes."""
        return self.figures(self.compute().numpy())

    def update(self, predicted: Sequence[Document], gold: Sequence[Document], indices: Sequence[int]) -> None:
        """Adds documents; ``indices`` are their places in the split."""
        rows = np.empty((len(indices), 1 + int(np.prod(self._shape))), dtype=np.int64)
        for row, index, found, true in zip(rows, indices, predicted, gold, strict=True):
            row[0] = index
            row[1:] = self.counts(found, true).ravel()
        self.rows.append(torch.from_numpy(rows).to(self.device))

    def compute(self) -> Tensor:
        """Counts ``[documents, *shape]`` of all processes, each document once, in split order."""
        width = 1 + int(np.prod(self._shape))
        gathered = dim_zero_cat(self.rows) if len(self.rows) else torch.zeros((0, width), dtype=torch.int64)
        rows = gathered.cpu().numpy()
        _, first = np.unique(rows[:, 0], return_index=True)
        return torch.from_numpy(rows[first, 1:].reshape(-1, *self._shape))


class EntityScores(DocumentScores):
    """Strict and relaxed scores of entities.

    Args:
        labels: Entity labels that are scored.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__((len(labels), 5))
        self._labels = tuple(labels)

    def counts(self, predicted: Document, gold: Document) -> IntArray:
        return entity_counts(predicted, gold, self._labels)

    def figures(self, counts: IntArray) -> Result:
        support = dict(zip(self._labels, counts.sum(axis=0)[:, GOLD].tolist(), strict=True))
        return evaluate(counts, lambda c: entity_figures(c, self._labels), support)


class ConceptScores(DocumentScores):
    """Scores of relations between the things that documents speak of, given or found.

    Args:
        schema: Task whose relations are scored.
    """

    def __init__(self, schema: Schema) -> None:
        super().__init__((len(schema.relations) + len(VIEWS), 3))
        self._schema = schema

    def counts(self, predicted: Document, gold: Document) -> IntArray:
        return concept_relation_counts(predicted, gold, self._schema)

    def figures(self, counts: IntArray) -> Result:
        labels = self._schema.relation_labels
        stated = counts.sum(axis=0)[:, STATED].tolist()
        support = dict(zip(labels, stated, strict=False))
        views = dict(zip(VIEWS, stated[len(labels) :], strict=True))
        return evaluate(counts, lambda c: concept_relation_figures(c, labels), support, views)


class RelationScores(DocumentScores):
    """Scores of relations between given entities, pair by pair.

    Args:
        schema: Task whose relations are scored.
    """

    def __init__(self, schema: Schema) -> None:
        classes = 1 + len(schema.relations)
        super().__init__((classes, classes))
        self._schema = schema

    def counts(self, predicted: Document, gold: Document) -> IntArray:
        return relation_counts(predicted, gold, self._schema)

    def figures(self, counts: IntArray) -> Result:
        labels = self._schema.relation_labels
        support = dict(zip(labels, counts.sum(axis=(0, 2))[1:].tolist(), strict=True))
        return evaluate(counts, lambda c: relation_figures(c, labels), support)

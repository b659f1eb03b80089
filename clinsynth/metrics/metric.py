"""The torchmetrics shell: it keeps each document's counts and puts processes together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from clinsynth.metrics.concept_counts import VIEWS, concept_relation_counts
from clinsynth.metrics.counts import IntArray, Pair, confusion, entity_counts, judged_pairs
from clinsynth.metrics.ranking import ranking_score
from clinsynth.metrics.scores import (
    Result,
    always_related,
    concept_relation_result,
    entity_result,
    relation_result,
)
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema


class DocumentScores(Metric):
    """Rows of whole numbers about documents, gathered over processes.

    Args:
        width: Columns of a row. The first is the document's place in the split.
        telling: How many of the first columns tell rows apart.
    """

    full_state_update = False
    rows: list[Tensor]

    def __init__(self, width: int, telling: int) -> None:
        super().__init__()
        self._width = width
        self._telling = telling
        self.add_state("rows", default=[], dist_reduce_fx="cat")

    @abstractmethod
    def update(self, predicted: Sequence[Document], gold: Sequence[Document], indices: Sequence[int]) -> None:
        """Adds documents; ``indices`` are their places in the split."""

    @abstractmethod
    def result(self) -> Result:
        """Figures over the documents of all processes."""

    def compute(self) -> Tensor:
        """Rows of all processes, each once, in split order."""
        rows = dim_zero_cat(self.rows) if len(self.rows) else torch.zeros((0, self._width), dtype=torch.int64)
        gathered = rows.cpu().numpy()
        _, first = np.unique(gathered[:, : self._telling], axis=0, return_index=True)
        return torch.from_numpy(gathered[first])

    def _add(self, rows: IntArray) -> None:
        self.rows.append(torch.from_numpy(rows).to(self.device))


class CountScores(DocumentScores):
    """A row of counts for each document.

    Args:
        shape: Shape of one document's counts.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(1 + int(np.prod(shape)), 1)
        self._shape = shape

    @abstractmethod
    def counts(self, predicted: Document, gold: Document) -> IntArray:
        """Counts of one document."""

    @abstractmethod
    def figures(self, counts: IntArray) -> Result:
        """Figures of all documents' counts ``[documents, *shape]``."""

    def update(self, predicted: Sequence[Document], gold: Sequence[Document], indices: Sequence[int]) -> None:
        rows = np.empty((len(indices), self._width), dtype=np.int64)
        for row, index, found, true in zip(rows, indices, predicted, gold, strict=True):
            row[0] = index
            row[1:] = self.counts(found, true).ravel()
        self._add(rows)

    def result(self) -> Result:
        return self.figures(self.compute().numpy()[:, 1:].reshape(-1, *self._shape))


class EntityScores(CountScores):
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
        return entity_result(counts, self._labels)


class ConceptScores(CountScores):
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
        return concept_relation_result(counts, self._schema.relation_labels)


class RelationScores(DocumentScores):
    """Scores of relations between given entities, pair by pair.

    A document has a row of its own, and one for each of its pairs.

    Args:
        schema: Task whose relations are scored.
    """

    def __init__(self, schema: Schema) -> None:
        super().__init__(5, 2)
        self._schema = schema

    def update(
        self,
        predicted: Sequence[Document],
        gold: Sequence[Document],
        indices: Sequence[int],
        chances: Sequence[Mapping[Pair, float]] | None = None,
    ) -> None:
        """Adds documents.

        Args:
            predicted: Their relations were found.
            gold: Their relations are true.
            indices: Their places in the split.
            chances: How likely each pair is related; by default as likely as what was found says.
        """
        rows = [np.zeros((0, self._width), dtype=np.int64)]
        for i, (index, found, true) in enumerate(zip(indices, predicted, gold, strict=True)):
            pairs = judged_pairs(found, true, self._schema, chances[i] if chances is not None else None)
            rows.append(np.zeros((1 + len(pairs), self._width), dtype=np.int64))
            rows[-1][:, 0], rows[-1][:, 1], rows[-1][1:, 2:] = index, np.arange(1 + len(pairs)), pairs
        self._add(np.concatenate(rows))

    def result(self) -> Result:
        rows = self.compute().numpy()
        documents, document = np.unique(rows[:, 0], return_inverse=True)
        pairs, document = rows[rows[:, 1] > 0], document[rows[:, 1] > 0]
        labels = self._schema.relation_labels
        matrices = confusion(document, pairs[:, 2:4], (len(documents), 1 + len(labels)))
        result = relation_result(matrices, labels)
        chances = np.ascontiguousarray(pairs[:, 4]).view(np.float64)
        ranking = ranking_score(chances, pairs[:, 2] > 0, document, len(documents))
        always = {
            **always_related(matrices.sum(axis=0), labels),
            "auc": 0.5,
        }  # which ranks no pair above another
        return replace(result, scores={**result.scores, "auc": ranking}, always=always)

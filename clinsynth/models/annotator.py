"""What annotates documents and is scored by how: a trained network, or a language model that is asked."""

from __future__ import annotations

from abc import abstractmethod

from lightning import LightningModule

from clinsynth.datamodules.batches import Annotated, DocumentBatch
from clinsynth.metrics.metric import DocumentScores
from clinsynth.metrics.scores import Result
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema


class DocumentAnnotator(LightningModule):
    """Annotates documents in ``validate``, ``test`` and ``predict``, and compares them with gold.

    A data module encodes the documents of a batch with ``codec``, which a subclass has to have.

    Args:
        schema: Task whose entities or relations are found.

    Attributes:
        result: Figures of the last validation or test.
    """

    monitor: str
    """The score that picks the best checkpoint and stops training early."""

    result: Result

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.schema = schema
        self.scores = self.build_scores()

    @abstractmethod
    def annotate(self, batch: DocumentBatch) -> list[Document]:
        """The documents of a batch with what is found in them."""

    @abstractmethod
    def build_scores(self) -> DocumentScores:
        """What compares predicted documents with gold ones."""

    def _score(self, batch: DocumentBatch) -> Annotated:
        predicted = self.annotate(batch)
        self.scores.update(predicted, batch.features.documents, batch.indices)
        return Annotated(batch.indices, predicted)

    def validation_step(self, batch: DocumentBatch, batch_idx: int) -> None:
        self._score(batch)

    def test_step(self, batch: DocumentBatch, batch_idx: int) -> dict[str, Annotated]:
        return {"annotated": self._score(batch)}

    def predict_step(self, batch: DocumentBatch, batch_idx: int) -> Annotated:
        return Annotated(batch.indices, self.annotate(batch))

    def on_validation_epoch_end(self) -> None:
        self._log_scores("val")

    def on_test_epoch_end(self) -> None:
        self._log_scores("test")

    def _log_scores(self, split: str) -> None:
        self.result = self.scores.result()
        self.scores.reset()
        flat = {f"{split}_{name}": value for name, value in self.result.flat().items()}
        self.log_dict(flat, rank_zero_only=True)

"""GLiNER (Zaratiana et al. 2024) as a baseline: a published model that is told the labels and not trained."""

from __future__ import annotations

from typing import Any

from clinsynth.datamodules.batches import DocumentBatch
from clinsynth.metrics.metric import EntityScores
from clinsynth.models.annotator import DocumentAnnotator
from clinsynth.zero_shot import PlainTexts
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.sentences import sentences


class ZeroShotGLiNER(DocumentAnnotator):
    """Asks a GLiNER model for the labels of a task by their names; needs the extra ``gliner``.

    Args:
        schema: Task whose entities are found.
        name: Folder or hub id of the model.
        threshold: Probability from which a span is an entity, from 0 to 1.
    """

    monitor = "val_strict_f1"

    def __init__(self, schema: Schema, name: str, threshold: float = 0.5) -> None:
        super().__init__(schema)
        self.name = name
        self.threshold = threshold
        self.codec = PlainTexts()
        self.labels = {label.replace("_", " ").lower(): label for label in schema.entity_labels}
        self._network: Any = None

    def build_scores(self) -> EntityScores:
        return EntityScores(self.schema.entity_labels)

    def setup(self, stage: str) -> None:
        """Loads the model. Raises ``ValueError`` if that is not possible."""
        import gliner  # of use only here, and not a dependency

        try:
            self._network = gliner.GLiNER.from_pretrained(self.name)
        except (OSError, ValueError) as error:
            reason = str(error).strip().split("\n")[0]
            raise ValueError(
                f"the GLiNER model {self.name!r} could not be loaded ({reason}). Remedy: name a folder, or a "
                "hub model that this machine can reach or has cached"
            ) from error

    def annotate(self, batch: DocumentBatch) -> list[Document]:
        """Documents with what is found sentence by sentence: longer text would be cut off."""
        return [self._annotated(document) for document in batch.features.documents]

    def _annotated(self, document: Document) -> Document:
        spans = sentences(document, self.schema.layout)
        texts = [document.text[start:end] for start, end in spans]
        found = self._network.inference(texts, list(self.labels), threshold=self.threshold)
        entities = [
            Entity(
                start + span["start"], start + span["end"], self.labels[span["label"]], float(span["score"])
            )
            for (start, _), inside in zip(spans, found, strict=True)
            for span in inside
        ]
        return document.annotated(tuple(sorted(entities, key=lambda entity: (entity.start, entity.end))))

"""Relations by classifying marked candidate pairs."""

from __future__ import annotations

from typing import cast

from torch import nn
from transformers import PreTrainedModel

from clinsynth.datamodules.batches import Annotated, DocumentBatch
from clinsynth.metrics.metric import RelationScores
from clinsynth.models.encoder_model import EncoderModel
from clinsynth.models.encoders import EncoderOptions
from clinsynth.models.network import PairNetwork
from clinsynth.models.optimization import Optimization
from clinsynth_onnx.relation_codec import Marking, RelationCodec
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.tokens import TextTokenizer

ENCODER_OPTIONS = EncoderOptions()
OPTIMIZATION = Optimization(learning_rate=1e-4)


class RelationExtraction(EncoderModel):
    """Decides for each pair of entities that the task allows whether and how they are related.

    Args:
        schema: Task whose relations are found; it needs relation types.
        encoder: Hub id or folder of a pretrained encoder, or offline for the one that pip installs.
        marking: Form of the two mentions: mask hides them behind @LABEL$, markers sets punctuation that
            tells their types around them.
        max_length: Tokens of a sequence, at most.
        encoder_options: Settings of the encoder in training.
        optimization: Settings of the optimizer.
        class_weights: Weight of an error on each relation label, e.g. {"None": 0.5}; 1 for those not named.
        start_from: Checkpoint, or run folder of which the best is taken, whose weights fit starts from:
            encoder, and head if the labels are the same. Progress and optimizer are new, unlike with
            --ckpt_path.
    """

    monitor = "val_f1"

    def __init__(
        self,
        schema: Schema,
        encoder: str = "offline",
        marking: Marking = "mask",
        max_length: int = 256,
        encoder_options: EncoderOptions = ENCODER_OPTIONS,
        optimization: Optimization = OPTIMIZATION,
        class_weights: dict[str, float] | None = None,
        start_from: str | None = None,
    ) -> None:
        super().__init__(schema, encoder, encoder_options, optimization, class_weights, start_from)
        if symmetric := schema.symmetric_labels:
            raise ValueError(
                f"relation {symmetric[0]!r} is symmetric, and a pair of mentions has a head and a tail. "
                "Remedy: --model ConceptRelations, or leave 'symmetric' out of the task file"
            )
        self.marking: Marking = marking
        self.max_length = max_length
        self.save_hyperparameters()

    def build_codec(self, tokenizer: TextTokenizer) -> RelationCodec:
        return RelationCodec(tokenizer, self.schema, self.marking, self.max_length)

    def build_network(self, encoder: PreTrainedModel) -> nn.Module:
        return PairNetwork(encoder, len(self.codec.classes), self.encoder_options.dropout)

    def build_scores(self) -> RelationScores:
        return RelationScores(self.schema)

    def _score(self, batch: DocumentBatch) -> Annotated:
        features, codec = batch.features, cast(RelationCodec, self.codec)
        logits = self.logits(features.examples, batch.batch_tokens)
        predicted = codec.decode(features, logits)
        scores = cast(RelationScores, self.scores)
        scores.update(predicted, features.documents, batch.indices, codec.related(features, logits))
        return Annotated(batch.indices, predicted)

"""Entities by token classification."""

from __future__ import annotations

from typing import Any

from torch import nn
from transformers import PreTrainedModel

from clinsynth.metrics.metric import EntityScores
from clinsynth.models.encoder_model import EncoderModel
from clinsynth.models.encoders import EncoderOptions
from clinsynth.models.network import TokenNetwork
from clinsynth.models.optimization import Optimization
from clinsynth_onnx.entity_codec import EntityCodec, Unit
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.tokens import TextTokenizer

ENCODER_OPTIONS = EncoderOptions()
OPTIMIZATION = Optimization()


class TokenClassification(EncoderModel):
    """Finds the entities of a task: BIO tags over the tokens of an encoder.

    Args:
        schema: Task whose entities are found.
        encoder: Hub id or folder of a pretrained encoder, or offline for the one that pip installs.
        unit: Text of a sequence: one sentence, or as much of the document as fits.
        max_length: Tokens of a sequence, at most; longer texts become overlapping windows.
        overlap: Tokens that neighbouring windows share.
        encoder_options: Settings of the encoder in training.
        optimization: Settings of the optimizer.
        class_weights: Weight of an error on each tag, e.g. {"O": 0.5}; 1 for those not named.
        start_from: Checkpoint, or run folder of which the best is taken, whose weights fit starts from:
            encoder, and head if the labels are the same. Progress and optimizer are new, unlike with
            --ckpt_path.
        abbreviations: Whether entities agree with the abbreviations that their document defines: with
            "myotonic dystrophy (DM)", each DM is an entity exactly where myotonic dystrophy is.
    """

    monitor = "val_strict_f1"

    def __init__(
        self,
        schema: Schema,
        encoder: str = "offline",
        unit: Unit = "sentence",
        max_length: int = 512,
        overlap: int = 128,
        encoder_options: EncoderOptions = ENCODER_OPTIONS,
        optimization: Optimization = OPTIMIZATION,
        class_weights: dict[str, float] | None = None,
        start_from: str | None = None,
        abbreviations: bool = True,
    ) -> None:
        super().__init__(schema, encoder, encoder_options, optimization, class_weights, start_from)
        self.unit: Unit = unit
        self.max_length = max_length
        self.overlap = overlap
        self.abbreviations = abbreviations
        self.save_hyperparameters()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        hyperparameters = checkpoint.get(self.CHECKPOINT_HYPER_PARAMS_KEY, {})
        if self.network is None and "abbreviations" not in hyperparameters:
            self.abbreviations = False  # a checkpoint of before there was a choice finds what it found
        super().on_load_checkpoint(checkpoint)

    def build_codec(self, tokenizer: TextTokenizer) -> EntityCodec:
        return EntityCodec(
            tokenizer, self.schema, self.unit, self.max_length, self.overlap, self.abbreviations
        )

    def build_network(self, encoder: PreTrainedModel) -> nn.Module:
        return TokenNetwork(encoder, len(self.codec.classes), self.encoder_options.dropout)

    def build_scores(self) -> EntityScores:
        return EntityScores(self.schema.entity_labels)

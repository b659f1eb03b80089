"""Relations between the things that a document speaks of, all of them from one pass over its text."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from clinsynth.metrics.metric import ConceptScores
from clinsynth.models.concept_network import ConceptNetwork
from clinsynth.models.encoder_model import EncoderModel
from clinsynth.models.encoders import EncoderOptions
from clinsynth.models.optimization import Optimization
from clinsynth_onnx.codec import IGNORE
from clinsynth_onnx.concept_codec import ConceptCodec
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.tokens import TextTokenizer

ENCODER_OPTIONS = EncoderOptions()
OPTIMIZATION = Optimization(learning_rate=2e-4, head_learning_rate=1e-3)


class ConceptRelations(EncoderModel):
    """Decides for each pair of concepts that the task allows in which relations they are.

    A concept is what one or more mentions refer to, wherever they are. The text is encoded once, or once for
    each window of a long one, with all mentions marked, so passes do not grow in number with the pairs.

    Args:
        schema: Task whose relations are found; it needs relation types.
        encoder: Hub id or folder of a pretrained encoder, or offline for the one that pip installs.
        max_length: Tokens of a sequence, at most; longer texts become overlapping windows.
        overlap: Tokens that neighbouring windows share, at least.
        threshold: Chance from which on a relation is found; F1 is largest at half of itself.
        exclusive: Whether a pair has one relation at most, the likeliest. Without it a pair may have several.
        encoder_options: Settings of the encoder in training.
        optimization: Settings of the optimizer; label smoothing is not for it.
        class_weights: Weight of an error on each relation label, e.g. {"None": 0.5}; 1 for those not named.
            A pair that is not related counts with that of none.
        start_from: Checkpoint, or run folder of which the best is taken, whose weights fit starts from:
            encoder, and head if the labels are the same. Progress and optimizer are new, unlike with
            --ckpt_path.
    """

    monitor = "val_f1"

    def __init__(
        self,
        schema: Schema,
        encoder: str = "offline",
        max_length: int = 512,
        overlap: int = 256,
        threshold: float = 0.3,
        exclusive: bool = False,
        encoder_options: EncoderOptions = ENCODER_OPTIONS,
        optimization: Optimization = OPTIMIZATION,
        class_weights: dict[str, float] | None = None,
        start_from: str | None = None,
    ) -> None:
        super().__init__(schema, encoder, encoder_options, optimization, class_weights, start_from)
        if optimization.label_smoothing:
            raise ValueError(
                "relations of concepts are scored against a threshold each, which leaves no label to smooth. "
                "Remedy: set 'label_smoothing' to 0"
            )
        self.max_length = max_length
        self.overlap = overlap
        self.threshold = threshold
        self.exclusive = exclusive
        self.save_hyperparameters()

    def build_codec(self, tokenizer: TextTokenizer) -> ConceptCodec:
        return ConceptCodec(
            tokenizer, self.schema, self.max_length, self.overlap, self.threshold, self.exclusive
        )

    def build_network(self, encoder: PreTrainedModel) -> nn.Module:
        return ConceptNetwork(encoder, len(self.codec.classes), self.encoder_options.dropout)

    def build_scores(self) -> ConceptScores:
        return ConceptScores(self.schema)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        weights = (
            self._weights if self._weights is not None else torch.ones(logits.size(-1), device=logits.device)
        )
        loss = one_relation_loss if self.exclusive else adaptive_threshold_loss
        return loss(logits, labels, weights).sum()


def adaptive_threshold_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """The adaptive-threshold loss of each pair (Zhou et al. 2021, section 4.1).

    The first class, none, is a threshold: relations that are so should score above it, all others below.
    With one relation type this is the cross-entropy of two classes.

    Args:
        logits: ``[..., classes]``.
        labels: Whether each class is so, ``[..., classes]``; ``IGNORE`` where it may not be, or throughout
            where there is no pair.
        weights: Weight of an error on each class, ``[classes]``.

    Returns:
        The loss, ``[...]``; 0 where there is no pair.
    """
    so, not_so = labels == 1, labels == 0
    threshold = torch.zeros_like(so)
    threshold[..., 0] = True
    above = _log_softmax(logits, so | threshold)
    below = _log_softmax(logits, not_so | threshold)
    there = (labels[..., 0] != IGNORE).to(logits.dtype)
    related = so & ~threshold
    loss = -torch.where(related, above * weights, 0.0).sum(-1) - below[..., 0] * weights[0]
    return loss * there


def one_relation_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """The cross-entropy of each pair, of classes that exclude each other; as ``adaptive_threshold_loss``."""
    chances = _log_softmax(logits, labels != IGNORE)
    return -torch.where(labels == 1, chances * weights, 0.0).sum(-1)


def _log_softmax(logits: Tensor, among: Tensor) -> Tensor:
    return logits.masked_fill(~among, -1e4).log_softmax(-1)

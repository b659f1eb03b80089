"""A model as a folder that ``transformers`` loads, as people share models on the Hugging Face Hub."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModelForTokenClassification, PreTrainedModel, PreTrainedTokenizerFast

from clinsynth.models.encoder_model import EncoderModel
from clinsynth_onnx.bundle import SCHEMA
from clinsynth_onnx.codec import pad
from clinsynth_onnx.document import Document
from clinsynth_onnx.entity_codec import EntityCodec

LARGEST_DIFFERENCE = 1e-3  # of a logit: the same sums in another order differ by a hundredth of it
SAMPLE = 16  # sequences whose logits are compared
SPECIAL = {
    "pad_token": ("[PAD]", "<pad>", "<|padding|>"),
    "unk_token": ("[UNK]", "<unk>"),
    "cls_token": ("[CLS]", "<s>"),
    "sep_token": ("[SEP]", "</s>"),
    "mask_token": ("[MASK]", "<mask>"),
}


def write_hub_folder(model: EncoderModel, out: Path, documents: Sequence[Document]) -> None:
    """Writes weights, configuration, tokenizer and task; each file is one that ``transformers`` knows.

    ``AutoModelForTokenClassification.from_pretrained(out)`` gives the same logits, which is tried before
    anything is written.

    Args:
        model: A trained model of entities, on the CPU.
        out: The folder; must not exist, or be empty.
        documents: What to compare logits on.

    Raises:
        ValueError: The model finds relations, or ``transformers`` has no class that computes the same.
        FileExistsError: There is something at ``out``.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out} exists already. Remedy: remove it, or write elsewhere")
    codec = model.codec
    if not isinstance(codec, EntityCodec):
        raise ValueError(
            "transformers has no class for relations between marked entities. Remedy: share the bundle, or a "
            "model of entities"
        )
    model = model.eval()
    as_transformers = to_transformers(model)
    difference = _difference(model, as_transformers, documents)
    if not difference <= LARGEST_DIFFERENCE:  # nor what is not a number
        raise ValueError(
            f"{type(as_transformers).__name__} computes something else, as its head has other layers: its "
            f"logits differ by {difference:.2g}. Remedy: share the bundle, or train another encoder"
        )
    out.mkdir(parents=True, exist_ok=True)
    as_transformers.save_pretrained(out)
    tokenizer_of(codec).save_pretrained(out)
    schema = json.dumps(model.schema.to_json(), indent=2, ensure_ascii=False)
    (out / SCHEMA).write_text(schema + "\n", encoding="utf-8")


def to_transformers(model: EncoderModel) -> PreTrainedModel:
    """The class of ``transformers`` for token classification with the model's weights.

    Raises:
        ValueError: There is none for the encoder's architecture, or it has other weights.
    """
    config = copy.deepcopy(model.encoder_config)
    config.id2label = dict(enumerate(model.codec.classes))
    config.label2id = {name: i for i, name in enumerate(model.codec.classes)}
    assert model.network is not None
    try:
        made: PreTrainedModel = AutoModelForTokenClassification.from_config(config, dtype=torch.float32)
        base: Any = getattr(made, made.base_model_prefix)
        base.load_state_dict(model.network.get_submodule("encoder").state_dict())
        head: Any = made.classifier
        head.load_state_dict(model.network.get_submodule("head").state_dict())
    except (ValueError, RuntimeError, AttributeError) as error:
        raise ValueError(
            f"transformers has no token classification that takes the weights of a {config.model_type} "
            f"as they are ({str(error).splitlines()[0]}). Remedy: share the bundle, or train another encoder"
        ) from error
    made.eval()
    return made


def tokenizer_of(codec: EntityCodec) -> PreTrainedTokenizerFast:
    """The codec's tokenizer with its special tokens and the longest sequence."""
    backend = Tokenizer.from_str(codec.tokenizer.json)
    backend.no_truncation()
    backend.no_padding()
    special = {
        role: token
        for role, names in SPECIAL.items()
        if (token := next((name for name in names if backend.token_to_id(name) is not None), None))
    }
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=codec.max_length,
        model_input_names=["input_ids", "attention_mask"],  # as in training
        **special,
    )


def _difference(model: EncoderModel, other: nn.Module, documents: Sequence[Document]) -> float:
    examples = model.codec.encode(documents).examples
    chosen = sorted(examples, key=len)[:: max(1, len(examples) // SAMPLE)]
    inputs = {name: torch.from_numpy(values) for name, values in pad(chosen, model.codec.pad_id).items()}
    mask = inputs["attention_mask"].bool()
    with torch.inference_mode():
        ours = model(inputs)
        theirs = other(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    return float((ours - theirs)[mask].abs().max())

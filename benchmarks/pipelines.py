"""The checkpoint's network behind the pipelines of transformers, as its user would have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import (
    AutoModelForTokenClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    pipeline,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from clinsynth.models.encoder_model import EncoderModel
from clinsynth_onnx.document import Document, Entity, Relation


def tokenizer(model: EncoderModel) -> PreTrainedTokenizerFast:
    """The checkpoint's tokenizer, without the 128 tokens at which sentence encoders cut."""
    made = Tokenizer.from_str(model.codec.tokenizer.json)
    made.no_truncation()
    made.no_padding()
    special = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=512, **special)


class MaskedPairs(PreTrainedModel):
    """The relation network as a sequence classifier: it finds the two masks in the text by itself."""

    def __init__(self, config: Any, network: torch.nn.Module, marks: list[list[int]]) -> None:
        super().__init__(config)
        self.network = network
        self.marks = marks

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> Any:
        places = []
        for mark in self.marks:
            windows = input_ids.unfold(1, len(mark), 1)
            places.append((windows == torch.tensor(mark)).all(-1).int().argmax(-1))
        logits = self.network(input_ids, attention_mask, torch.stack(places, 1))
        return SequenceClassifierOutput(logits=logits)


def transformers(
    model: EncoderModel, pairs: bool, batch_size: int, folder: Path
) -> Callable[[list[Document]], list[Document]]:
    """A pipeline that annotates documents; ``folder`` gets the model for other programs to load."""
    names = dict(enumerate(model.codec.classes))
    config = type(model.encoder_config).from_dict(
        {**model.encoder_config.to_dict(), "id2label": names, "label2id": {v: k for k, v in names.items()}}
    )
    network: Any = model.network
    words = tokenizer(model)
    if pairs:
        marks = [
            words(f"@{label.upper()}$", add_special_tokens=False)["input_ids"]
            for label in ("Gene", "Disease")
        ]
        classify = pipeline("text-classification", model=MaskedPairs(config, network, marks), tokenizer=words)
        return lambda documents: [
            _related(document, answer["label"] == model.codec.classes[1])
            for document, answer in zip(
                documents, classify([d.text for d in documents], batch_size=batch_size), strict=True
            )
        ]
    tagger = AutoModelForTokenClassification.from_config(config).eval()
    getattr(tagger, tagger.base_model_prefix).load_state_dict(network.encoder.state_dict())
    tagger.classifier.load_state_dict(network.head.state_dict())
    tagger.save_pretrained(folder)
    words.save_pretrained(folder)
    tag = pipeline("token-classification", model=tagger, tokenizer=words, aggregation_strategy="simple")
    return lambda documents: [
        replace(document, entities=_entities(answer), relations=())
        for document, answer in zip(
            documents, tag([d.text for d in documents], batch_size=batch_size), strict=True
        )
    ]


def _entities(answer: list[dict[str, Any]]) -> tuple[Entity, ...]:
    found = (
        Entity(entity["start"], entity["end"], entity["entity_group"])
        for entity in answer
        if entity["start"] < entity["end"]
    )
    return tuple(found)


def _related(document: Document, related: bool) -> Document:
    head = next(i for i, e in enumerate(document.entities) if e.label == "Gene")
    return replace(document, relations=(Relation(head, 1 - head, "Association"),) if related else ())

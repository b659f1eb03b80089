"""The pipeline of ``transformers`` on a hub folder, compared with a bundle step by step."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import pipeline

from clinsynth.exporting.agreement import Agreement, agreement
from clinsynth.models.encoder_model import EncoderModel
from clinsynth_onnx.bundle import Bundle
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.entity_codec import EntityCodec, Unit
from clinsynth_onnx.predictor import Predictor
from clinsynth_onnx.schema import Layout
from clinsynth_onnx.sentences import sentences

STRATEGY = "average"  # the nearest to how a codec reads words: a mean over their tokens
DOCUMENTS = 100  # the pipeline reads one text at a time
BATCH_TOKENS = 2048


def compare(
    folder: Path, bundle: Path, model: EncoderModel, documents: Sequence[Document]
) -> list[Agreement]:
    """How far the pipeline finds what the bundle finds, by sentences and by whole documents.

    Args:
        folder: What ``write_hub_folder`` wrote.
        bundle: The bundle of the same checkpoint.
        model: The model of both.
        documents: Texts; the first ``DOCUMENTS`` are read, and their annotations are not.
    """
    codec = model.codec
    assert isinstance(codec, EntityCodec)
    layout = model.schema.layout
    texts = [document.annotated(()) for document in documents[:DOCUMENTS]]
    with Predictor.load(bundle, engine="onnxruntime", variant=_exact(bundle)) as predictor:
        found = list(predictor.stream(texts))
    tags = pipeline(
        "token-classification",
        model=str(folder),
        aggregation_strategy=STRATEGY,
        stride=codec.overlap,
        device="cpu",
    )
    network = ("the network's file", _by_torch(model, texts, codec.unit, codec.abbreviations))
    alone = _by_torch(model, texts, codec.unit, abbreviations=False)
    abbreviations = ("abbreviations that the document defines", alone)
    whole = (
        "sentences of one document read together",
        _by_torch(model, texts, "document", abbreviations=False),
    )
    rules = "how tags become mentions"
    return [
        agreement(
            "a sentence",
            found,
            [network, abbreviations, (rules, [_read(tags, text, codec.unit, layout) for text in texts])],
        ),
        agreement(
            "a document",
            found,
            [
                network,
                abbreviations,
                whole,
                (rules, [_read(tags, text, "document", layout) for text in texts]),
            ],
        ),
    ]


def _exact(bundle: Path) -> str:
    return "fp32" if "fp32" in Bundle.open(bundle).variants else "auto"


def _by_torch(
    model: EncoderModel, texts: Sequence[Document], unit: Unit, abbreviations: bool
) -> list[Document]:
    codec = model.codec
    assert isinstance(codec, EntityCodec)
    other = EntityCodec(codec.tokenizer, codec.schema, unit, codec.max_length, codec.overlap, abbreviations)
    features = other.encode(texts)
    with torch.inference_mode():
        logits = model.logits(features.examples, BATCH_TOKENS)
    return other.decode(features, logits)


def _read(tags: Any, document: Document, unit: Unit, layout: Layout) -> Document:
    """What the pipeline finds in a document's texts, at offsets of the document."""
    entities = []
    for start, text in _texts(document, unit, layout):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of tokenizers that know no words
            for each in tags(text):
                entities.append(
                    Entity(
                        start + each["start"], start + each["end"], each["entity_group"], float(each["score"])
                    )
                )
    return document.annotated(tuple(entities))


def _texts(document: Document, unit: Unit, layout: Layout) -> Iterator[tuple[int, str]]:
    whole = [(0, len(document.text))]
    for start, end in sentences(document, layout) if unit == "sentence" else whole:
        if document.text[start:end].strip():
            yield start, document.text[start:end]

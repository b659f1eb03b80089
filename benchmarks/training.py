"""Training speed and quality beside the Hugging Face ``Trainer``: same encoder, data, epochs, in one run.

    python benchmarks/training.py [--sentences 1600] [--epochs 3]

Each trainer starts from the same pretrained weights and sees the same sequences. Sentences per second
count training alone: no reading, encoding, validation. Strict F1 is that of the NCBI Disease
development part, read and scored by the same code for all. The Hugging Face ``Trainer`` runs as it comes
(batches of 32, fp32) and with ``bf16=True``, at a learning rate that suits it better than its default.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, Trainer, seed_everything
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    TrainingArguments,
)
from transformers import Trainer as HuggingFaceTrainer

from clinsynth import encoders
from clinsynth.cli import fitting_precision
from clinsynth.datamodules import NCBIDisease
from clinsynth.datamodules.batches import DocumentBatch
from clinsynth.encoders import EncoderOptions
from clinsynth.metrics.metric import EntityScores
from clinsynth.models import TokenClassification
from clinsynth_onnx.codec import pad
from clinsynth_onnx.document import Document
from clinsynth_onnx.entity_codec import EntityCodec
from clinsynth_onnx.schema import EntityType, Schema
from clinsynth_onnx.tokens import TextTokenizer

SCHEMA = Schema("ncbi_disease", {"Disease": EntityType()})


class Clock(Callback):
    """Measures the time between the first and the last training step."""

    def on_train_start(self, *_: Any) -> None:
        self.start = time.perf_counter()

    def on_train_end(self, *_: Any) -> None:
        self.seconds = time.perf_counter() - self.start


class Sample(NCBIDisease):
    """The first training documents with so many sentences."""

    wanted: list[Document]

    def part(self, split: Any) -> list[Document]:
        return self.wanted if split == "train" else super().part(split)


def ours(data: Sample, epochs: int, folder: Path) -> tuple[float, torch.nn.Module]:
    """Seconds, and the trained network."""
    model = TokenClassification(SCHEMA)
    clock = Clock()
    trainer = Trainer(
        accelerator="cpu",
        precision=fitting_precision("cpu"),
        max_epochs=epochs,
        callbacks=[clock],
        gradient_clip_val=1.0,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    data.record["train"] = {}
    trainer.fit(model, datamodule=data)
    assert model.network is not None
    return clock.seconds, model.network


def theirs(examples: list[dict[str, Any]], epochs: int, folder: Path, bf16: bool) -> tuple[float, Any]:
    """Seconds, and the trained model."""
    model = AutoModelForTokenClassification.from_pretrained(encoders.locate("offline"), num_labels=3)
    tokenizer = AutoTokenizer.from_pretrained(encoders.locate("offline"))
    trainer = HuggingFaceTrainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder),
            per_device_train_batch_size=32,
            num_train_epochs=epochs,
            learning_rate=2e-4,
            bf16=bf16,
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=examples,
        data_collator=DataCollatorForTokenClassification(tokenizer),
    )
    return trainer.train().metrics["train_runtime"], model


def strict_f1(documents: list[Document], codec: EntityCodec, logits: Callable[..., torch.Tensor]) -> float:
    """Of a network on documents, in fp32 for all."""
    reader = TokenClassification(SCHEMA)
    features = codec.encode(documents)
    reader.network = Adapter(logits)
    with torch.inference_mode():
        predicted = reader.annotate(DocumentBatch(features, range(len(documents)), 4096))
    scores = EntityScores(SCHEMA.entity_labels)
    scores.update(predicted, documents, range(len(documents)))
    return scores.result().flat()["strict_f1"]


class Adapter(torch.nn.Module):
    """Gives any model the arguments of ours."""

    def __init__(self, logits: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.logits = logits

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, anchors: torch.Tensor
    ) -> torch.Tensor:
        return self.logits(input_ids, attention_mask, anchors)


def main() -> None:
    """Runs all three and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sentences", type=int, default=1600)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"

    data = Sample(SCHEMA)
    codec = EntityCodec(TextTokenizer(encoders.tokenizer_json("offline")), SCHEMA)
    data.wanted, count = [], 0
    for document in NCBIDisease(SCHEMA).part("train"):
        if count >= arguments.sentences:
            break
        data.wanted.append(document)
        count += len(codec.encode([document]).examples)
    features = codec.encode(data.wanted)
    examples = [
        {name: row[0].tolist() for name, row in pad([e], codec.pad_id).items() if name != "anchors"}
        for e in features.examples
    ]
    held_out = data.part("val")
    encoders.pretrained("offline", EncoderOptions())  # so that no one pays for the first read

    rows: list[tuple[str, float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        seed_everything(0, verbose=False)
        seconds, network = ours(data, arguments.epochs, Path(name))
        network.eval()
        f1 = strict_f1(held_out, codec, network)
        rows.append(report("clinsynth", examples, arguments.epochs, seconds, f1))
        for title, bf16 in (("Hugging Face Trainer, bf16", True), ("Hugging Face Trainer, fp32", False)):
            seed_everything(0, verbose=False)
            seconds, model = theirs(examples, arguments.epochs, Path(name), bf16)
            model.eval()
            f1 = strict_f1(held_out, codec, lambda ids, mask, _, m=model: m(ids, attention_mask=mask).logits)
            rows.append(report(title, examples, arguments.epochs, seconds, f1))

    print(f"\n{len(examples)} sentences, {arguments.epochs} epochs, {torch.get_num_threads()} threads")
    for title, rate, _ in rows[1:]:
        print(f"clinsynth trains {rows[0][1] / rate:.2f} times as fast as {title}")


def report(
    title: str, examples: list[dict[str, Any]], epochs: int, seconds: float, f1: float
) -> tuple[str, float, float]:
    """Prints a row as soon as it is known, and returns it."""
    rate = len(examples) * epochs / seconds
    print(f"{title:28} {rate:8.1f} sentences/s, development strict F1 {f1:.4f}", flush=True)
    return title, rate, f1


if __name__ == "__main__":
    main()

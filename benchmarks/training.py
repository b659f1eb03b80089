"""Training speed and quality beside the Hugging Face ``Trainer``: same encoder, data, epochs, in one run.

    python benchmarks/training.py [--sentences 1600] [--epochs 3] [--seeds 3]

Each trainer starts from the same pretrained weights, sees the same sequences and has a process of its own.
Sentences per second count training alone: no reading, encoding, validation. Strict F1 is read and scored
by the same code for all, on the NCBI Disease development split and on the training documents that nobody
was trained on (more of them, so a steadier figure). One seed's F1 is off by a point or more: the mean over
seeds is compared. The Hugging Face ``Trainer`` runs as it comes (batches of 32, fp32) and with
``bf16=True``, at a learning rate that suits it better than its default.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lightning import Callback, Trainer, seed_everything
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    TrainingArguments,
)
from transformers import Trainer as HuggingFaceTrainer

from clinsynth.cli.lightning import fitting_precision
from clinsynth.datamodules import NCBIDisease
from clinsynth.metrics.metric import EntityScores
from clinsynth.models import TokenClassification, encoders
from clinsynth.models.encoders import EncoderOptions
from clinsynth_onnx.codec import pad
from clinsynth_onnx.document import Document
from clinsynth_onnx.entity_codec import EntityCodec
from clinsynth_onnx.schema import EntityType, Schema
from clinsynth_onnx.tokens import TextTokenizer

OURS, BF16, FP32 = "clinsynth", "Hugging Face bf16", "Hugging Face fp32"
Logits = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
SCHEMA = Schema("ncbi_disease", {"Disease": EntityType()})


class Measured(NamedTuple):
    """What one training came to.

    Attributes:
        sentences: That it was trained on.
        rate: Sentences a second.
        scores: Strict F1 on the development documents and on the unused training documents.
    """

    sentences: int
    rate: float
    scores: tuple[float, ...]


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
        return self.wanted if split == "train" else super().task_documents(split)


def ours(data: Sample, epochs: int, folder: Path) -> tuple[float, Logits]:
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
    return clock.seconds, model.network.eval()


def theirs(
    examples: list[dict[str, Any]], epochs: int, folder: Path, bf16: bool, seed: int
) -> tuple[float, Logits]:
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
            seed=seed,
            bf16=bf16,
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=examples,
        data_collator=DataCollatorForTokenClassification(tokenizer),
    )
    seconds = trainer.train().metrics["train_runtime"]
    model.eval()
    return seconds, lambda ids, mask, _: model(ids, attention_mask=mask).logits


def strict_f1(documents: list[Document], logits: Logits) -> float:
    """Of a network on documents, in fp32 for all."""
    reader = TokenClassification(SCHEMA)
    reader.network = Adapter(logits)
    predicted = reader.read(documents, batch_tokens=4096)
    scores = EntityScores(SCHEMA.entity_labels)
    scores.update(predicted, documents, range(len(documents)))
    return scores.result().flat()["strict_f1"]


class Adapter(torch.nn.Module):
    """Gives any model the arguments of ours."""

    def __init__(self, logits: Logits) -> None:
        super().__init__()
        self.logits = logits

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, anchors: torch.Tensor
    ) -> torch.Tensor:
        return self.logits(input_ids, attention_mask, anchors)


def measure(trainer: str, seed: int, sentences: int, epochs: int) -> Measured:
    """Trains once, in a process that does nothing else."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    data = Sample(SCHEMA)
    codec = EntityCodec(TextTokenizer(encoders.tokenizer_json("offline")), SCHEMA)
    data.wanted, count = [], 0
    documents = NCBIDisease(SCHEMA).task_documents("train")
    for document in documents:
        if count >= sentences:
            break
        data.wanted.append(document)
        count += len(codec.encode([document]).examples)
    held_out = [data.task_documents("val"), documents[len(data.wanted) :]]
    encoders.pretrained("offline", EncoderOptions())  # so that no one pays for the first read

    seed_everything(seed, verbose=False)
    with tempfile.TemporaryDirectory() as name:
        if trainer == OURS:
            seconds, logits = ours(data, epochs, Path(name))
        else:
            examples = [
                {key: row[0].tolist() for key, row in pad([e], codec.pad_id).items() if key != "anchors"}
                for e in codec.encode(data.wanted).examples
            ]
            seconds, logits = theirs(examples, epochs, Path(name), trainer == BF16, seed)
    return Measured(
        count, count * epochs / seconds, tuple(strict_f1(part, logits) for part in held_out if part)
    )


def line(title: str, rate: float, scores: Iterable[float]) -> str:
    """A row of the table."""
    return f"{title:28} {rate:11.1f}" + "".join(f"{score:13.4f}" for score in scores)


def main() -> None:
    """Runs all three for each seed and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sentences", type=int, default=1600)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()

    print(f"{'':28} sentences/s  development       unused")
    results: dict[str, list[Measured]] = {OURS: [], BF16: [], FP32: []}
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as alone:
        for seed in range(arguments.seeds):
            for title in results:
                measured = alone.submit(measure, title, seed, arguments.sentences, arguments.epochs).result()
                results[title].append(measured)
                print(line(f"{title}, seed {seed}", measured.rate, measured.scores), flush=True)

    print(
        f"\nmeans of {arguments.seeds} seeds, {results[OURS][0].sentences} sentences, "
        f"{arguments.epochs} epochs, {torch.get_num_threads()} threads"
    )
    rates = {title: statistics.mean(result.rate for result in seeds) for title, seeds in results.items()}
    for title, rate in rates.items():
        parts = zip(*(result.scores for result in results[title]), strict=True)
        print(line(title, rate, map(statistics.mean, parts)))
    for title in (BF16, FP32):
        print(f"clinsynth trains {rates[OURS] / rates[title]:.2f} times as fast as {title}")


if __name__ == "__main__":
    main()

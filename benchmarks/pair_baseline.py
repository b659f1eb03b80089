"""What one pass is compared with in quality: a sequence for each pair of things, all mentions of both marked.

    python benchmarks/pair_baseline.py [--epochs 1] [--documents 500] [--seed 0]

Network, encoder, loss and optimizer are those of ``configs/bc5cdr_relations.yaml``. Each training document
becomes as many documents as it has candidate pairs, with the mentions of one pair each, so that there is a
sequence for each pair: ten times as many as documents, so that one epoch is as much to read as ten of the
one pass. It trains on BC5CDR's 500 training documents, and is scored on as many of the 500 development
documents as it is told.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable, Iterator

import torch
from lightning import Trainer, seed_everything
from rich.console import Console

from clinsynth.corpora.base import Split
from clinsynth.datamodules import BC5CDR
from clinsynth.formats.tasks import read_task
from clinsynth.metrics.report import table
from clinsynth.models import ConceptRelations
from clinsynth_onnx.concepts import (
    ConceptRelation,
    candidate_pairs,
    concept_relations,
    concepts,
    with_concept_relations,
)
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema


def of_pairs(document: Document, schema: Schema) -> Iterator[tuple[tuple[int, int], Document]]:
    """Each candidate pair, and the document with its mentions and relations alone."""
    known = concepts(document)
    stated = concept_relations(document)
    for pair in candidate_pairs(known, schema):
        mentions = sorted((i, known[end].name) for end in pair for i in known[end].mentions)
        alone = Document(
            document.text,
            tuple(document.entities[i] for i, _ in mentions),
            id=document.id,
            meta={"concepts": [name for _, name in mentions]},
        )
        order = [(concept.name, concept.label) for concept in concepts(alone)]
        head, tail = (order.index((known[end].name, known[end].label)) for end in pair)
        relations = [ConceptRelation(head, tail, r.label) for r in stated if (r.head, r.tail) == pair]
        yield pair, with_concept_relations(alone, relations)


class Pairs(BC5CDR):
    """BC5CDR, a document for each pair in training."""

    def documents(self, split: Split) -> Iterable[Document]:
        for document in super().documents(split):
            if split == "train":
                yield from (alone for _, alone in of_pairs(document, self.schema))
            else:
                yield document


def related(model: ConceptRelations, document: Document) -> Document:
    """The document with what is found in the sequences of its pairs."""
    pairs = list(of_pairs(document, model.schema))
    found = model.read([alone for _, alone in pairs], batch_tokens=4096)
    return with_concept_relations(
        document,
        [
            ConceptRelation(*pair, relation.label, relation.score)
            for (pair, _), alone in zip(pairs, found, strict=True)
            for relation in concept_relations(alone)
        ],
    )


def main() -> None:
    """Trains, and prints the scores and the minutes of both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--documents", type=int, default=500, help="development documents that are scored")
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    seed_everything(settings.seed, verbose=False)
    schema = read_task("configs/tasks/bc5cdr/task.yaml")
    model = ConceptRelations(schema)
    data = Pairs(schema, batch_tokens=2048)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            max_epochs=settings.epochs,
            accelerator="cpu",
            precision="bf16-mixed",
            gradient_clip_val=1.0,
            limit_val_batches=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            default_root_dir=folder,
        ).fit(model, datamodule=data)
    trained = time.perf_counter()
    model.eval()
    gold = data.task_documents("val")
    gold = gold[:: max(1, len(gold) // settings.documents)][: settings.documents]
    with torch.autocast("cpu", torch.bfloat16):
        found = [related(model, document) for document in gold]
    model.scores.update(found, gold, range(len(gold)))
    Console().print(table(model.scores.result()))
    minutes = (trained - start) / 60, (time.perf_counter() - trained) / 60
    print(
        f"{len(data.task_documents('train'))} sequences an epoch; trained in {minutes[0]:.1f} minutes, ",
        end="",
    )
    print(f"read in {minutes[1]:.1f}")


if __name__ == "__main__":
    main()

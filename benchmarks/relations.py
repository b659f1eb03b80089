"""All relations of an abstract from one pass, beside a sequence for each pair of things, in one run.

    python benchmarks/relations.py RUN [--documents 100] [--repeats 2]

RUN is a run folder of ``configs/bc5cdr_relations.yaml``; its checkpoint is exported. The documents are
those of BC5CDR's development part, with the mentions and concepts that people marked.

Beside it stand a bundle of ``RelationExtraction``, which makes a sequence of each candidate pair, and the
pipeline of transformers for text classification over the same texts, both with the same encoder and heads
that are not trained: what they answer takes as long. They are given the first mention of each concept only,
so that they have a sequence for each pair of concepts, the least that they can do, rather than for each
pair of mentions. Contestants take turns, and the best pass of each counts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from pipelines import tokenizer
from transformers import AutoModelForSequenceClassification, pipeline

from clinsynth.datamodules import BC5CDR
from clinsynth.exporting.write import write_bundle
from clinsynth.models import ConceptRelations, RelationExtraction
from clinsynth.models.encoders import locate
from clinsynth.models.loading import load_model
from clinsynth.runs.folder import best_of
from clinsynth_onnx.bundle import Bundle
from clinsynth_onnx.concepts import candidate_pairs, concepts
from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor
from clinsynth_onnx.relation_codec import RelationCodec

SETTLE = 0.5  # seconds in which the threads of whoever ran before stop spinning
EXAMINED = 10  # documents that the gate compares on: this is about time


def first_mentions(document: Document) -> Document:
    """The document with one mention of each concept."""
    chosen = dict.fromkeys(concept.mentions[0] for concept in concepts(document))
    return Document(document.text, tuple(document.entities[i] for i in chosen), id=document.id)


def by_pipeline(model: RelationExtraction, batch_size: int) -> Callable[[Sequence[Document]], object]:
    """Text classification by transformers over a text for each pair, both mentions masked in it."""
    codec = model.codec
    assert isinstance(codec, RelationCodec)
    network = AutoModelForSequenceClassification.from_pretrained(locate(model.encoder_name))
    classify = pipeline("text-classification", model=network, tokenizer=tokenizer(model))

    def work(documents: Sequence[Document]) -> object:
        texts = [
            codec._marked(document, pair)[0]
            for document in documents
            for pair in model.schema.candidate_pairs(document)
        ]
        return classify(texts, batch_size=batch_size, truncation=True)

    return work


def main() -> None:
    """Prints documents a second of each contestant, and the ratio to the one pass."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", help="a run folder or a checkpoint")
    parser.add_argument("--documents", type=int, default=100, help="how many, from all of the part")
    parser.add_argument("--repeats", type=int, default=2, help="timed passes of each contestant")
    settings = parser.parse_args()
    model = load_model(best_of(settings.run))
    assert isinstance(model, ConceptRelations), "name a run of configs/bc5cdr_relations.yaml"
    gold = list(BC5CDR(model.schema).documents("val"))
    gold = gold[:: max(1, len(gold) // settings.documents)][: settings.documents]
    single = [first_mentions(document) for document in gold]
    pairwise = RelationExtraction(model.schema, model.encoder_name)
    pairwise.setup("fit")
    pairwise.eval()
    pairs = sum(len(list(candidate_pairs(concepts(document), model.schema))) for document in gold)
    print(f"{len(gold)} documents, {pairs} pairs of concepts, {torch.get_num_threads()} cores")
    everyone: dict[str, tuple[Callable[[Sequence[Document]], object], list[Document]]] = {}
    with tempfile.TemporaryDirectory() as name:
        for title, network, examined in (
            ("one pass", model, gold[:EXAMINED]),
            ("pair by pair", pairwise, [replace(d, relations=()) for d in single[:EXAMINED]]),
        ):
            bundle = Path(name) / title.replace(" ", "-")
            write_bundle(network, bundle, examined, made={}, max_f1_drop=1.0)
            for variant in Bundle.open(bundle).variants:
                predictor = Predictor.load(bundle, engine="onnxruntime", variant=variant)
                documents = gold if network is model else single
                everyone[f"clinsynth, {title}, onnxruntime {variant}"] = (predictor, documents)
        for size in (1, 16):
            title = f"transformers pipeline over pairs, batch {size}"
            everyone[title] = (by_pipeline(pairwise, size), single)
        best = dict.fromkeys(everyone, float("inf"))
        for turn in range(settings.repeats):
            for title, (work, documents) in everyone.items():
                if turn == 0:
                    work(documents[:2])  # kernels are chosen and memory is laid out
                time.sleep(SETTLE)
                start = time.perf_counter()
                work(documents)
                best[title] = min(best[title], time.perf_counter() - start)
    print(f"{'':48}{'documents/s':>12}{'one pass, int8':>16}{'fp32':>8}")
    for title, seconds in best.items():
        ratios = [
            seconds / best[ours]
            if (ours := f"clinsynth, one pass, onnxruntime {v}") in best
            else float("nan")
            for v in ("int8", "fp32")
        ]
        print(f"{title:48}{len(gold) / seconds:12.2f}{ratios[0]:15.1f}x{ratios[1]:7.1f}x")


if __name__ == "__main__":
    main()

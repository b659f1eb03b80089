"""CPU inference beside what a user would pick instead: same model, same texts, in one run.

    python benchmarks/inference.py RUN [--bundle BUNDLE] [--optimum-python PYTHON] [--repeats 3]

RUN is a run folder of ``configs/ncbi_disease.yaml`` (the sentences of the test split are tagged) or of
``configs/gad.yaml`` (the test pairs are classified). Without BUNDLE the run is exported first.

Text goes in, annotations come out, tokenising and decoding included. Contestants take turns, so that a
machine that slows down slows all of them; the best pass of each counts. So it is with texts one by one,
for which a bundle has a process of its own, without torch, as it has in production. "labels equal"
compares the labels of all tokens (all pairs) with those of the checkpoint in torch, "F1" all of them
with gold. PYTHON is an interpreter that has optimum-onnx, which asks for an older transformers than
the rest.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pipelines
import torch

from clinsynth.cli.export import export
from clinsynth.corpora.labels import restrict
from clinsynth.datamodules import GAD, NCBIDisease
from clinsynth.models.encoder_model import EncoderModel
from clinsynth.models.loading import load_model
from clinsynth.runs.folder import best_of
from clinsynth_onnx import engines
from clinsynth_onnx.bundle import Bundle
from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor
from clinsynth_onnx.sentences import sentence_starts

REFERENCE = "transformers pipeline, batch 16"
ALONE_REFERENCE = "transformers pipeline, batch 1"
ALONE = 200  # texts that are timed one by one
SETTLE = 0.5  # seconds in which the threads of whoever ran before stop spinning
Annotate = Callable[[list[Document]], list[Document]]


@dataclass
class Contestant:
    """Something that annotates.

    Attributes:
        name: What it is.
        annotate: Annotates a list.
        alone: Arguments of ``alone.py`` that time it one text at a time; none to do so in this process,
            ``None`` not to.
        best: Seconds of its best pass.
        found: What it found.
        times: Seconds of single texts.
    """

    name: str
    annotate: Annotate
    alone: tuple[str, ...] | None = None
    best: float = float("inf")
    found: list[Document] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


def sentences(documents: Sequence[Document]) -> list[Document]:
    """The sentences of documents with the entities in them; says how many lie across two."""
    result, across = [], 0
    for document in documents:
        for start, end in itertools.pairwise([*sentence_starts(document.text), len(document.text)]):
            inside = [e for e in document.entities if start <= e.start and e.end <= end]
            across += sum(e.start < end < e.end for e in document.entities)
            moved = tuple(replace(e, start=e.start - start, end=e.end - start) for e in inside)
            result.append(Document(document.text[start:end], moved))
    if across:
        print(f"{across} mentions lie across two sentences and are left out of gold")
    return result


def contestants(model: EncoderModel, bundle: Path, pairs: bool, folder: Path) -> list[Contestant]:
    """All that run in this process."""
    made = []
    for size in (1, 16, 32):
        name = f"transformers pipeline, batch {size}"
        made.append(
            Contestant(name, pipelines.transformers(model, pairs, size, folder), () if size == 1 else None)
        )

    def sorted_by_length(documents: list[Document]) -> list[Document]:
        return model.read([replace(d, entities=d.entities if pairs else ()) for d in documents])

    def in_bf16(documents: list[Document]) -> list[Document]:
        with torch.autocast("cpu", torch.bfloat16):
            return sorted_by_length(documents)

    made.append(Contestant("torch sorted by length, fp32", sorted_by_length))
    made.append(Contestant("torch sorted by length, bf16", in_bf16))
    choices = [("onnxruntime", variant) for variant in Bundle.open(bundle).variants]
    if engines.available("openvino"):
        choices.append(("openvino", "fp32"))
    for engine, variant in choices:
        predictor = Predictor.load(bundle, engine=engine, variant=variant)
        print(predictor.about)
        name = f"clinsynth, {engine} {variant}"
        made.append(Contestant(name, predictor, alone=(str(bundle), engine, variant)))
    return made


def run_in_turns(everyone: Sequence[Contestant], documents: list[Document], repeats: int) -> None:
    """Times all texts, and some one by one."""
    for contestant in everyone:
        contestant.found = contestant.annotate(documents)  # warms up, too
    for _ in range(repeats):
        for contestant in everyone:
            time.sleep(SETTLE)
            start = time.perf_counter()
            contestant.annotate(documents)
            contestant.best = min(contestant.best, time.perf_counter() - start)
    chosen = documents[:: max(1, len(documents) // ALONE)]
    for _ in range(repeats):
        for contestant in everyone:
            if contestant.alone is not None:
                time.sleep(SETTLE)
                times = one_by_one(contestant, chosen)
                contestant.times = min(contestant.times or times, times, key=sum)


def one_by_one(one: Contestant, documents: list[Document]) -> list[float]:
    """Seconds of each document."""
    if one.alone:
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as texts:
            texts.writelines(json.dumps(document.to_json()) + "\n" for document in documents)
            texts.flush()
            script = str(Path(pipelines.__file__).with_name("alone.py"))
            done = subprocess.run(
                [sys.executable, script, *one.alone, texts.name], check=True, capture_output=True, text=True
            )
        return [float(x) for x in json.loads(done.stdout.splitlines()[-1])]
    times = []
    for document in documents:
        start = time.perf_counter()
        one.annotate([document])
        times.append(time.perf_counter() - start)
    return times


def labels(model: EncoderModel, documents: Sequence[Document], pairs: bool) -> np.ndarray:
    """The class of each token, or of each pair, as documents have them."""
    examples = model.codec.encode(documents).examples
    return np.concatenate([example.labels for example in examples])


def matrix_limit(model: EncoderModel, documents: Sequence[Document], pairs: bool) -> dict[str, float]:
    """Texts a second if the encoder's matrix products were all that there is, by precision."""
    examples = model.codec.encode(documents).examples
    tokens = sum(len(example) for example in examples)
    weights = sum(p.numel() for n, p in model.named_parameters() if "encoder.encoder" in n and p.ndim == 2)
    work = 2 * weights * tokens
    config = model.encoder_config
    result = {}
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        a = torch.randn(2048, config.hidden_size).to(kind)
        b = torch.randn(config.hidden_size, config.intermediate_size).to(kind)
        best = float("inf")
        for _ in range(50):
            start = time.perf_counter()
            a @ b
            best = min(best, time.perf_counter() - start)
        rate = 2 * a.shape[0] * b.numel() / best
        result[name] = len(documents) / (work / rate)
        print(f"{name} matrix products: {rate / 1e9:.0f} GFLOP/s; {work / 1e12:.2f} TFLOP in all")
    return result


def by_optimum(python: str, folder: Path, documents: Sequence[Document]) -> list[tuple[str, float, float]]:
    """Rows of optimum-onnx's pipeline: name, texts a second, milliseconds of a text alone."""
    texts = folder / "texts.json"
    texts.write_text(json.dumps([document.text for document in documents]), encoding="utf-8")
    script = Path(pipelines.__file__).with_name("optimum_pipeline.py")
    done = subprocess.run(
        [python, str(script), str(folder), str(texts)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    return [tuple(row) for row in json.loads(done.stdout.splitlines()[-1])]


def report(
    everyone: Sequence[Contestant], model: EncoderModel, gold: list[Document], pairs: bool
) -> dict[str, float]:
    """Prints a table; returns texts a second by contestant."""
    by_name = {contestant.name: contestant for contestant in everyone}
    expected = labels(model, by_name["torch sorted by length, fp32"].found, pairs)
    reference = by_name[REFERENCE].best
    alone = statistics.mean(by_name[ALONE_REFERENCE].times)
    print(
        f"{'':36}{'texts/s':>9}{'ratio':>8}{'labels equal':>14}{'F1':>9}"
        f"{'alone ms':>10}{'p50':>7}{'ratio':>7}"
    )
    for contestant in everyone:
        scores = model.build_scores()
        scores.update(contestant.found, gold, range(len(gold)))
        f1 = scores.result().flat()[model.monitor.removeprefix("val_")]
        equal = float((labels(model, contestant.found, pairs) == expected).mean())
        best = contestant.best
        line = f"{contestant.name:36}{len(gold) / best:9.1f}{reference / best:8.2f}{equal:14.4%}{f1:9.4f}"
        if contestant.times:
            mean, middle = statistics.mean(contestant.times), statistics.median(contestant.times)
            line += f"{1000 * mean:10.2f}{1000 * middle:7.2f}{mean / alone:7.2f}"
        print(line)
    return {contestant.name: len(gold) / contestant.best for contestant in everyone}


def main() -> None:
    """Prints what each contestant does, and how far ours is from the matrix products alone."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", help="a run folder or a checkpoint")
    parser.add_argument("--bundle", type=Path, help="its export; made now if not given")
    parser.add_argument("--optimum-python", help="an interpreter that has optimum-onnx")
    parser.add_argument("--repeats", type=int, default=3, help="timed passes of each contestant")
    settings = parser.parse_args()
    model = load_model(best_of(settings.run))
    pairs = bool(model.schema.relations)
    corpus = (GAD if pairs else NCBIDisease)(model.schema)
    gold: list[Document] = [restrict(document, model.schema) for document in corpus.documents("test")]
    gold = gold if pairs else sentences(gold)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = settings.bundle or folder / "bundle"
        if settings.bundle is None:
            export(settings.run, str(bundle))
        everyone = contestants(model, bundle, pairs, folder)
        run_in_turns(everyone, gold, settings.repeats)
        print(f"\n{len(gold)} {'pairs' if pairs else 'sentences'}, {torch.get_num_threads()} cores\n")
        rates = report(everyone, model, gold, pairs)
        if settings.optimum_python and not pairs:
            for text, rate, alone in by_optimum(settings.optimum_python, folder, gold):
                print(f"{text:36}{rate:9.1f}{rate / rates[REFERENCE]:8.2f}{'':23}{alone:10.2f}")
    print()
    limits = matrix_limit(model, gold, pairs)
    for name, rate in rates.items():
        if name.startswith("clinsynth"):
            kind = "fp32" if name.endswith("onnxruntime fp32") else "bf16"
            print(f"{name}: {rate / limits[kind]:.0%} of what {kind} matrix products alone would allow")


if __name__ == "__main__":
    main()

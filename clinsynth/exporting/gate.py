"""What a bundle has to pass: the same answers as torch, no worse scores, and how fast it is."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from clinsynth.exporting.outcome import Gate, Row
from clinsynth.models.encoder_model import EncoderModel
from clinsynth_onnx import engines
from clinsynth_onnx.batching import in_chunks
from clinsynth_onnx.bundle import Bundle, BundleError
from clinsynth_onnx.codec import Example, FloatArray, pad, unpad
from clinsynth_onnx.concept_codec import ConceptCodec
from clinsynth_onnx.concept_fields import without_scores
from clinsynth_onnx.concepts import concept_relations
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.predictor import Predictor
from clinsynth_onnx.tokens import IntArray

LENGTHS = (16, 64, 256)
REPEATS = 20
LABELS_EQUAL = 0.999  # share that the network in full precision has to have; others are judged by F1 alone
TORCH = "torch"

Run = Callable[[Mapping[str, IntArray]], FloatArray]


def examine(model: EncoderModel, bundle: Bundle, gold: Sequence[Document], max_f1_drop: float) -> Gate:
    """Compares all that can compute a bundle on this machine with torch.

    Args:
        model: What was exported, in evaluation mode.
        bundle: The export, all its variants in it.
        gold: Documents of the task with gold annotations.
        max_f1_drop: What a variant may lose in the score that picks checkpoints.
    """
    long = long_document(model, gold)
    documents = [*gold, long]
    features = model.codec.encode(documents)

    def torch_run(inputs: Mapping[str, IntArray]) -> FloatArray:
        with torch.inference_mode():
            logits: FloatArray = model({name: torch.from_numpy(x) for name, x in inputs.items()}).numpy()
        return logits

    def all_logits(run: Run, batch_tokens: int) -> list[FloatArray]:
        def work(chunk: list[Example]) -> list[FloatArray]:
            return unpad(run(pad(chunk, model.codec.pad_id)), chunk)

        return in_chunks(features.examples, batch_tokens, work)

    expected = all_logits(torch_run, 2048)
    annotated = model.codec.decode(features, expected)
    rows = [
        Row(
            TORCH,
            "",
            _score(model, annotated, gold),
            1.0,
            len(documents),
            0.0,
            _throughput(lambda: model.read(documents), len(documents)),
            _latency(torch_run, features.examples, model.codec.pad_id),
        )
    ]
    for engine, variant in candidates(bundle):
        with Predictor.load(bundle.path, engine=engine, variant=variant) as predictor:
            run = predictor.engine.run
            logits = all_logits(run, predictor.batch_tokens)
            found = model.codec.decode(features, logits)
            row = Row(
                engine,
                variant,
                _score(model, found, gold),
                _labels_equal(logits, expected),
                sum(without_scores(a) == without_scores(b) for a, b in zip(found, annotated, strict=True)),
                _largest_difference(logits, expected),
                _throughput(lambda: predictor(documents), len(documents)),
                _latency(run, features.examples, model.codec.pad_id),
            )
        rows.append(replace(row, verdict=_verdict(row, rows[0], max_f1_drop)))
    tokens = sum(len(sequence) for sequence in model.codec.tokenizer([long.text]))
    annotations = sum(_annotations(model, document) for document in gold)
    return Gate(_monitored(model), len(gold), tokens, max_f1_drop, tuple(rows), annotations)


def candidates(bundle: Bundle) -> Iterator[tuple[engines.EngineName, str]]:
    """Engines of this machine and the variants they would compute."""
    for variant in bundle.variants:
        yield "onnxruntime", variant
    if engines.available("openvino"):
        yield "openvino", "fp32"
    if engines.available("cuda") and _finds_gpu(bundle):
        yield "cuda", "fp32"


def _finds_gpu(bundle: Bundle) -> bool:
    try:
        engines.load(bundle, "cuda", "fp32", threads=1, workers=1)
    except BundleError:
        return False
    return True


def long_document(model: EncoderModel, gold: Sequence[Document]) -> Document:
    """Documents joined, again and again if need be, into one that no window holds, without a sentence end.

    For relations of concepts it has all mentions; for those of mentions the first document's only, as each
    pair of these is a sequence.
    """
    commas = str.maketrans(".!?\n", ",,, ")
    pieces = [document.text.translate(commas) + " " for document in gold]
    tokens = np.cumsum([max(1, len(sequence)) for sequence in model.codec.tokenizer(pieces)])
    whole, rest = divmod(2 * model.codec.max_length, int(tokens[-1]))
    joined = [*range(len(gold))] * whole + [*range(1 + int(np.searchsorted(tokens, rest)))]
    text = "".join(pieces[i] for i in joined)
    entities: tuple[Entity, ...] = ()
    if isinstance(model.codec, ConceptCodec):
        starts = itertools.accumulate((len(pieces[i]) for i in joined), initial=0)
        entities = tuple(
            replace(entity, start=start + entity.start, end=start + entity.end)
            for i, start in zip(joined, starts, strict=False)
            for entity in gold[i].entities
        )
    elif model.schema.relations:
        entities = gold[0].entities
    return Document(text, entities, id="longer than a window")


def _annotations(model: EncoderModel, document: Document) -> int:
    if isinstance(model.codec, ConceptCodec):
        return len(concept_relations(document))
    return len(document.relations if model.schema.relations else document.entities)


def _monitored(model: EncoderModel) -> str:
    return model.monitor.removeprefix("val_")


def _score(model: EncoderModel, found: Sequence[Document], gold: Sequence[Document]) -> float:
    scores = model.build_scores()
    scores.update(found[: len(gold)], gold, range(len(gold)))
    return scores.result().flat()[_monitored(model)]


def _labels_equal(found: Sequence[FloatArray], expected: Sequence[FloatArray]) -> float:
    pairs = [
        (a.argmax(axis=-1).ravel(), b.argmax(axis=-1).ravel()) for a, b in zip(found, expected, strict=True)
    ]
    if not pairs:
        return 1.0
    a, b = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return float((a == b).mean())


def _largest_difference(found: Sequence[FloatArray], expected: Sequence[FloatArray]) -> float:
    each = [np.abs(a - b).max() for a, b in zip(found, expected, strict=True)]
    return float(np.max(each, initial=0.0))  # max() would pass over what is not a number


def _throughput(work: Callable[[], object], documents: int) -> float:
    work()  # kernels are chosen and memory is laid out in the first pass
    start = time.perf_counter()
    work()
    return documents / (time.perf_counter() - start)


def _latency(run: Run, examples: Sequence[Example], pad_id: int) -> dict[str, dict[str, float]]:
    result = {}
    for length in LENGTHS:
        nearest = min(examples, key=lambda e: abs(len(e) - length))
        inputs = pad([nearest], pad_id)
        times = []
        run(inputs)
        for _ in range(REPEATS):
            start = time.perf_counter()
            run(inputs)
            times.append(1000 * (time.perf_counter() - start))
        p50, p95 = np.percentile(times, (50, 95))
        result[str(len(nearest))] = {"p50": float(p50), "p95": float(p95)}
    return result


def _verdict(row: Row, by_torch: Row, max_f1_drop: float) -> str:
    if (row.engine, row.variant) == ("onnxruntime", "fp32"):  # the same sums as torch's, in another order
        if not math.isfinite(row.largest_difference):
            return f"refused: its logits differ from torch's by {row.largest_difference}"
        if row.labels_equal < LABELS_EQUAL:
            return f"refused: {row.labels_equal:.2%} of labels are torch's, {LABELS_EQUAL:.1%} have to be"
    drop = by_torch.f1 - row.f1
    if drop > max_f1_drop:
        return f"refused: {drop:.4f} lower than torch, {max_f1_drop} is allowed"
    slower = row.documents_per_second < by_torch.documents_per_second
    return "kept, slower than torch" if slower else "kept"

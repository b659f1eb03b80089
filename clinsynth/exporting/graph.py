"""A trained network as an ONNX graph whose attention, norms and activations are single operators."""

from __future__ import annotations

import contextlib
import io
import logging
import math
import warnings
from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
import torch
from onnx_ir.passes.common import RemoveUnusedNodesPass
from torch import Tensor, nn

from clinsynth.exporting.biases import fold_biases
from clinsynth.models.encoder_model import EncoderModel
from clinsynth_onnx.bundle import Task
from clinsynth_onnx.codec import NO_MARK, NO_PAIR, FloatArray
from clinsynth_onnx.tokens import IntArray

# 23 has Attention as an operator. RotaryEmbedding, of 23 too, is exported in a form that onnxruntime
# refuses, so networks that have it fall back to 20, the first version with Gelu
OPSETS = (23, 20)
TOLERANCE = 1e-3  # of logits; what differs is the order of sums
SHAPES = ((2, 24), (1, 5), (4, 61), (3, 33))  # batch and length; the first is traced, all are compared


# what each token attends to is the same in all layers of these: every token that is not padding. Said
# in one operator it saves the dozen that transformers derives it with
PLAIN = {"bert", "roberta", "distilbert", "electra"}


class _Exported(nn.Module):
    """A network by the inputs of its bundle, which come in the order of ``INPUTS``."""

    def __init__(self, network: nn.Module, plain: bool) -> None:
        super().__init__()
        self.network = network
        self.plain = plain

    def logits(self, input_ids: Tensor, attention_mask: Tensor, *others: Tensor) -> Tensor:
        mask = _attended(attention_mask) if self.plain else attention_mask
        logits: Tensor = self.network(input_ids, mask, *others)
        return logits


class _Tokens(_Exported):
    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return self.logits(input_ids, attention_mask, input_ids[:, :0])


class _Pairs(_Exported):
    def forward(self, input_ids: Tensor, attention_mask: Tensor, anchors: Tensor) -> Tensor:
        return self.logits(input_ids, attention_mask, anchors)


class _Concepts(_Exported):
    def forward(self, input_ids: Tensor, attention_mask: Tensor, marks: Tensor, pairs: Tensor) -> Tensor:
        return self.logits(input_ids, attention_mask, input_ids[:, :0], marks, pairs)


# what comes besides tokens and mask, and the sizes that differ from batch to batch
WRAPPERS: dict[Task, type[_Exported]] = {
    "token-classification": _Tokens,
    "relation-extraction": _Pairs,
    "concept-relation-extraction": _Concepts,
}
DIMENSIONS = {
    "input_ids": ("batch", "length"),
    "attention_mask": ("batch", "length"),
    "anchors": ("batch",),
    "marks": ("batch", "mentions"),
    "pairs": ("batch", "pairs"),
}


def _attended(attention_mask: Tensor) -> Tensor:
    """Whether a token attends to another, ``[batch, 1, length, length]``."""
    return attention_mask.bool()[:, None, None, :].expand(-1, 1, attention_mask.size(1), -1)


def probes(model: EncoderModel, task: Task) -> list[dict[str, IntArray]]:
    """Padded batches of random tokens in different shapes."""
    rng = np.random.default_rng(0)
    vocabulary = int(model.encoder_config.vocab_size)
    result = []
    for size, length in SHAPES:
        mask = np.ones((size, length), dtype=np.int64)
        for row in range(1, size):
            mask[row, int(rng.integers(2, length)) :] = 0
        ids = np.where(mask == 1, rng.integers(0, vocabulary, mask.shape), model.codec.pad_id)
        batch = {"input_ids": ids.astype(np.int64), "attention_mask": mask}
        if task == "relation-extraction":
            batch["anchors"] = np.tile(np.array([[0, 1]], dtype=np.int64), (size, 1))
        elif task == "concept-relation-extraction":
            mentions, concepts = length // 3, 3
            places = rng.integers(0, 2, (size, mentions))
            batch["marks"] = np.stack([places, np.arange(mentions) % concepts + 0 * places], axis=-1)
            pairs = np.array(list(permutations(range(concepts), 2)), dtype=np.int64)[: 2 + length % 5]
            batch["pairs"] = np.tile(pairs, (size, 1, 1))
            batch["marks"][1:, -1:] = NO_MARK
            batch["pairs"][1:, -1:] = NO_PAIR
        result.append(batch)
    return result


def to_onnx(model: EncoderModel, task: Task) -> tuple[ir.Model, float]:
    """The network in evaluation mode, and by how much its logits differ from torch's at most.

    Inputs are ``input_ids`` and ``attention_mask``, ``[batch, length]``; for relations of marked pairs
    ``anchors``, ``[batch, 2]``; for those of concepts ``marks``, ``[batch, mentions, 2]``, and ``pairs``,
    ``[batch, pairs, 2]``. The output is ``logits``. All sizes but 2 are dynamic. Raises ``ValueError`` where
    an architecture cannot be exported or computes something else once it is.
    """
    assert model.network is not None
    wrapped = WRAPPERS[task](model.network, model.encoder_config.model_type in PLAIN).eval()
    batches = probes(model, task)
    problems = []
    for opset in OPSETS:
        try:
            graph = _export(wrapped, batches[0], opset)
            flatten_heads(graph)
            fold_biases(graph)
            difference = _difference(wrapped, graph, batches)
        except Exception as error:  # torch.export's and onnxruntime's errors have no common class
            problems.append(f"opset {opset}: {type(error).__name__}: {str(error).strip().splitlines()[0]}")
            continue
        if difference <= TOLERANCE:
            return graph, difference
        problems.append(f"opset {opset}: its logits differ from torch's by {difference:.2g}")
    raise ValueError(
        f"the encoder architecture {model.encoder_config.model_type!r} cannot be exported to ONNX "
        f"({'; '.join(problems)}). Remedy: train with another encoder; BERT, RoBERTa, DistilBERT, ELECTRA, "
        "DeBERTa and ModernBERT are known to work"
    )


def _export(network: nn.Module, batch: Mapping[str, IntArray], opset: int) -> ir.Model:
    sizes = {name: torch.export.Dim(name) for each in DIMENSIONS.values() for name in each}
    shapes = tuple({i: sizes[size] for i, size in enumerate(DIMENSIONS[name])} for name in batch)
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            network,
            tuple(torch.from_numpy(x) for x in batch.values()),
            input_names=list(batch),
            output_names=["logits"],
            opset_version=opset,
            dynamic_shapes=shapes,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    graph: ir.Model = program.model
    for node in graph.graph.all_nodes():
        node.metadata_props.clear()  # stack traces with paths of the machine that exported
        node.doc_string = None
    return graph


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps torch's exporter from telling about steps and operators; errors are raised anyway."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def flatten_heads(model: ir.Model) -> None:
    """Lets Attention split the heads itself: it does so faster than the Reshape and Transpose around it."""
    for node in list(model.graph):
        if node.op_type != "Attention" or node.domain != "":
            continue
        sources = [_before_heads(value) for value in node.inputs[:3]]
        after = _after_heads(node.outputs[0])
        heads = [value.shape[1] if value is not None and value.shape else None for value in node.inputs[:2]]
        if after is None or None in sources or not all(isinstance(n, int) for n in heads):
            continue
        for place, source in enumerate(sources):
            node.replace_input_with(place, source)
        node.attributes["q_num_heads"] = ir.AttrInt64("q_num_heads", int(heads[0]))  # type: ignore[arg-type]
        node.attributes["kv_num_heads"] = ir.AttrInt64("kv_num_heads", int(heads[1]))  # type: ignore[arg-type]
        node.outputs[0].shape = after.shape
        after.replace_all_uses_with(node.outputs[0])
    RemoveUnusedNodesPass()(model)


def _before_heads(value: ir.Value | None) -> ir.Value | None:
    """What became ``[batch, heads, length, size]`` by Reshape and Transpose, if that is how."""
    swap = value.producer() if value is not None else None
    if swap is None or swap.op_type != "Transpose" or swap.inputs[0] is None:
        return None
    if list(swap.attributes["perm"].as_ints()) != [0, 2, 1, 3]:
        return None
    split = swap.inputs[0].producer()
    return split.inputs[0] if split is not None and split.op_type == "Reshape" else None


def _after_heads(value: ir.Value) -> ir.Value | None:
    """What the heads are joined to by Transpose and Reshape, if that is all that is done with them."""
    for op in ("Transpose", "Reshape"):
        users = value.consumers()
        if len(users) != 1 or users[0].op_type != op:
            return None
        value = users[0].outputs[0]
    return value


def session(model: ir.Model) -> onnxruntime.InferenceSession:
    """A session to try a graph with."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        ir.to_proto(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _difference(network: nn.Module, graph: ir.Model, batches: list[dict[str, IntArray]]) -> float:
    runs = session(graph)
    worst = 0.0
    for batch in batches:
        with torch.inference_mode():
            expected = network(*(torch.from_numpy(x) for x in batch.values())).numpy()
        found: FloatArray = runs.run(None, dict(batch))[0]
        if found.shape != expected.shape:
            raise ValueError(f"its logits have shape {found.shape}, torch's {expected.shape}")
        there = _there(batch, expected)
        difference = float(np.abs(found - expected)[there].max())
        if not math.isfinite(difference):  # which no comparison would tell
            raise ValueError(f"its logits differ from torch's by {difference}")
        worst = max(worst, difference)
    return worst


def _there(batch: Mapping[str, IntArray], logits: FloatArray) -> Any:
    """Where logits are not of padding."""
    if "pairs" in batch:
        return batch["pairs"][..., 0] != NO_PAIR
    return batch["attention_mask"] == 1 if logits.ndim == 3 else slice(None)

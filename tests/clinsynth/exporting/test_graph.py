"""Every architecture that is promised exports, computes the same, and multiplies in int8."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest
import torch
from transformers import AutoConfig, AutoModel

from clinsynth.exporting import graph, int8
from clinsynth.models import ConceptRelations, RelationExtraction, TokenClassification
from clinsynth.models.encoder_model import EncoderModel
from clinsynth_onnx.bundle import Task
from clinsynth_onnx.codec import NO_PAIR
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.tokens import TextTokenizer
from tests.conftest import wordpiece_json

SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 160,
}
DISENTANGLED = {
    **SIZES,
    "relative_attention": True,
    "pos_att_type": ["c2p", "p2c"],
    "position_biased_input": False,
}
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "BERT": ("bert", SIZES),
    "RoBERTa": ("roberta", SIZES),
    "DistilBERT": (
        "distilbert",
        {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "max_position_embeddings": 160},
    ),
    "ELECTRA": ("electra", {**SIZES, "embedding_size": 16}),
    "DeBERTa": ("deberta", DISENTANGLED),
    "DeBERTa-v2": (
        "deberta-v2",
        {**DISENTANGLED, "position_buckets": 16, "share_att_key": True, "conv_kernel_size": 3},
    ),
    "DeBERTa-v3": (
        "deberta-v2",
        {**DISENTANGLED, "position_buckets": 16, "share_att_key": True, "norm_rel_ebd": "layer_norm"},
    ),
    "ModernBERT": (
        "modernbert",
        {**SIZES, "num_hidden_layers": 4, "local_attention": 16, "global_attn_every_n_layers": 2},
    ),
}
TAGS: Task = "token-classification"
FUSED = ("BERT", "RoBERTa", "DistilBERT", "ELECTRA")


def built(
    name: str, folder: Path, schema: Schema, kind: Callable[..., EncoderModel] = TokenClassification
) -> EncoderModel:
    """A model whose encoder has the architecture and random weights."""
    text = wordpiece_json()
    tokenizer = TextTokenizer(text)
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"}), encoding="utf-8"
    )
    model_type, options = ARCHITECTURES[name]
    ids = {
        "pad_token_id": tokenizer.pad_id,
        "bos_token_id": 2,
        "eos_token_id": 3,
        "cls_token_id": 2,
        "sep_token_id": 3,
    }
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        model_type, vocab_size=len(json.loads(text)["model"]["vocab"]), **ids, **options
    )
    AutoModel.from_config(config).save_pretrained(folder)
    model = kind(schema, str(folder))
    model.setup("fit")
    return model.eval()


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n == "ModernBERT" else n for n in ARCHITECTURES]
)
def test_architectures_export_and_quantize(name: str, tmp_path: Path, schema: Schema) -> None:
    model = built(name, tmp_path, schema)
    exported, difference = graph.to_onnx(model, TAGS)
    assert difference < 1e-4
    operators = [node.op_type for node in exported.graph]
    assert operators.count("Gelu") >= 2
    if name in FUSED:
        assert operators.count("Attention") == 2
        assert "Transpose" not in operators, "attention splits the heads by itself"
    batch = graph.probes(model, TAGS)[2]
    there = batch["attention_mask"] == 1
    (exact,) = graph.session(exported).run(None, batch)
    assert int8.quantize(exported) >= 12
    (rounded,) = graph.session(exported).run(None, batch)
    assert rounded.shape == exact.shape
    difference = float(np.abs(rounded - exact)[there].max())
    assert 0 < difference < 0.15 * float(np.abs(exact[there]).max())


def test_pairs_export(tmp_path: Path, schema: Schema) -> None:
    model = built("BERT", tmp_path, schema, RelationExtraction)
    exported, difference = graph.to_onnx(model, "relation-extraction")
    assert difference < 1e-4
    assert [value.name for value in exported.graph.inputs] == ["input_ids", "attention_mask", "anchors"]


@pytest.mark.parametrize("name", ["BERT", "DeBERTa-v3", pytest.param("ModernBERT", marks=pytest.mark.slow)])
def test_concepts_export_and_quantize(name: str, tmp_path: Path, schema: Schema) -> None:
    model = built(name, tmp_path, schema, partial(ConceptRelations, max_length=64, overlap=16))
    exported, difference = graph.to_onnx(model, "concept-relation-extraction")
    assert difference < 1e-4
    names = ["input_ids", "attention_mask", "marks", "pairs"]
    assert [value.name for value in exported.graph.inputs] == names
    operators = [node.op_type for node in exported.graph]
    assert operators.count("Attention") == 2 * (name == "BERT"), "that of the markers is no obstacle"
    batch = graph.probes(model, "concept-relation-extraction")[2]
    there = batch["pairs"][..., 0] != NO_PAIR
    (exact,) = graph.session(exported).run(None, batch)
    assert exact.shape == (*there.shape, 2) and not there.all() and np.isfinite(exact).all()
    assert int8.quantize(exported) >= 12
    (rounded,) = graph.session(exported).run(None, batch)
    difference = float(np.abs(rounded - exact)[there].max())
    assert 0 < difference < 0.15 * float(np.abs(exact[there]).max())


@pytest.mark.slow
def test_long_texts_meet_the_sliding_window_of_modernbert(tmp_path: Path, schema: Schema) -> None:
    model = built("ModernBERT", tmp_path, schema)
    exported, _ = graph.to_onnx(model, TAGS)
    ids = np.random.default_rng(1).integers(4, 60, (2, 150))
    batch = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    (found,) = graph.session(exported).run(None, batch)
    with torch.inference_mode():
        tensors = {name: torch.from_numpy(x) for name, x in batch.items()}
        expected = model({**tensors, "anchors": torch.zeros((2, 0), dtype=torch.int64)}).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_network_that_computes_something_else_is_refused(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = built("BERT", tmp_path, schema)
    monkeypatch.setattr(graph, "TOLERANCE", -1.0)
    with pytest.raises(ValueError, match=r"'bert' cannot be exported .*differ from torch's by .*Remedy"):
        graph.to_onnx(model, TAGS)


def test_logits_that_are_no_numbers_are_no_parity(tmp_path: Path, schema: Schema) -> None:
    model = built("BERT", tmp_path, schema)
    assert model.network is not None
    with torch.no_grad():
        next(p for name, p in model.network.named_parameters() if name.endswith("bias")).fill_(float("nan"))
    with pytest.raises(ValueError, match=r"'bert' cannot be exported .*differ from torch's by nan"):
        graph.to_onnx(model, TAGS)


def test_a_network_that_cannot_be_traced_is_refused(
    tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = built("BERT", tmp_path, schema)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("data-dependent control flow\nand a long trace")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(ValueError, match=r"opset 23: RuntimeError: data-dependent control flow; opset 20"):
        graph.to_onnx(model, TAGS)


def product(weights: np.ndarray) -> ir.Model:
    """A graph of one matrix product."""
    source = ir.Value(
        name="x", shape=ir.Shape([None, weights.shape[0]]), type=ir.TensorType(ir.DataType.FLOAT)
    )
    tensor = ir.tensor(weights, name="w")
    constant = ir.Value(
        name="w", shape=ir.Shape(weights.shape), type=ir.TensorType(ir.DataType.FLOAT), const_value=tensor
    )
    node = ir.node("MatMul", [source, constant])
    node.outputs[0].name, node.outputs[0].type = "y", ir.TensorType(ir.DataType.FLOAT)
    whole = ir.Graph(
        [source], node.outputs, nodes=[node], initializers=[constant], opset_imports={"": 23}, name="g"
    )
    return ir.Model(whole, ir_version=10)


def run(model: ir.Model, x: np.ndarray) -> np.ndarray:
    data = ir.to_proto(model).SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, {"x": x})[0]
    return result


def test_each_row_of_an_int8_product_has_its_own_scale() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(64, 32)).astype(np.float32)
    x = rng.normal(size=(4, 64)).astype(np.float32)
    x[1] = 0  # a row without a scale
    x[2] *= 1e4  # one that would leave no bits to the others if they shared a scale
    model = product(weights)
    assert int8.quantize(model) == 1
    found, expected = run(model, x), x @ weights
    assert (found[1] == 0).all()
    for row in (0, 2, 3):
        assert np.abs(found[row] - expected[row]).max() < 0.02 * np.abs(expected[row]).max()
    np.testing.assert_array_equal(run(model, x[:1]), found[:1])


def test_narrow_products_stay_exact() -> None:
    weights = np.ones((8, int8.NARROW - 1), dtype=np.float32)
    model = product(weights)
    assert int8.quantize(model) == 0
    x = np.full((2, 8), 0.1, dtype=np.float32)
    np.testing.assert_allclose(run(model, x), x @ weights)

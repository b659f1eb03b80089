"""Matrix products in 8-bit integers, with one scale for each token and each output column.

onnxruntime's own dynamic quantization has one scale for a whole batch. In trained encoders a few
tokens are an order of magnitude larger than the rest (Bondarenko et al. 2021), so the others lose
most of their bits, and what a sentence is read as depends on its neighbours in the batch. A scale for
each token (Yao et al. 2022, ZeroQuant) costs a few element-wise operators and mends both.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

CONTRIB = "com.microsoft"
NARROW = 16  # columns; a head this narrow costs nothing in fp32
ZERO = 128  # activations are stored from 1 to 255 around it
LARGEST = 127
GELU_LOWEST = 0.17  # no value of Gelu is below -0.17, so from there up the largest is the largest in size


def quantize(model: ir.Model) -> int:
    """Replaces each product with a constant matrix in place; returns how many there were."""
    tape = _Constants(model)
    quantized: dict[ir.Value, tuple[ir.Value, ir.Value]] = {}
    products = [node for node in model.graph if _is_product(node)]
    for node in products:
        source, weights = node.inputs[0], node.inputs[1]
        assert source is not None and weights is not None and weights.const_value is not None
        if source not in quantized:
            rows, integers, nodes = _quantized_rows(tape, source)
            model.graph.insert_before(node, nodes)
            quantized[source] = (rows, integers)
        rows, integers = quantized[source]
        columns, matrix = _quantized_columns(weights.const_value.numpy())
        product = ir.node(
            "MatMulIntegerToFloat",
            [
                integers,
                tape.constant(matrix),
                tape.constant(np.float32(1 / LARGEST)),
                tape.constant(columns),
                tape.constant(np.uint8(ZERO)),
            ],
            domain=CONTRIB,
        )
        scaled = ir.node("Mul", [product.outputs[0], rows])
        model.graph.insert_before(node, [product, scaled])
        scaled.outputs[0].name = node.outputs[0].name
        node.outputs[0].replace_all_uses_with(scaled.outputs[0], replace_graph_outputs=True)
        model.graph.remove(node, safe=True)
    model.graph.opset_imports[CONTRIB] = 1
    RemoveUnusedNodesPass()(model)
    return len(products)


def _is_product(node: ir.Node) -> bool:
    if node.op_type != "MatMul" or node.domain != "":
        return False
    weights = node.inputs[1]
    constant = weights.const_value if weights is not None else None
    return constant is not None and len(constant.shape) == 2 and constant.numpy().shape[1] >= NARROW


def _quantized_rows(tape: _Constants, source: ir.Value) -> tuple[ir.Value, ir.Value, list[ir.Node]]:
    """The largest magnitude of each row, and the rows divided by it as integers around ``ZERO``."""
    last, producer = tape.constant(np.array([-1])), source.producer()
    if producer is not None and producer.op_type == "Gelu":
        highest = ir.node("ReduceMax", [source, last], {"keepdims": 1})
        largest = ir.node("Max", [highest.outputs[0], tape.constant(np.float32(GELU_LOWEST))])
        before = [highest]
    else:
        size = ir.node("Abs", [source])
        largest = ir.node("ReduceMax", [size.outputs[0], last], {"keepdims": 1})
        before = [size]
    # a row of zeros becomes 0/0, then some integer, and zero again when it is multiplied by its size
    relative = ir.node("Div", [source, largest.outputs[0]])
    integers = ir.node(
        "QuantizeLinear",
        [relative.outputs[0], tape.constant(np.float32(1 / LARGEST)), tape.constant(np.uint8(ZERO))],
    )
    return largest.outputs[0], integers.outputs[0], [*before, largest, relative, integers]


def _quantized_columns(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scales ``[columns]`` and integers, so that their product is ``weights``, rounded."""
    scales = np.abs(weights).max(axis=0) / LARGEST
    scales[scales == 0] = 1
    matrix = np.clip(np.round(weights / scales), -LARGEST, LARGEST).astype(np.int8)
    return scales.astype(np.float32), matrix


class _Constants:
    """Adds constants to a graph; small ones that are equal are added once."""

    def __init__(self, model: ir.Model) -> None:
        self._graph = model.graph
        self._known: dict[tuple[str, bytes], ir.Value] = {}

    def constant(self, array: np.generic | np.ndarray) -> ir.Value:
        array = np.asarray(array)
        key = (str(array.dtype), array.tobytes()) if array.size <= 1 else None
        if key is not None and key in self._known:
            return self._known[key]
        tensor = ir.tensor(array, name=f"int8_{len(self._graph.initializers)}")
        value = ir.Value(
            name=tensor.name,
            shape=ir.Shape(array.shape),
            type=ir.TensorType(tensor.dtype),
            const_value=tensor,
        )
        self._graph.register_initializer(value)
        if key is not None:
            self._known[key] = value
        return value

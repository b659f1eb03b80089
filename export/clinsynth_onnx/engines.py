"""What computes a network: onnxruntime on a CPU or a GPU, or OpenVINO on a CPU."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Mapping
from importlib import metadata
from typing import Any, Literal, Protocol, get_args

import numpy as np
import onnxruntime

from clinsynth_onnx import machine
from clinsynth_onnx.bundle import Bundle, BundleError, Variant
from clinsynth_onnx.codec import FloatArray
from clinsynth_onnx.tokens import IntArray

EngineName = Literal["onnxruntime", "openvino", "cuda"]
EngineChoice = Literal["auto", "onnxruntime", "openvino", "cuda"]  # auto: the fastest that is fit
CUDA = "CUDAExecutionProvider"
EXTERNAL = b"\n\x08location"  # the key in TensorProto.external_data that names a file
# fusions that take longer on a CPU than what they replace, the first five times as long
SLOWER = ["SkipLayerNormFusion", "BiasGeluFusion"]


def network(bundle: Bundle, variant: Variant) -> bytes:
    """An ONNX file. Raises ``BundleError`` if it refers to files, which engines would look for anywhere."""
    data = bundle.read(variant.file)
    if EXTERNAL in data:
        raise BundleError(bundle.path, f"{variant.file} keeps weights in other files, which bundles do not")
    return data


class Engine(Protocol):
    """A network that is ready to run, from several threads at once.

    Attributes:
        name: Which engine it is.
        about: What runs with which precision, for people to read.
        batch_tokens: Padded tokens of one run that suit it.
    """

    name: EngineName
    about: str
    batch_tokens: int

    def run(self, inputs: Mapping[str, IntArray]) -> FloatArray:
        """Logits of a padded batch; inputs that the network has no use for are left out."""
        ...


class OnnxRuntimeEngine:
    """A session of onnxruntime. Each run uses ``threads`` cores; run several at once to use more."""

    def __init__(self, bundle: Bundle, variant: Variant, threads: int, cuda: bool) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        providers = [CUDA, "CPUExecutionProvider"] if cuda else ["CPUExecutionProvider"]
        try:
            self._session = onnxruntime.InferenceSession(
                network(bundle, variant),
                options,
                providers=providers,
                disabled_optimizers=SLOWER,
                enable_fallback=0,  # it would be told on standard output
            )
        except BundleError:
            raise
        except Exception as error:  # onnxruntime's errors have no common class of their own
            raise BundleError(bundle.path, f"onnxruntime cannot load {variant.file} ({error})") from error
        if cuda and CUDA not in self._session.get_providers():  # it is built in, but finds no GPU
            raise BundleError(bundle.path, "onnxruntime finds no GPU that it can use", "name another engine")
        self._names = {node.name for node in self._session.get_inputs()}
        self.name: EngineName = "cuda" if cuda else "onnxruntime"
        device = self._session.get_providers()[0].removesuffix("ExecutionProvider")
        self.about = f"onnxruntime {onnxruntime.__version__} on {device}, {variant.name}"
        # what the widest layer puts out for a batch stays in the cache of a core
        fits = machine.level_2_cache() // (4 * bundle.intermediate_size) // 64 * 64
        self.batch_tokens = 16_384 if cuda else min(max(fits, 128), 512)

    def run(self, inputs: Mapping[str, IntArray]) -> FloatArray:
        logits: FloatArray = self._session.run(
            None, {name: x for name, x in inputs.items() if name in self._names}
        )[0]
        return logits


class OpenVinoEngine:
    """A network compiled by OpenVINO, in bf16 where the CPU multiplies it, one stream a worker."""

    def __init__(self, bundle: Bundle, variant: Variant, threads: int, workers: int) -> None:
        import openvino

        data = network(bundle, variant)
        core = openvino.Core()
        precision = "bf16" if _bf16(core) else "f32"
        settings = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": workers,
            "INFERENCE_NUM_THREADS": workers * threads,
            "INFERENCE_PRECISION_HINT": precision,
        }
        try:
            self._model = core.compile_model(core.read_model(data, b""), "CPU", settings)
        except RuntimeError as error:
            raise BundleError(bundle.path, f"OpenVINO cannot load {variant.file} ({error})") from error
        self._names = {name for node in self._model.inputs for name in node.get_names()}
        self._requests = threading.local()
        self.name: EngineName = "openvino"
        self.about = f"OpenVINO {openvino.__version__.split('-')[0]} on CPU, {precision}"
        self.batch_tokens = 1024
        # OpenVINO's binding sets itself up in its first run, and two first runs at once lock each
        # other out for good (seen with 2026.4.1): so the first one is made here, alone
        self.run(
            {
                node.get_any_name(): np.zeros((1, 2, 2)[: len(node.partial_shape)], dtype=np.int64)
                for node in self._model.inputs
            }
        )

    def run(self, inputs: Mapping[str, IntArray]) -> FloatArray:
        if not hasattr(self._requests, "own"):
            self._requests.own = self._model.create_infer_request()
        request: Any = self._requests.own
        request.infer({name: x for name, x in inputs.items() if name in self._names})
        return np.array(request.get_output_tensor(0).data)


def _bf16(core: Any) -> bool:
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def choose(
    bundle: Bundle, engine: EngineChoice, variant: str, cuda: bool = True
) -> tuple[EngineName, Variant]:
    """The engine and the variant meant by their names, where ``auto`` is the fastest that is fit.

    That is CUDA where onnxruntime has it, OpenVINO where it is installed and the CPU multiplies bf16,
    onnxruntime with int8 where the CPU sums it exactly, else onnxruntime with fp32. A pair that lost
    too much accuracy at export is never taken by itself; nor is CUDA if not ``cuda``. Raises
    ``BundleError``.
    """
    known = bundle.variants
    if variant != "auto" and variant not in known:
        raise BundleError(
            bundle.path, f"it has no variant {variant!r}", f"use one of auto, {', '.join(known)}"
        )
    if engine not in get_args(EngineChoice):
        names = ", ".join(get_args(EngineChoice))
        raise BundleError(bundle.path, f"there is no engine {engine!r}", f"use one of {names}")
    if engine == "cuda" and not available("cuda"):
        raise BundleError(bundle.path, "onnxruntime has no CUDA here", "pip install onnxruntime-gpu")
    if engine == "openvino" and not available("openvino"):
        raise BundleError(
            bundle.path, "OpenVINO is not installed", "pip install 'clinsynth[openvino]', or another engine"
        )
    wanted = [
        (name, known[of])
        for name, of in _by_speed(engine == "auto", cuda)
        if of in known and engine in ("auto", name) and variant in ("auto", of)
    ]
    fit = [(name, network) for name, network in wanted if name not in network.refused] or wanted
    if not fit:  # e.g. int8 on a CPU that does not sum it exactly, by name
        only = variant if variant != "auto" else "fp32" if "fp32" in known else next(iter(known))
        return "onnxruntime" if engine == "auto" else engine, known[only]
    return fit[0]


def _by_speed(every: bool, cuda: bool) -> list[tuple[EngineName, str]]:
    pairs: list[tuple[EngineName, str]] = []
    if cuda and available("cuda"):
        pairs.append(("cuda", "fp32"))
    if available("openvino"):
        import openvino

        if not every or _bf16(openvino.Core()):
            pairs.append(("openvino", "fp32"))
    if machine.multiplies_int8():
        pairs.append(("onnxruntime", "int8"))
    return [*pairs, ("onnxruntime", "fp32")]


def available(engine: EngineName) -> bool:
    """Whether what the engine needs is installed; whether CUDA has a GPU to run on is another question."""
    if engine == "cuda":
        return CUDA in onnxruntime.get_available_providers()
    return engine == "onnxruntime" or importlib.util.find_spec("openvino") is not None


def versions() -> dict[str, str]:
    """Of what computes networks here."""
    names = ("onnxruntime", "openvino", "tokenizers", "numpy")
    return {name: _version(name) for name in names if importlib.util.find_spec(name)}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # onnxruntime-gpu brings the module onnxruntime
        return str(importlib.import_module(name).__version__)


def load(bundle: Bundle, engine: EngineChoice, variant: str, threads: int, workers: int) -> Engine:
    """The engine, ready to run. Raises ``BundleError``."""
    name, chosen = choose(bundle, engine, variant)
    if name == "cuda":
        try:
            return OnnxRuntimeEngine(bundle, chosen, threads, cuda=True)
        except BundleError:
            if engine != "auto":
                raise
        name, chosen = choose(bundle, engine, variant, cuda=False)
    if name == "openvino":
        return OpenVinoEngine(bundle, chosen, threads, workers)
    return OnnxRuntimeEngine(bundle, chosen, threads, cuda=False)

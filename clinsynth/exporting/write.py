"""A checkpoint's model becomes a bundle, once it has passed the gate."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx_ir as ir

from clinsynth.exporting.gate import examine
from clinsynth.exporting.graph import to_onnx
from clinsynth.exporting.int8 import quantize
from clinsynth.exporting.outcome import Gate
from clinsynth.models.encoder_model import EncoderModel
from clinsynth_onnx import engines
from clinsynth_onnx.bundle import SCHEMA, TOKENIZER, Bundle, describe, seal
from clinsynth_onnx.document import Document

LARGEST = 2 << 30  # bytes that a protobuf message may have


def write_bundle(
    model: EncoderModel,
    out: Path,
    gold: Sequence[Document],
    made: Mapping[str, Any],
    max_f1_drop: float = 0.005,
    replace: bool = False,
) -> Gate:
    """Exports a model, examines the export, and leaves at ``out`` what passed.

    Args:
        model: A trained model, on the CPU.
        out: The folder to write, or a file that ends in ``.zip``.
        gold: Documents of the task with gold annotations, best of the validation split.
        made: Where the model comes from, for the manifest.
        max_f1_drop: What a variant may lose in the score that picks checkpoints.
        replace: Whether a bundle that is at ``out`` gives way, once the new one has passed.

    Raises:
        ValueError: The architecture cannot be exported, or no variant passes.
        FileExistsError: There is something at ``out``, and it is not to be replaced.
    """
    if out.exists() and not replace:
        raise FileExistsError(f"{out} exists already. Remedy: remove it, or write elsewhere")
    model = model.eval()
    task, codec = describe(model.codec)
    graph, difference = to_onnx(model, task)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as parent:
        folder = Path(parent) / "bundle"
        folder.mkdir()
        (folder / TOKENIZER).write_text(model.codec.tokenizer.json, encoding="utf-8")
        schema = json.dumps(model.schema.to_json(), indent=2, ensure_ascii=False)
        (folder / SCHEMA).write_text(schema + "\n", encoding="utf-8")
        variants = {"fp32": _save(graph, folder / "model.onnx")}
        quantized = quantize(graph)
        variants["int8"] = _save(graph, folder / "model.int8.onnx")
        manifest: dict[str, Any] = {
            "task": task,
            "codec": codec,
            "encoder": _encoder(model),
            "variants": variants,
            "logits_parity": difference,
            "int8_products": quantized,
            "runtime": engines.versions(),
            "made": dict(made),
        }
        seal(folder, manifest)
        gate = examine(model, Bundle.open(folder), gold, max_f1_drop)
        for row in gate.rows[1:]:
            if row.refused and row.engine == "onnxruntime":
                (folder / variants.pop(row.variant)["file"]).unlink()
            elif row.refused and row.variant in variants:
                variants[row.variant]["refused"].append(row.engine)
        if not variants:
            torch, *others = gate.rows
            raise ValueError(
                f"no variant computes what torch does ({gate.score} {torch.f1:.4f}): "
                + "; ".join(f"{row.engine} {row.variant} {row.f1:.4f}, {row.verdict}" for row in others)
                + ". Remedy: allow a larger drop with --max_f1_drop, or train another encoder"
            )
        seal(folder, {**manifest, "gate": gate.to_json()})
        draft = folder
        if out.suffix == ".zip":
            draft = Path(parent) / out.name
            with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                for file in sorted(folder.iterdir()):
                    archive.write(file, file.name)
        if out.exists():
            out.rename(Path(parent) / "replaced")  # and removed with its new parent
        draft.rename(out)
    return gate


def _save(graph: ir.Model, path: Path) -> dict[str, Any]:
    data = ir.to_proto(graph)
    size = data.ByteSize()
    if not 0 <= size < LARGEST:
        raise ValueError(
            f"the network has {size} bytes, ONNX files end at {LARGEST}. Remedy: a smaller encoder"
        )
    path.write_bytes(data.SerializeToString(deterministic=True))
    return {"file": path.name, "opset": graph.opset_imports[""], "refused": []}


def _encoder(model: EncoderModel) -> dict[str, Any]:
    config = model.encoder_config
    hidden = int(config.hidden_size)
    widest = getattr(config, "intermediate_size", None) or getattr(config, "hidden_dim", None) or 4 * hidden
    assert model.network is not None
    return {
        "name": model.encoder_name,
        "model_type": config.model_type,
        "hidden_size": hidden,
        "intermediate_size": int(widest),
        "layers": int(config.num_hidden_layers),
        "parameters": sum(p.numel() for p in model.network.parameters()),
    }

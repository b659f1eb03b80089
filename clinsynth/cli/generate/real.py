"""The real corpus that written text is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from clinsynth.datamodules.base import SPLITS, DocumentDataModule
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

Real = Callable[[Schema], DocumentDataModule]


def real_parts(real: Real, schema: Schema) -> tuple[Mapping[str, Sequence[Document]], Mapping[str, str]]:
    """``at_hand`` for all parts. Raises ``ValueError`` if there is none."""
    module = real(schema)
    parts, absent = module.at_hand(SPLITS)
    if not parts:
        raise ValueError(f"{type(module).__name__} has no part that can be read. Remedy: see the lines above")
    return parts, absent

"""The real corpus that written text is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from clinsynth.corpora import Corpus
from clinsynth.corpora.base import SPLITS, DocumentSource, at_hand
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

Real = Corpus | Callable[[Schema], DocumentSource]  # a reader, or a data module of a package of its own


def real_parts(real: Real, schema: Schema) -> tuple[Mapping[str, Sequence[Document]], Mapping[str, str]]:
    """``at_hand`` for all parts. Raises ``ValueError`` if there is none."""
    source = real if isinstance(real, Corpus) else real(schema)
    parts, absent = at_hand(source, SPLITS)
    if not parts:
        raise ValueError(f"{type(source).__name__} has no part that can be read. Remedy: see the lines above")
    return parts, absent

"""What the gate found: how each way of computing a network fares against torch, as values and as a table."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from clinsynth.metrics.scores import FEW_DOCUMENTS
from clinsynth_onnx import machine


@dataclass(frozen=True, slots=True)
class Row:
    """How one way of computing the network fares on the gate's documents.

    Attributes:
        engine: ``torch`` or an engine of the runtime.
        variant: Which network of the bundle; empty for torch.
        f1: The score that picks checkpoints, over documents with gold.
        labels_equal: Share of tokens (of pairs, for relations) with the same class as in torch.
        documents_equal: Documents annotated as by torch, the long one with them.
        largest_difference: Largest difference of a logit from torch's.
        documents_per_second: Documents a second, from text to Document, on all cores.
        latency_ms: Median and 95th percentile of one sequence, by its tokens.
        verdict: ``kept``, ``kept, slower than torch``, or ``refused`` and why.
    """

    engine: str
    variant: str
    f1: float
    labels_equal: float
    documents_equal: int
    largest_difference: float
    documents_per_second: float
    latency_ms: dict[str, dict[str, float]]
    verdict: str = ""

    @property
    def refused(self) -> bool:
        return self.verdict.startswith("refused")


@dataclass(frozen=True, slots=True)
class Gate:
    """The outcome.

    Attributes:
        score: The name of ``Row.f1``.
        documents: How many documents with gold were read.
        long_document_tokens: Tokens of the document made longer than a window.
        max_f1_drop: What a variant may lose in ``score``, from 0 to 1.
        rows: What was measured, torch first.
        annotations: How many entities, or relations, the documents with gold have.
    """

    score: str
    documents: int
    long_document_tokens: int
    max_f1_drop: float
    rows: tuple[Row, ...]
    annotations: int

    @property
    def warning(self) -> str | None:
        """Why the comparison says little, if it does: what may be lost is less than one error is."""
        enough = max(FEW_DOCUMENTS, math.ceil(1 / self.max_f1_drop) if self.max_f1_drop else 0)
        if self.documents >= FEW_DOCUMENTS and self.annotations >= enough:
            return None
        return (
            f"{self.documents} documents with {self.annotations} annotations are too few to see a loss of "
            f"{self.max_f1_drop} in {self.score}. Remedy: compare on {enough} annotations in "
            f"{FEW_DOCUMENTS} documents or more, with --documents"
        )

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return {**asdict(self), "rows": [asdict(row) for row in self.rows], "warning": self.warning}


def table(gate: Gate) -> Table:
    """The outcome for people."""
    grid = Table(
        title=f"{gate.documents} documents with gold, and one of {gate.long_document_tokens} tokens; "
        f"{machine.cores()} cores",
        title_justify="left",
        caption=f"Warning: {gate.warning}" if gate.warning else None,
        caption_justify="left",
        box=None,
        pad_edge=False,
    )
    names = [f"{length} tokens" for length in gate.rows[0].latency_ms]
    for column in ("", gate.score, "labels equal", "documents equal", "largest logit difference"):
        grid.add_column(column, justify="right" if column else "left")
    for column in ("documents/s", *(f"{name} p50/p95 ms" for name in names)):
        grid.add_column(column, justify="right")
    grid.add_column("")
    for row in gate.rows:
        times = (f"{time['p50']:.1f}/{time['p95']:.1f}" for time in row.latency_ms.values())
        grid.add_row(
            f"{row.engine} {row.variant}".strip(),
            f"{row.f1:.4f}",
            f"{row.labels_equal:.4%}",
            f"{row.documents_equal}/{gate.documents + 1}",
            f"{row.largest_difference:.1e}",
            f"{row.documents_per_second:.1f}",
            *times,
            row.verdict,
        )
    return grid

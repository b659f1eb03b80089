"""Rows in, annotated rows out, a few blocks at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from clinsynth.annotating.rows import Row
from clinsynth_onnx.batching import begun_ahead, blocks
from clinsynth_onnx.chain import Chain, Outcome, UnderWay
from clinsynth_onnx.document import Document
from clinsynth_onnx.files import json_line
from clinsynth_onnx.predictor import IN_FLIGHT


class RowAnnotator:
    """Takes rows through a chain; what it refuses, or cannot take, becomes a bad row.

    Args:
        chain: What annotates.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def blocks(self, rows: Iterator[Row]) -> Iterator[tuple[list[Row], list[Row]]]:
        """Rows that were read together, and what became of them: annotated, or bad with a reason.

        Blocks depend on the rows alone, so that work that goes on makes the same ones. Raises what may be
        the fault of program or machine, e.g. of a GPU without memory.
        """
        first = self._chain.predictors[0]
        cut = blocks(rows, _characters, first.block_documents, first.block_characters)
        for block, under_way in begun_ahead(cut, self._begin, IN_FLIGHT):
            outcomes = iter(under_way.outcomes())
            yield block, [_become(row, next(outcomes)) if row.document else row for row in block]

    def _begin(self, block: Sequence[Row]) -> UnderWay:
        return self._chain.submit([row.document for row in block if row.document])


def _characters(row: Row) -> int:
    return len(row.document.text if row.document else row.raw)


def _become(row: Row, outcome: Outcome) -> Row:
    if isinstance(outcome, Document):
        return replace(row, document=outcome)
    if outcome.error is not None and outcome.ours:
        raise outcome.error
    assert row.document is not None
    raw = json_line(row.document.to_json()).rstrip("\n")
    return replace(row, document=None, problem=outcome.reason, raw=raw)

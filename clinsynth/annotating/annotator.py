"""Rows in, annotated rows out, a few blocks at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from clinsynth.annotating.journal import line
from clinsynth.annotating.rows import Row
from clinsynth_onnx.chain import Chain, Outcome, Refusal
from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import IN_FLIGHT, Pending


@dataclass(frozen=True, slots=True)
class Work:
    """Rows under way.

    Attributes:
        rows: The rows of a block.
        tagged: Their documents: as they came if only relations are asked for, on their way through the
            entity bundle, or ``None`` if they cannot be taken together.
    """

    rows: Sequence[Row]
    tagged: Pending | list[Document] | None


class Annotator:
    """Takes rows through a chain; what it refuses, or cannot take, becomes a bad row.

    Args:
        chain: What annotates.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._first = chain.predictors[0]

    def blocks(self, rows: Iterator[Row]) -> Iterator[tuple[list[Row], list[Row]]]:
        """Rows that were read together, and what became of them: annotated, or bad with a reason."""
        under_way: deque[Work] = deque()
        for block in self._cut(rows):
            under_way.append(Work(block, self._start([row.document for row in block if row.document])))
            if len(under_way) > IN_FLIGHT:
                work = under_way.popleft()
                yield list(work.rows), self._finish(work)
        while under_way:
            work = under_way.popleft()
            yield list(work.rows), self._finish(work)

    def _cut(self, rows: Iterator[Row]) -> Iterator[list[Row]]:
        """Depends on the rows alone, so that work that goes on makes the same blocks."""
        block: list[Row] = []
        characters = 0
        for row in rows:
            block.append(row)
            characters += len(row.document.text if row.document else row.raw)
            if len(block) >= self._first.block_documents or characters >= self._first.block_characters:
                yield block
                block, characters = [], 0
        if block:
            yield block

    def _start(self, documents: list[Document]) -> Pending | list[Document] | None:
        if self._chain.tag is None:
            return documents
        try:
            return self._chain.tag.submit(documents)
        except (ValueError, TypeError):  # of some document: each is tried alone when its turn comes
            return None

    def _finish(self, work: Work) -> list[Row]:
        if work.tagged is None:
            return [self._alone(row) for row in work.rows]
        try:
            tagged = work.tagged.result() if isinstance(work.tagged, Pending) else work.tagged
            outcomes = iter(self._chain.related(tagged))
        except (ValueError, TypeError):
            return [self._alone(row) for row in work.rows]
        return [_become(row, next(outcomes)) if row.document else row for row in work.rows]

    def _alone(self, row: Row) -> Row:
        if row.document is None:
            return row
        try:
            (outcome,) = self._chain([row.document])
        except (ValueError, TypeError) as error:
            # an error of the tokenizer may quote the text
            outcome = Refusal(f"it cannot be annotated ({type(error).__name__})")
        return _become(row, outcome)


def _become(row: Row, outcome: Outcome) -> Row:
    if isinstance(outcome, Document):
        return replace(row, document=outcome)
    assert row.document is not None
    raw = line(row.document.to_json()).decode("utf-8").rstrip("\n")
    return replace(row, document=None, problem=outcome.reason, raw=raw)

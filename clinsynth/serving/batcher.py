"""Requests that arrive while the engine computes are computed together next."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from clinsynth.serving.logs import safe_traceback
from clinsynth_onnx.chain import Outcome, Refusal
from clinsynth_onnx.document import Document

log = logging.getLogger(__name__)

Outcomes = Callable[[Sequence[Document]], list[Outcome]]
FAILED = "it cannot be annotated; the server's log says where that failed"


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """The documents of one request, and their outcomes to come."""

    documents: Sequence[Document]
    outcomes: Future[list[Outcome]] = field(default_factory=Future)

    @property
    def characters(self) -> int:
        """Of all its texts."""
        return characters(self.documents)


class Batcher:
    """Threads that take what has queued, as much as fits, and annotate it at once.

    Nothing waits for company: an idle thread takes a single request as soon as it comes.

    Args:
        outcomes: What annotates documents and raises nothing; called from several threads.
        threads: Batches under way at the same time.
        batch_documents: Documents in a batch at most, unless one request has more.
        batch_characters: Characters in a batch at most, unless one request has more.
        started: Called with the number of documents of each batch.
    """

    def __init__(
        self,
        outcomes: Outcomes,
        threads: int,
        batch_documents: int,
        batch_characters: int,
        started: Callable[[int], None],
    ) -> None:
        self._outcomes = outcomes
        self._batch_documents = batch_documents
        self._batch_characters = batch_characters
        self._started = started
        self._queue: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._threads = [threading.Thread(target=self._work, name=f"batch-{i}") for i in range(threads)]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        """Requests that wait."""
        return len(self._queue)

    def submit(self, documents: Sequence[Document]) -> Future[list[Outcome]]:
        """Queues documents; their outcomes come in the same order. Raises ``RuntimeError`` once closed."""
        job = Job(documents)
        with self._changed:
            if self._closing:
                raise RuntimeError("the batcher is closed")
            self._queue.append(job)
            self._changed.notify()
        return job.outcomes

    def close(self) -> None:
        """Finishes what has queued, and ends the threads."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while batch := self._next():
            documents = [document for job in batch for document in job.documents]
            self._started(len(documents))
            try:
                outcomes = iter([_told(outcome) for outcome in self._outcomes(documents)])
            except BaseException as error:  # a panic of Rust is no Exception; whoever waits has to be told
                log.error("a batch failed: %s", safe_traceback(error))
                for job in batch:
                    job.outcomes.set_exception(RuntimeError("a batch failed"))
                continue
            for job in batch:
                job.outcomes.set_result([next(outcomes) for _ in job.documents])

    def _next(self) -> list[Job]:
        """The oldest job and those behind it that fit; nothing once closed and empty."""
        batch: list[Job] = []
        documents = length = 0
        with self._changed:
            while not batch:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if not self._queue:
                    break
                while self._queue:
                    documents += len(self._queue[0].documents)
                    length += self._queue[0].characters
                    if batch and (documents > self._batch_documents or length > self._batch_characters):
                        break
                    job = self._queue.popleft()
                    if job.outcomes.set_running_or_notify_cancel():  # somebody waits for it still
                        batch.append(job)
        return batch


def _told(outcome: Outcome) -> Outcome:
    """What a request may know of it; the log has where an error came up."""
    if isinstance(outcome, Refusal) and outcome.error is not None:
        log.error("a document failed: %s", safe_traceback(outcome.error))
        return replace(outcome, reason=FAILED)
    return outcome


def characters(documents: Sequence[Document]) -> int:
    """Of all texts together."""
    return sum(len(document.text) for document in documents)

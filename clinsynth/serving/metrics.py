"""What Prometheus is told."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters of one server, in a registry of their own.

    Args:
        queue: Tells how many requests wait for an engine.
        under_way: Tells how many requests are read, wait or are computed.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, queue: Callable[[], int], under_way: Callable[[], int]) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "clinsynth_requests", "Requests answered.", ("path", "status"), registry=registry
        )
        self._seconds = Histogram(
            "clinsynth_request_seconds",
            "From the first byte of a request to its answer.",
            ("path",),
            buckets=SECONDS,
            registry=registry,
        )
        self._documents = Counter("clinsynth_documents", "Documents annotated.", registry=registry)
        self._characters = Counter("clinsynth_characters", "Characters annotated.", registry=registry)
        self._batches = Histogram(
            "clinsynth_batch_documents", "Documents of a batch.", buckets=SIZES, registry=registry
        )
        Gauge("clinsynth_queue_requests", "Requests that wait.", registry=registry).set_function(queue)
        Gauge("clinsynth_open_requests", "Requests under way.", registry=registry).set_function(under_way)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """A request has its answer."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def annotated(self, documents: int, characters: int) -> None:
        """A request's documents are annotated."""
        self._documents.inc(documents)
        self._characters.inc(characters)

    def batch(self, documents: int) -> None:
        """A batch begins."""
        self._batches.observe(documents)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)

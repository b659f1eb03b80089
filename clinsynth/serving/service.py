"""A request's way from bytes to bytes, and the limits on it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from starlette.requests import Request

from clinsynth.serving.batcher import Batcher, characters
from clinsynth.serving.metrics import Metrics
from clinsynth.serving.models import BundleModel, HealthModel
from clinsynth.serving.requests import RequestError, parse
from clinsynth_onnx.bundle import Bundle
from clinsynth_onnx.chain import Chain, Outcome, Refusal
from clinsynth_onnx.document import Document

READ_SECONDS = 30  # that a body may take to arrive
READ_ON = 8  # times the largest body that is read of a larger one, so that its sender gets to see the 413


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server puts up with.

    Attributes:
        max_documents: Documents of a request at most.
        max_body_bytes: Bytes of a request at most.
        max_requests: Requests read, queued or computed at the same time, at most.
        batch_documents: Documents of a batch at most, unless one request has more.
        batch_characters: Characters of a batch at most, unless one request has more.
    """

    max_documents: int = 256
    max_body_bytes: int = 4 << 20
    max_requests: int = 256
    batch_documents: int = 64
    batch_characters: int = 65_536

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}. Remedy: make it 1 or more")


class Service:
    """Annotates the bodies of requests. ``close`` ends it.

    Args:
        chain: What annotates.
        limits: What it puts up with.
    """

    def __init__(self, chain: Chain, limits: Limits) -> None:
        self.chain = chain
        self.limits = limits
        self.stopping = False
        self._under_way = 0
        self._bundles = [_bundle(predictor.bundle, predictor.about) for predictor in chain.predictors]
        self._labels = self.chain.predictors[0].schema.entity_labels if chain.tag is None else None
        self.metrics = Metrics(lambda: len(self._batcher), lambda: self._under_way)
        self._batcher = Batcher(
            chain.outcomes,
            max(predictor.workers for predictor in chain.predictors),
            limits.batch_documents,
            limits.batch_characters,
            self.metrics.batch,
        )

    def close(self) -> None:
        """Finishes what has queued."""
        self._batcher.close()

    def health(self) -> HealthModel:
        """Whether requests are accepted, and by what they are answered."""
        return HealthModel(status="stopping" if self.stopping else "ok", bundles=self._bundles)

    async def annotate(self, request: Request) -> bytes:
        """The answer's JSON. Raises ``RequestError``."""
        if self.stopping:
            raise RequestError(503, "the server is stopping. Remedy: try again, or another server")
        _check_headers(request)
        # before the body is read, so that memory is bounded too
        if self._under_way >= self.limits.max_requests:
            raise RequestError(
                503, f"{self._under_way} requests are under way already. Remedy: try again later"
            )
        self._under_way += 1
        try:
            try:
                async with asyncio.timeout(READ_SECONDS):
                    body = await self._body(request)
            except TimeoutError:
                raise RequestError(408, f"the body did not arrive within {READ_SECONDS} seconds") from None
            documents = await asyncio.to_thread(parse, body, self.limits.max_documents, self._labels)
            outcomes = await asyncio.wrap_future(self._batcher.submit(documents))
            answer = await asyncio.to_thread(_answer, outcomes)
        finally:
            self._under_way -= 1
        self.metrics.annotated(len(documents), characters(documents))
        return answer

    async def _body(self, request: Request) -> bytes:
        """All of a body. Counts what arrives: a chunked body does not say how long it is."""
        largest = self.limits.max_body_bytes
        body = bytearray()
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size <= largest:
                body += chunk
            elif size > READ_ON * largest:
                break
        if size > largest:
            raise RequestError(
                413, f"the body has more than {largest} bytes. Remedy: send it in several requests"
            )
        return bytes(body)


def _check_headers(request: Request) -> None:
    kind, _, options = request.headers.get("content-type", "").partition(";")
    charset = options.strip().lower().replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise RequestError(415, "the body's Content-Type must be application/json, in UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestError(415, "the body must not be compressed")


def _answer(outcomes: list[Outcome]) -> bytes:
    documents = []
    for i, outcome in enumerate(outcomes):
        if isinstance(outcome, Refusal):
            raise RequestError(500 if outcome.ours else 422, outcome.reason, f"documents[{i}]")
        assert isinstance(outcome, Document)
        documents.append(outcome.to_json(mentions=True))
    text = json.dumps({"documents": documents}, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")


def _bundle(bundle: Bundle, about: str) -> BundleModel:
    schema = bundle.schema()
    return BundleModel(
        task=bundle.task,
        engine=about,
        manifest_sha256=bundle.manifest_sha256,
        entity_labels=list(schema.entity_labels),
        relation_labels=list(schema.relation_labels),
    )

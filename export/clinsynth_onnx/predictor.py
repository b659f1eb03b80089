"""Documents in, annotated Documents out, from a bundle alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import overload

from clinsynth_onnx import engines, machine
from clinsynth_onnx.batching import batches, begun_ahead, blocks
from clinsynth_onnx.bundle import Bundle, Task
from clinsynth_onnx.codec import Codec, Example, Features, FloatArray, pad, unpad
from clinsynth_onnx.concepts import with_concept_relations
from clinsynth_onnx.document import Document
from clinsynth_onnx.engines import Engine, EngineChoice
from clinsynth_onnx.grouping import grouped
from clinsynth_onnx.schema import Schema

IN_FLIGHT = 2  # blocks: one is computed while the next is tokenised
BLOCKS: dict[Task, tuple[int, int]] = {
    "token-classification": (512, 262_144),
    "relation-extraction": (64, 65_536),
    "concept-relation-extraction": (128, 131_072),
}

Text = str | Document


@dataclass(frozen=True, slots=True)
class Pending:
    """Documents under way.

    Attributes:
        features: What was made of them.
        parts: Which examples each run has, and its logits to come.
    """

    codec: Codec
    features: Features
    parts: Sequence[tuple[Sequence[int], Future[Sequence[FloatArray]]]]

    def result(self) -> list[Document]:
        """Waits for them; raises what a run raised."""
        logits: dict[int, FloatArray] = {}
        for chosen, future in self.parts:
            logits.update(zip(chosen, future.result(), strict=True))
        return self.codec.decode(self.features, [logits[i] for i in range(len(logits))])


class Predictor:
    """Finds entities, or the relations between those that are given, as the bundle's network does.

    Call it with a string or a Document for a Document, with a list for a list; ``stream`` takes any
    iterable and keeps little in memory. An entity predictor and a relation predictor chain:
    ``relate(tag(text))``. It may be used from several threads at once.

    What documents come with of the sort that is predicted is ignored: entities for an entity bundle,
    relations for a relation bundle. For relations of concepts, mentions of which the document does not say
    what they refer to are grouped (``clinsynth_onnx.grouping``).

    Args:
        bundle: Where codec and schema come from.
        engine: Engine that computes the network.
        workers: Runs at the same time.
        batch_tokens: Padded tokens of one run at most; what suits the engine if not given.
    """

    def __init__(self, bundle: Bundle, engine: Engine, workers: int, batch_tokens: int | None = None) -> None:
        self.bundle = bundle
        self.codec = bundle.codec()
        self.schema: Schema = bundle.schema()
        self.workers = workers
        self.batch_tokens = batch_tokens or engine.batch_tokens
        self.engine = engine
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="clinsynth")
        self.block_documents, self.block_characters = BLOCKS[bundle.task]

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        engine: EngineChoice = "auto",
        variant: str = "auto",
        workers: int | None = None,
        threads: int = 1,
        batch_tokens: int | None = None,
    ) -> Predictor:
        """Opens a bundle, a folder or a zip file. Raises ``BundleError``.

        Args:
            path: The bundle.
            engine: ``onnxruntime``, ``openvino``, ``cuda``, or ``auto`` for the fastest that is fit.
            variant: A network of the bundle, or ``auto``.
            workers: Runs at the same time; by default one for each core that ``threads`` leaves.
            threads: Cores of one run. More than one is for large networks and single documents.
            batch_tokens: Padded tokens of one run at most; what suits the engine if not given.

        Raises:
            ValueError: A number is below 1.
        """
        for name, number in (("threads", threads), ("workers", workers), ("batch_tokens", batch_tokens)):
            if number is not None and number < 1:
                raise ValueError(
                    f"{name!r} must be 1 or more, not {number}. Remedy: leave it out, or raise it"
                )
        bundle = Bundle.open(path)
        workers = workers or max(1, machine.cores() // threads)
        return cls(bundle, engines.load(bundle, engine, variant, threads, workers), workers, batch_tokens)

    @property
    def about(self) -> str:
        """What runs where, for a log."""
        return f"{self.engine.about}, {self.workers} at a time, {self.batch_tokens} tokens a run"

    @overload
    def __call__(self, documents: Text) -> Document: ...  # type: ignore[overload-overlap]  # str is iterable

    @overload
    def __call__(self, documents: Iterable[Text]) -> list[Document]: ...

    def __call__(self, documents: Text | Iterable[Text]) -> Document | list[Document]:
        if isinstance(documents, str | Document):
            return self._at_once([documents])[0]
        if isinstance(documents, Sequence) and len(documents) == 1:
            return self._at_once(documents)
        return list(self.stream(documents))

    def stream(self, documents: Iterable[Text]) -> Iterator[Document]:
        """Annotated documents in the order given, a few blocks of documents ahead of who reads them."""
        cut = blocks(documents, _characters, self.block_documents, self.block_characters)
        for _, pending in begun_ahead(cut, self.submit, IN_FLIGHT):
            yield from pending.result()

    def submit(self, documents: Sequence[Text]) -> Pending:
        """Encodes documents and hands them to the workers; returns at once."""
        features = self._encode(documents)
        # the longest first, so that the last runs, which some worker waits for, are short
        plan = batches(features.examples, self.batch_tokens)[::-1]
        return Pending(
            self.codec,
            features,
            [
                (chosen, self._pool.submit(self._run, [features.examples[i] for i in chosen]))
                for chosen in plan
            ],
        )

    def _at_once(self, documents: Sequence[Text]) -> list[Document]:
        features = self._encode(documents)
        plan = batches(features.examples, self.batch_tokens)
        if len(plan) > 1:  # several runs: worth a turn through the workers
            return self.submit(documents).result()
        return self.codec.decode(features, self._run(features.examples))

    def _encode(self, documents: Sequence[Text]) -> Features:
        return self.codec.encode([self._plain(document) for document in documents])

    def _plain(self, document: Text) -> Document:
        if isinstance(document, str):
            return Document(document)
        if self.bundle.task == "token-classification":
            return document.annotated(())
        if self.bundle.task == "concept-relation-extraction":
            return grouped(with_concept_relations(document, ()))
        return replace(document, relations=())

    def _run(self, examples: Sequence[Example]) -> list[FloatArray]:
        if not examples:
            return []
        return unpad(self.engine.run(pad(examples, self.codec.pad_id)), examples)

    def close(self) -> None:
        """Ends the worker threads; what they have not begun is dropped."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Predictor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _characters(document: Text) -> int:
    return len(document if isinstance(document, str) else document.text)

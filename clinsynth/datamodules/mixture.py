"""Several corpora as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from clinsynth.datamodules.base import DocumentDataModule, Split
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema


class Mixture(DocumentDataModule):
    """Trains, validates and tests on the documents of several corpora.

    Args:
        schema: The task of all of them.
        corpora: Data modules, each with its own settings (also ``few_shot`` and ``fraction``).
        weights: How many times an epoch shows the training documents of each corpus; once each if
            not given.
        batch_tokens: See ``DocumentDataModule``.
        eval_batch_tokens: See ``DocumentDataModule``.
    """

    def __init__(
        self,
        schema: Schema,
        corpora: list[Callable[[Schema], DocumentDataModule]],
        weights: list[int] | None = None,
        batch_tokens: int = 1280,
        eval_batch_tokens: int = 2048,
    ) -> None:
        super().__init__(schema, batch_tokens, eval_batch_tokens)
        if not corpora:
            raise ValueError("a mixture needs at least one data module under 'corpora'")
        if weights is not None and (len(weights) != len(corpora) or min(weights) < 1):
            raise ValueError(
                f"'weights' needs {len(corpora)} whole numbers of 1 or more, one for each corpus"
            )
        self.corpora = [build(schema) for build in corpora]
        self.weights = weights or [1] * len(corpora)

    def prepare(self, splits: Iterable[Split]) -> None:
        wanted = tuple(splits)
        for corpus in self.corpora:
            corpus.prepare(wanted)

    def documents(self, split: Split) -> Iterator[Document]:
        for corpus in self.corpora:
            yield from corpus.part(split)
        self.record["corpora"] = [
            {"class": type(corpus).__name__, "weight": weight, **corpus.record}
            for corpus, weight in zip(self.corpora, self.weights, strict=True)
        ]

    def predict_documents(self) -> Iterator[Document]:
        for corpus in self.corpora:
            yield from corpus.predict_documents()

    def repeats(self) -> Sequence[int]:
        return [
            weight
            for corpus, weight in zip(self.corpora, self.weights, strict=True)
            for _ in corpus.part("train")
        ]

"""Several corpora as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from clinsynth.corpora.base import Split
from clinsynth.datamodules.base import DocumentDataModule, digest
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema


class Mixture(DocumentDataModule):
    """Trains, validates and tests on the documents of several corpora.

    A document that two of them have in their validation or test split counts once there, as where a
    ``Synthetic`` corpus is tested on the real one that it is mixed with.

    Args:
        schema: Task of all corpora.
        corpora: Data modules, each with its own settings (also ``few_shot`` and ``fraction``).
        weights: How many times an epoch shows the training documents of each corpus; once each if
            not given.
        batch_tokens: Padded tokens of one optimizer step over all processes and accumulated batches, at most.
        eval_batch_tokens: Padded tokens of one forward pass in validation, test and prediction.
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
        self.prepare_data_per_node = all(corpus.prepare_data_per_node for corpus in self.corpora)

    def lacks(self, split: Split) -> bool:
        return all(corpus.lacks(split) for corpus in self.corpora)

    def prepare(self, splits: Iterable[Split]) -> None:
        wanted = tuple(splits)
        for corpus in self.corpora:
            corpus.prepare(wanted)

    def documents(self, split: Split) -> Iterator[Document]:
        having = [corpus for corpus in self.corpora if not corpus.lacks(split)]
        if not having:
            raise ValueError(
                f"no corpus of the mixture has a {split} split. Remedy: name a real corpus under its 'real'"
            )
        before: set[str] = set()
        for corpus in having:
            corpus.trainer = self.trainer
            documents = corpus.task_documents(split)
            if split == "train":
                yield from documents
                continue
            digests = [digest([document]) for document in documents]
            yield from (
                document for document, sha in zip(documents, digests, strict=True) if sha not in before
            )
            before.update(digests)
        self.record["corpora"] = [
            {"class": type(corpus).__name__, "weight": weight, **corpus.record}
            for corpus, weight in zip(self.corpora, self.weights, strict=True)
        ]

    def predict_documents(self) -> Iterator[Document]:
        for corpus in self.corpora:
            if not corpus.lacks("test"):
                yield from corpus.predict_documents()

    def repeats(self) -> Sequence[int]:
        return [
            weight
            for corpus, weight in zip(self.corpora, self.weights, strict=True)
            for _ in corpus.task_documents("train")
        ]

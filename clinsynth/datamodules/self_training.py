"""Unlabelled text that models trained before annotate: self-training."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from clinsynth.corpora.base import Split, at_hand
from clinsynth.curation.leaks import audit
from clinsynth.datamodules.base import DocumentDataModule, digest
from clinsynth.formats import jsonl, registry
from clinsynth.runs.folder import bundle_of
from clinsynth_onnx.bundle import Bundle
from clinsynth_onnx.document import RELATIONS_NOT_STATED, Document, Entity
from clinsynth_onnx.predictor import Predictor
from clinsynth_onnx.schema import Schema

log = logging.getLogger("clinsynth")

COMPARED: tuple[Split, ...] = ("val", "test")


class SelfTraining(DocumentDataModule):
    """Trains a student on labelled documents and on unlabelled ones, which its teachers annotate first.

    The teachers are bundles that were trained before, on the labelled documents. They run on this machine;
    nothing of the text leaves it. What they find in it is written once, and read again by the next training
    with the same teachers and text. Validation and test splits are those of the labelled documents;
    unlabelled ones that are among them, by id or by what they say, are left out.

    Args:
        schema: The task; documents keep the entities that it knows.
        labelled: Data module of the labelled documents, e.g. ``Synthetic``.
        teachers: Bundles, or run folders of trainings with ``--export true``. Of several, more than half
            have to find the same mention.
        unlabelled: Files or folders of any format, e.g. a folder of ``.txt`` files. Labels in them are
            not looked at.
        corpus: Data module whose training split is unlabelled text too, without its labels.
        folder: Folder for what the teachers annotate; by default ``runs/TASK/unlabelled``.
        batch_tokens: Padded tokens of one optimizer step, over all processes, at most.
        eval_batch_tokens: Padded tokens of one forward pass in validation, test and prediction, at most.
    """

    def __init__(
        self,
        schema: Schema,
        labelled: Callable[[Schema], DocumentDataModule],
        teachers: str | list[str],
        unlabelled: str | list[str] | None = None,
        corpus: Callable[[Schema], DocumentDataModule] | None = None,
        folder: str | None = None,
        batch_tokens: int = 1280,
        eval_batch_tokens: int = 2048,
    ) -> None:
        super().__init__(schema, batch_tokens, eval_batch_tokens)
        self.labelled = labelled(schema)
        self.teachers = _paths(teachers)
        self.unlabelled = _paths(unlabelled or [])
        self.corpus = corpus(schema) if corpus else None
        self.folder = Path(folder or f"runs/{schema.name}/unlabelled")
        self._texts: list[Document] | None = None
        if not self.teachers:
            raise ValueError("self-training needs a teacher. Remedy: name a bundle with --data.teachers")
        if not self.unlabelled and self.corpus is None:
            raise ValueError("self-training needs text. Remedy: name a folder with --data.unlabelled")
        self.prepare_data_per_node = self.labelled.prepare_data_per_node

    def lacks(self, split: Split) -> bool:
        return split != "train" and self.labelled.lacks(split)

    def prepare(self, splits: Iterable[Split]) -> None:
        wanted = tuple(splits)
        self.labelled.prepare(wanted)
        if "train" not in wanted:
            return
        if self.corpus is not None:
            self.corpus.prepare(["train"])
        texts = self.texts(fetch=True)
        path = self._annotated(texts)
        if not path.exists():
            found = annotate(texts, [bundle_of(teacher) for teacher in self.teachers])
            self.folder.mkdir(parents=True, exist_ok=True)
            # in a folder of its own: another machine or seed may be writing the same
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".") as own:
                draft = Path(own) / path.name
                jsonl.write(draft, found)
                draft.replace(path)

    def documents(self, split: Split) -> Iterator[Document]:
        self.labelled.trainer = self.trainer
        yield from self.labelled.task_documents(split)
        self.record["labelled"] = self.labelled.record
        if split == "train":
            found = list(jsonl.read(self._annotated(self.texts())))
            mentions = sum(len(document.entities) for document in found)
            self.record["unlabelled"] |= {"documents": len(found), "mentions": mentions}
            log.info("unlabelled text: %d documents with %d mentions found", len(found), mentions)
            yield from found

    def ignores_other_labels(self, split: Split) -> bool:
        """Teachers may know more labels than the task; the labelled documents were looked at before."""
        return True

    def predict_documents(self) -> Iterable[Document]:
        return self.labelled.predict_documents()

    def texts(self, fetch: bool = False) -> list[Document]:
        """The unlabelled documents, without what is said of them, and without those that are tested on.

        Args:
            fetch: Whether what is tested on is downloaded first, where it is not at hand.
        """
        if self._texts is None:
            self._texts = self._untested(fetch)
        return self._texts

    def _untested(self, fetch: bool) -> list[Document]:
        given = chain.from_iterable(registry.read(path) for path in self.unlabelled)
        corpus = self.corpus.drawn(list(self.corpus.documents("train"))) if self.corpus else ()
        texts = [Document(d.text, id=d.id, meta=self._meta(d)) for d in chain(given, corpus)]
        if not texts:
            raise ValueError("there is no unlabelled text. Remedy: check the paths of --data.unlabelled")
        real, absent = at_hand(self.labelled, COMPARED, fetch)
        ids = {document.id for documents in real.values() for document in documents if document.id}
        by_id = {i for i, document in enumerate(texts) if document.id in ids}
        leaks = {leak.document for leak in audit(texts, real, layout=self.schema.layout)} - by_id
        self.record["unlabelled"] = {
            "files": list(map(str, self.unlabelled)),
            "corpus": type(self.corpus).__name__ if self.corpus else None,
            "teachers": {str(t): Bundle.open(bundle_of(t)).manifest_sha256 for t in self.teachers},
            "sha256": digest(texts),
            "left_out": {"same id as one of val or test": len(by_id), "overlaps val or test": len(leaks)},
            "not_compared": absent,
        }
        return [document for i, document in enumerate(texts) if i not in by_id | leaks]

    def _annotated(self, texts: Sequence[Document]) -> Path:
        """Where the teachers' annotation of these texts is, or will be."""
        of = [sorted(self.record["unlabelled"]["teachers"].values()), digest(texts)]
        return self.folder / f"{hashlib.sha256(json.dumps(of).encode()).hexdigest()[:16]}.jsonl"

    def _meta(self, document: Document) -> dict[str, Any]:
        """Where passages begin; what is related is not known."""
        passages = {key: value for key, value in document.meta.items() if key == "passages"}
        return passages | (RELATIONS_NOT_STATED if self.schema.relations else {})


def annotate(texts: Sequence[Document], teachers: Sequence[Path]) -> list[Document]:
    """The texts with the entities that more than half of the teachers find.

    Raises:
        ValueError: A teacher that finds no entities, but something else.
    """
    votes: list[Counter[Entity]] = [Counter() for _ in texts]
    for path in teachers:
        with Predictor.load(path) as teacher:
            if teacher.bundle.task != "token-classification":
                raise ValueError(f"{path} finds no entities. Remedy: name a bundle that does")
            for vote, found in zip(votes, teacher.stream(texts), strict=True):
                vote.update(Entity(e.start, e.end, e.label) for e in found.entities)
    # two of them cannot overlap: some teacher would have found both
    return [
        text.annotated(
            tuple(sorted((e for e, n in vote.items() if 2 * n > len(teachers)), key=lambda e: e.start))
        )
        for text, vote in zip(texts, votes, strict=True)
    ]


def _paths(given: str | list[str]) -> list[Path]:
    return [Path(given)] if isinstance(given, str) else list(map(Path, given))

"""What every corpus shares: splits, cuts, loaders and a record of what was read."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Literal, cast

from lightning import LightningDataModule

from clinsynth.corpora.base import DocumentSource, Split
from clinsynth.corpora.labels import other_labels, restrict, tell_other_labels
from clinsynth.corpora.splits import draw
from clinsynth.datamodules.batches import DocumentBatches, Ranks, TrainingBatches
from clinsynth.formats.counts import count
from clinsynth.runs.seed import global_seed
from clinsynth_onnx.codec import Codec, reasons
from clinsynth_onnx.concept_codec import ConceptCodec
from clinsynth_onnx.document import Document
from clinsynth_onnx.relation_codec import RelationCodec
from clinsynth_onnx.schema import Schema

log = logging.getLogger("clinsynth")

NEEDS: dict[str, tuple[Split, ...]] = {
    "fit": ("train", "val"),
    "validate": ("val",),
    "test": ("test",),
    "predict": ("test",),
}


def digest(documents: Iterable[Document]) -> str:
    """The sha256 of documents, whatever file they came from."""
    sha = hashlib.sha256()
    for document in documents:
        sha.update(json.dumps(document.to_json(), sort_keys=True).encode("ascii"))
        sha.update(b"\n")
    return sha.hexdigest()


class DocumentDataModule(DocumentSource, LightningDataModule):
    """Documents in three splits, cut and batched. A subclass says where the documents come from.

    Args:
        schema: The task; documents keep the entities that it knows.
        batch_tokens: Padded tokens of one optimizer step over all processes and accumulated
            batches, at most; it gives the same steps on one process as on many, as long as half of it
            holds a sequence for each process.
        eval_batch_tokens: Padded tokens of one forward pass in validation, test and prediction.
        fraction: Share of the training documents to use, drawn by ``seed``.
        few_shot: Number of training documents to use, drawn by ``seed``; not with ``fraction``.
        seed: Random seed of the training documents that are drawn. The order of training follows
            ``seed_everything``.
        other_labels: What to do about mentions whose label the task does not have: refuse the corpus, or
            ignore these mentions and say how many there are. Published corpora of several labels are there
            to choose from, and ignore them.
    """

    def __init__(
        self,
        schema: Schema,
        batch_tokens: int = 1280,
        eval_batch_tokens: int = 2048,
        fraction: float = 1.0,
        few_shot: int | None = None,
        seed: int = 0,
        other_labels: Literal["refuse", "ignore"] = "refuse",
    ) -> None:
        super().__init__()
        if not 0 < fraction <= 1:
            raise ValueError(f"'fraction' must be above 0 and at most 1, not {fraction}")
        if few_shot is not None and (few_shot < 1 or fraction != 1):
            raise ValueError("'few_shot' must be 1 or more, and goes without 'fraction'")
        if min(batch_tokens, eval_batch_tokens) < 1:
            raise ValueError("'batch_tokens' and 'eval_batch_tokens' must be 1 or more")
        self.schema = schema
        self.batch_tokens = batch_tokens
        self.eval_batch_tokens = eval_batch_tokens
        self.fraction = fraction
        self.few_shot = few_shot
        self.seed = seed
        self.other_labels = other_labels
        self.record: dict[str, Any] = {}
        self._splits: dict[str, list[Document]] = {}
        self._batches: TrainingBatches | None = None
        self._resume: dict[str, Any] | None = None

    def prepare_data(self) -> None:
        """Called by Lightning on one process of each machine."""
        doing = str(self.trainer.state.fn.value) if self.trainer and self.trainer.state.fn else "fit"
        self.prepare(NEEDS[doing])

    def ignores_other_labels(self, split: Split) -> bool:
        """Whether mentions of a split whose labels the task does not have are left out, or are an error."""
        return self.other_labels == "ignore"

    def task_documents(self, split: Split) -> list[Document]:
        """The documents of a split as training or testing sees them: restricted to the task, and cut."""
        if split not in self._splits:
            read = list(self.documents(split))
            whole = self._restricted(self.with_relations_known(read), split)
            documents = self.drawn(whole) if split == "train" else whole
            if not documents:
                raise ValueError(f"{type(self).__name__}: the {split} split has no documents")
            self._splits[split] = documents
            self.record[split] = {
                **count(documents).to_json(),
                "sha256": digest(documents),
                "left_out": {
                    "documents": len(read) - len(documents),
                    "mentions_of_other_types": other_labels(read, self.schema).total(),
                },
            }
        return self._splits[split]

    def repeats(self) -> Sequence[int] | None:
        """How many times an epoch shows each training document; once if ``None``."""
        return None

    def train_dataloader(self) -> TrainingBatches:
        codec = self._codec()
        features = codec.encode(self.task_documents("train"))
        self.record["train"]["not_expressible"] = {
            "reasons": reasons(features.unaligned),
            "where": [[x.document, x.start, x.end, x.label, x.reason] for x in features.unaligned],
        }
        if features.unaligned:
            log.warning(
                "%d gold annotations of the training split cannot be learned exactly: %s (see data.json)",
                len(features.unaligned),
                ", ".join(f"{n} because {reason}" for reason, n in reasons(features.unaligned).items()),
            )
        self._batches = TrainingBatches(
            features, codec.pad_id, self.batch_tokens, self._ranks(), global_seed(), self.repeats()
        )
        if self._resume:
            self._batches.load_state_dict(self._resume)
            self._resume = None
        return self._batches

    def state_dict(self) -> dict[str, Any]:
        """How far the epoch has come.

        Lightning keeps the state of a loader too, but does not restore it once the number of steps
        has been asked for, as a learning rate schedule must.
        """
        return {"train": self._batches.state_dict()} if self._batches else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Called before the training batches are made, or after, as the strategy has it."""
        if self._batches and state:
            self._batches.load_state_dict(state["train"])
        else:
            self._resume = state.get("train")

    def val_dataloader(self) -> DocumentBatches:
        return self._whole(self.task_documents("val"))

    def test_dataloader(self) -> DocumentBatches:
        return self._whole(self.task_documents("test"))

    def predict_dataloader(self) -> DocumentBatches:
        documents = list(self.predict_documents())
        others = other_labels(documents, self.schema)
        if others:
            log.info("mentions that the task does not know: %s", tell_other_labels(others, self.schema))
        return self._whole([restrict(document, self.schema) for document in documents])

    def _whole(self, documents: list[Document]) -> DocumentBatches:
        return DocumentBatches(documents, self._codec(), self.eval_batch_tokens, self._ranks())

    def with_relations_known(self, documents: list[Document]) -> list[Document]:
        """For a relation model, those of which it is known which relations they state.

        No relation in the others would be taken for pairs that are unrelated.
        """
        if self.trainer is None or not isinstance(self._codec(), RelationCodec | ConceptCodec):
            return documents
        known = [document for document in documents if document.states_relations]
        if len(known) < len(documents):
            log.warning(
                "%s: %d of %d documents state nothing of relations and are left out",
                type(self).__name__,
                len(documents) - len(known),
                len(documents),
            )
        return known

    def _restricted(self, documents: list[Document], split: Split) -> list[Document]:
        """Documents without other labels than the task's. Raises ``ValueError`` if they are refused."""
        others = other_labels(documents, self.schema)
        restricted = [restrict(document, self.schema) for document in documents]
        if others:
            mentions = sum(len(document.entities) for document in documents)
            found = (
                f"{type(self).__name__}, {split} split: {others.total()} of {mentions} mentions have labels "
                f"that the task does not have: {tell_other_labels(others, self.schema)}"
            )
            if not self.ignores_other_labels(split):
                raise ValueError(
                    f"{found}. Remedy: spell the labels of the task as the corpus does (with Files, "
                    "--data.labels says what the task calls each label), or leave these mentions out with "
                    "--data.other_labels ignore"
                )
            log.info("%s; these are left out", found)
        if split == "train" and restricted and not any(document.entities for document in restricted):
            raise ValueError(
                f"{type(self).__name__}: none of the {len(restricted)} training documents has a mention that "
                f"the task knows; they were read from {self.read_from(split)}. Remedy: check the path, the "
                "format and the labels"
            )
        return restricted

    def drawn(self, documents: list[Document]) -> list[Document]:
        """So many of the training documents as ``few_shot`` or ``fraction`` says."""
        size = round(self.fraction * len(documents)) if self.few_shot is None else self.few_shot
        if size > len(documents):
            raise ValueError(
                f"'few_shot' asks for {size} training documents, the corpus has {len(documents)}"
            )
        return draw(documents, max(1, size), self.seed)

    def _codec(self) -> Codec:
        if self.trainer is None:
            raise RuntimeError(f"{type(self).__name__} makes batches for a model: use it with a Trainer")
        return cast(Codec, self.trainer.lightning_module.codec)

    def _ranks(self) -> Ranks:
        if self.trainer is None:
            return Ranks()
        return Ranks(self.trainer.global_rank, self.trainer.world_size, self.trainer.accumulate_grad_batches)

"""What every corpus shares: parts, cuts, loaders and a record of what was read."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

from lightning import LightningDataModule

from clinsynth.datamodules.batches import DocumentBatches, Ranks, TrainingBatches
from clinsynth.datamodules.cuts import draw
from clinsynth.formats.counts import count
from clinsynth_onnx.codec import Codec
from clinsynth_onnx.document import Document, Relation
from clinsynth_onnx.relation_codec import reasons
from clinsynth_onnx.schema import Schema

log = logging.getLogger("clinsynth")

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
NEEDS: dict[str, tuple[Split, ...]] = {
    "fit": ("train", "val"),
    "validate": ("val",),
    "test": ("test",),
    "predict": ("test",),
}


def restrict(document: Document, schema: Schema) -> Document:
    """The document with only the entities that ``schema`` knows, and the relations between these."""
    kept = [i for i, e in enumerate(document.entities) if e.label in schema.entities]
    if len(kept) == len(document.entities):
        return document
    place = {old: new for new, old in enumerate(kept)}
    return replace(
        document.annotated(tuple(document.entities[i] for i in kept)),
        relations=tuple(
            Relation(place[r.head], place[r.tail], r.label, r.score)
            for r in document.relations
            if r.head in place and r.tail in place
        ),
    )


def digest(documents: Iterable[Document]) -> str:
    """The sha256 of documents, whatever file they came from."""
    sha = hashlib.sha256()
    for document in documents:
        sha.update(json.dumps(document.to_json(), sort_keys=True).encode("ascii"))
        sha.update(b"\n")
    return sha.hexdigest()


class DocumentDataModule(LightningDataModule):
    """Documents in three parts, cut and batched. A subclass says where the documents come from.

    Args:
        schema: The task; documents keep the entities that it knows.
        batch_tokens: Padded tokens of one optimizer step over all processes and accumulated
            batches, at most; it gives the same steps on one process as on many, as long as half of it
            holds a sequence for each (see ``StepPlan``).
        eval_batch_tokens: Padded tokens of one forward pass in validation, test and prediction.
        fraction: Share of the training documents to use, drawn by ``seed``.
        few_shot: How many training documents to use, drawn by ``seed``; not with ``fraction``.
        seed: Decides which documents are drawn. The order of training follows ``seed_everything``.
    """

    def __init__(
        self,
        schema: Schema,
        batch_tokens: int = 1280,
        eval_batch_tokens: int = 2048,
        fraction: float = 1.0,
        few_shot: int | None = None,
        seed: int = 0,
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
        self.record: dict[str, Any] = {}
        self._parts: dict[str, list[Document]] = {}
        self._batches: TrainingBatches | None = None
        self._resume: dict[str, Any] | None = None

    def documents(self, split: Split) -> Iterable[Document]:
        """All documents of a part, as the corpus has them."""
        raise TypeError(f"{type(self).__name__} must say where its documents come from")

    def prepare(self, splits: Iterable[Split]) -> None:
        """Fetches what the parts need, where that has to be done once for a machine."""

    def prepare_data(self) -> None:
        """Called by Lightning on one process of each machine."""
        doing = str(self.trainer.state.fn.value) if self.trainer and self.trainer.state.fn else "fit"
        self.prepare(NEEDS[doing])

    def lacks(self, split: Split) -> bool:
        """Whether it has no such part by its settings, as a corpus to train on has none to test on."""
        return False

    def at_hand(
        self, splits: Iterable[Split], fetch: bool = True
    ) -> tuple[dict[str, list[Document]], dict[str, str]]:
        """Those of the parts that can be read, fetched first if need be, and why the others cannot."""
        found: dict[str, list[Document]] = {}
        absent: dict[str, str] = {}
        for split in splits:
            try:
                if fetch:
                    self.prepare([split])
                found[split] = list(self.documents(split))
            except (OSError, ValueError) as error:
                absent[split] = f"not at hand ({type(error).__name__})"
                if fetch:  # the first look, on one process
                    log.warning("%s, %s: %s", type(self).__name__, split, error)
        return found, absent

    def predict_documents(self) -> Iterable[Document]:
        """What ``predict`` reads: the test part unless a subclass knows better."""
        return self.documents("test")

    def part(self, split: Split) -> list[Document]:
        """The documents of a part as training or testing sees them: restricted to the task, and cut."""
        if split not in self._parts:
            read = list(self.documents(split))
            documents = [restrict(document, self.schema) for document in read]
            if split == "train":
                documents = self._cut(documents)
            if not documents:
                raise ValueError(f"{type(self).__name__}: the {split} part has no documents")
            self._parts[split] = documents
            self.record[split] = {
                **count(documents).to_json(),
                "sha256": digest(documents),
                "left_out": {
                    "documents": len(read) - len(documents),
                    "mentions_of_other_types": sum(
                        len(d.entities) - len(restrict(d, self.schema).entities) for d in read
                    ),
                },
            }
        return self._parts[split]

    def repeats(self) -> Sequence[int] | None:
        """How many times an epoch shows each training document; once if ``None``."""
        return None

    def train_dataloader(self) -> TrainingBatches:
        codec = self._codec()
        features = codec.encode(self.part("train"))
        self.record["train"]["not_expressible"] = {
            "reasons": reasons(features.losses),
            "where": [[x.document, x.start, x.end, x.label, x.reason] for x in features.losses],
        }
        if features.losses:
            log.warning(
                "%d gold annotations of the training part cannot be learned exactly: %s (see data.json)",
                len(features.losses),
                ", ".join(f"{n} because {reason}" for reason, n in reasons(features.losses).items()),
            )
        seed = int(os.environ.get("PL_GLOBAL_SEED", "0"))
        self._batches = TrainingBatches(
            features, codec.pad_id, self.batch_tokens, self._ranks(), seed, self.repeats()
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
        return self._whole(self.part("val"))

    def test_dataloader(self) -> DocumentBatches:
        return self._whole(self.part("test"))

    def predict_dataloader(self) -> DocumentBatches:
        return self._whole([restrict(document, self.schema) for document in self.predict_documents()])

    def _whole(self, documents: list[Document]) -> DocumentBatches:
        return DocumentBatches(documents, self._codec(), self.eval_batch_tokens, self._ranks())

    def _cut(self, documents: list[Document]) -> list[Document]:
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

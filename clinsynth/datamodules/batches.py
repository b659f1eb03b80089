"""What a step sees: sequences of similar length under a token budget, the same on any number of processes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from clinsynth_onnx.batching import cut
from clinsynth_onnx.codec import Codec, Example, Features, pad
from clinsynth_onnx.document import Document

BUCKET = 8  # lengths are rounded up to this: little padding, yet many sequences to mix with
CHUNKS = 2  # a step has short and long sequences, each with its like: steps of one length alone learn less


class Batch:
    """One process's share of an optimizer step.

    Attributes:
        chunks: Sequences of similar length, as ``pad`` stacks them, each to go through the network
            on its own.
        share: What to multiply a loss with that is summed over all chunks, so that the mean over
            processes and accumulated batches is the mean over all labels of the optimizer step.
    """

    def __init__(self, chunks: Iterable[Sequence[Example]], pad_id: int, share: float) -> None:
        self.chunks: list[dict[str, Tensor]] = [
            {name: torch.from_numpy(x) for name, x in pad(examples, pad_id).items()} for examples in chunks
        ]
        self.share = share

    def __len__(self) -> int:
        return sum(len(chunk["input_ids"]) for chunk in self.chunks)

    def to(self, device: torch.device, non_blocking: bool = False) -> Batch:
        """Moves the tensors; Lightning calls this."""
        self.chunks = [
            {name: x.to(device, non_blocking=non_blocking) for name, x in chunk.items()}
            for chunk in self.chunks
        ]
        return self


@dataclass(frozen=True, slots=True)
class Ranks:
    """Who this process is among those that share an optimizer step.

    Attributes:
        rank: Number of this process, from 0 to ``world_size - 1``.
        world_size: Number of processes.
        accumulate: Batches that each process adds up before it steps.
    """

    rank: int = 0
    world_size: int = 1
    accumulate: int = 1

    @property
    def batches_per_step(self) -> int:
        """Batches of all processes that make up one optimizer step."""
        return self.world_size * self.accumulate


class StepPlan:
    """Which sequences each optimizer step sees, decided by seed and epoch alone.

    All sequences are sorted by length and cut into chunks, and the chunks into ``CHUNKS`` strata from
    short to long. A step is a chunk of each stratum, so it needs little padding and sees several
    lengths. Every sequence is in exactly one step of an epoch (times its repeats). Each chunk is
    dealt out to all processes and accumulations, so all take the same number of batches, and a step
    sees the same sequences however many share it, as long as each chunk has a sequence for each of
    them; a chunk that would have fewer is made larger. The number of steps is the same in each epoch.

    Args:
        lengths: Tokens of each sequence.
        batch_tokens: Padded tokens of one optimizer step over all processes, at most, unless one
            sequence for each who shares a chunk is more than a chunk may have.
        ranks: Who shares a step.
        seed: Random seed of the order.
    """

    def __init__(self, lengths: Sequence[int], batch_tokens: int, ranks: Ranks, seed: int) -> None:
        if len(lengths) < ranks.batches_per_step:
            raise ValueError(
                f"{len(lengths)} training sequences cannot be shared by {ranks.world_size} processes times "
                f"{ranks.accumulate} accumulated batches: use fewer of these or more training data"
            )
        self._buckets = -(-np.asarray(lengths, dtype=np.int64) // BUCKET) * BUCKET
        self._sizes = cut(np.sort(self._buckets).tolist(), batch_tokens // CHUNKS, ranks.batches_per_step)
        self._steps = -(-len(self._sizes) // CHUNKS)
        self._ranks = ranks
        self._seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        """Batches of one process in one epoch."""
        return self._steps * self._ranks.accumulate

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch, on what a loader names ``sampler``."""
        self.epoch = epoch

    def steps(self) -> list[list[list[int]]]:
        """All sequences of each optimizer step of this epoch, by chunk."""
        rng = np.random.default_rng([self._seed, self.epoch])
        order = np.lexsort((rng.permutation(len(self._buckets)), self._buckets))
        chunks = [chunk.tolist() for chunk in np.split(order, np.cumsum(self._sizes)[:-1])]
        strata = [
            [chunks[start + i] for i in rng.permutation(min(self._steps, len(chunks) - start))]
            for start in range(0, len(chunks), self._steps)
        ]
        steps = [
            [stratum[i] for stratum in strata if i < len(stratum)]  # the last may be a chunk short
            for i in range(self._steps)
        ]
        return [steps[i] for i in rng.permutation(self._steps)]

    def batches(self) -> Iterator[tuple[list[list[int]], list[list[int]]]]:
        """This process's batches, each with all chunks of the step it is part of."""
        for step in self.steps():
            for turn in range(self._ranks.accumulate):
                place = turn * self._ranks.world_size + self._ranks.rank
                yield [chunk[place :: self._ranks.batches_per_step] for chunk in step], step


class TrainingBatches:
    """The training data loader: resumable in mid-epoch, exact on any number of processes.

    Args:
        features: The encoded training documents.
        pad_id: What padding is filled with.
        batch_tokens: Padded tokens of one optimizer step over all processes, at most.
        ranks: Who shares a step.
        seed: Random seed of the order.
        repeats: How many times an epoch shows each document, by document; once if not given.
    """

    def __init__(
        self,
        features: Features,
        pad_id: int,
        batch_tokens: int,
        ranks: Ranks,
        seed: int,
        repeats: Sequence[int] | None = None,
    ) -> None:
        examples = features.examples
        if repeats is not None:
            examples = tuple(e for e in examples for _ in range(repeats[e.document]))
        self._examples: tuple[Example, ...] = examples
        self._targets = np.array([e.targets for e in examples])
        self._pad_id = pad_id
        self._ranks = ranks
        self.sampler = StepPlan([len(e) for e in examples], batch_tokens, ranks, seed)
        self._done = 0
        self._resume_at = 0

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[Batch]:
        skip, self._resume_at = self._resume_at, 0
        self._done = skip
        for i, (mine, step) in enumerate(self.sampler.batches()):
            if i < skip:
                continue
            targets = sum(int(self._targets[chunk].sum()) for chunk in step)
            self._done = i + 1
            yield Batch(
                [[self._examples[j] for j in chunk] for chunk in mine],
                self._pad_id,
                self._ranks.batches_per_step / max(1, targets),
            )

    def state_dict(self) -> dict[str, Any]:
        """How far this epoch has come; Lightning keeps it in each checkpoint."""
        return {"batches_done": self._done, "batches": len(self)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on after the batches that ``state`` counts. Raises ``ValueError`` if the data changed."""
        if state["batches"] != len(self):
            raise ValueError(
                f"the checkpoint was written in epochs of {state['batches']} batches, this data makes "
                f"{len(self)}: resume with the same data, batch_tokens and number of processes"
            )
        self._resume_at = state["batches_done"] % len(self)


class DocumentBatch:
    """Whole documents to be read by a model, and how much of them at once.

    Attributes:
        features: Their sequences.
        indices: The place of each document in its split.
        batch_tokens: Padded tokens of one forward pass, at most.
    """

    def __init__(self, features: Features, indices: Sequence[int], batch_tokens: int) -> None:
        self.features = features
        self.indices = tuple(indices)
        self.batch_tokens = batch_tokens

    def to(self, device: torch.device, non_blocking: bool = False) -> DocumentBatch:
        """Nothing to move yet: a document may have more sequences than a device holds."""
        return self


class Annotated:
    """Documents as a model reads them; not a collection, so that Lightning passes it on untouched.

    Attributes:
        pairs: The place of each document in its split, and the document.
    """

    def __init__(self, indices: Sequence[int], documents: Sequence[Document]) -> None:
        self.pairs = list(zip(indices, documents, strict=True))


class DocumentBatches:
    """The loader for validation, test and prediction: whole documents, none twice, none lost.

    Processes may take different numbers of batches; one without any document still gets an empty
    batch, so that all meet where results are gathered.

    Args:
        documents: The whole split.
        codec: What encodes them, batch by batch.
        batch_tokens: Padded tokens of one forward pass, at most.
        ranks: Who shares the split.
    """

    characters = 65_536  # of the documents encoded together, unless one document alone has more

    def __init__(self, documents: Sequence[Document], codec: Codec, batch_tokens: int, ranks: Ranks) -> None:
        self._documents = documents
        self._codec = codec
        self._batch_tokens = batch_tokens
        by_length = sorted(range(len(documents)), key=lambda i: (len(documents[i].text), i))
        sizes = cut([len(documents[i].text) for i in by_length], self.characters)
        ends = np.cumsum([0, *sizes]).tolist()
        every = [by_length[a:b] for a, b in itertools.pairwise(ends)]
        self._batches = every[ranks.rank :: ranks.world_size] or [[]]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[DocumentBatch]:
        for indices in self._batches:
            features = self._codec.encode([self._documents[i] for i in indices])
            yield DocumentBatch(features, indices, self._batch_tokens)

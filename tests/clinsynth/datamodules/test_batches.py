"""Every sequence once, the same steps for any number of processes, resumable anywhere."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.datamodules.batches import (
    BUCKET,
    CHUNKS,
    Batch,
    DocumentBatches,
    Ranks,
    StepPlan,
    TrainingBatches,
)
from clinsynth_onnx.codec import IGNORE, Example, Features
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.entity_codec import EntityCodec
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.tokens import TextTokenizer

lengths = st.lists(st.integers(1, 60), min_size=16, max_size=80)
ranks = st.tuples(st.integers(1, 4), st.integers(1, 3))


def plans(lengths: list[int], budget: int, world_size: int, accumulate: int) -> list[StepPlan]:
    return [
        StepPlan(lengths, budget, Ranks(rank, world_size, accumulate), seed=3) for rank in range(world_size)
    ]


@given(lengths, st.integers(8, 400), ranks, st.integers(0, 5))
def test_no_sequence_is_lost_or_doubled_and_all_processes_step_together(
    lengths: list[int], budget: int, shared: tuple[int, int], epoch: int
) -> None:
    everyone = plans(lengths, budget, *shared)
    seen = Counter[int]()
    counts = set()
    for plan in everyone:
        plan.set_epoch(epoch)
        batches = list(plan.batches())
        assert all(chunk for mine, _ in batches for chunk in mine)
        counts.add(len(batches))
        assert len(batches) == len(plan)
        seen.update(i for mine, _ in batches for chunk in mine for i in chunk)
    assert len(counts) == 1
    assert seen == Counter(range(len(lengths)))


@given(st.lists(st.integers(1, 16), min_size=24, max_size=120), st.integers(400, 1600), ranks)
def test_a_step_is_the_same_however_many_share_it(
    lengths: list[int], budget: int, shared: tuple[int, int]
) -> None:
    alone = plans(lengths, budget, 1, 1)[0]
    many = plans(lengths, budget, *shared)
    accumulate = shared[1]
    pieces = [[mine for mine, _ in plan.batches()] for plan in many]
    together = [
        sorted(
            i
            for of_rank in pieces
            for mine in of_rank[step : step + accumulate]
            for chunk in mine
            for i in chunk
        )
        for step in range(0, len(many[0]), accumulate)
    ]
    if all(len(chunk) >= shared[0] * accumulate for step in alone.steps() for chunk in step):
        assert together == [sorted(itertools.chain(*step)) for step in alone.steps()]


@given(lengths, st.integers(60, 400))
def test_steps_keep_the_token_budget_and_epochs_differ(lengths: list[int], budget: int) -> None:
    (plan,) = plans(lengths, budget, 1, 1)
    for step in plan.steps():
        for chunk in step:
            cost = max(-(-lengths[i] // BUCKET) * BUCKET for i in chunk) * len(chunk)
            assert cost <= budget // CHUNKS or len(chunk) == 1
    first = plan.steps()
    plan.set_epoch(1)
    assert len(plan.steps()) == len(first)
    assert plan.steps() != first or len(first) == 1
    plan.set_epoch(0)
    assert plan.steps() == first


@given(lengths, st.integers(60, 400))
def test_each_step_has_short_and_long_sequences(lengths: list[int], budget: int) -> None:
    (plan,) = plans(lengths, budget, 1, 1)
    steps = plan.steps()
    longest = [[max(-(-lengths[i] // BUCKET) for i in chunk) for chunk in step] for step in steps]
    assert sum(len(step) == 1 for step in steps) <= 1, "only one may be without a long chunk"
    if any(len(step) > 1 for step in steps):
        assert max(step[0] for step in longest) <= min(step[1] for step in longest if len(step) > 1)


def test_too_little_data_for_so_many_processes_is_told() -> None:
    with pytest.raises(ValueError, match="2 training sequences cannot be shared by 2 processes times 2"):
        StepPlan([5, 6], 100, Ranks(0, 2, 2), 0)


def features(count: int, document_of: list[int] | None = None) -> Features:
    examples = tuple(
        Example(
            np.arange(1, 4 + i % 9, dtype=np.int64),
            np.array([IGNORE, *[i % 2] * (2 + i % 9)], dtype=np.int64),
            np.zeros(0, dtype=np.int64),
            document_of[i] if document_of else i,
            (0, 1),
        )
        for i in range(count)
    )
    return Features((), examples, (), ())


def ids(batch: Batch) -> list[list[list[int]]]:
    return [chunk["input_ids"].tolist() for chunk in batch.chunks]


def targets(batch: Batch) -> int:
    return sum(int((chunk["labels"] != IGNORE).sum()) for chunk in batch.chunks)


@given(st.integers(0, 40))
def test_resuming_anywhere_goes_on_with_the_same_batches(stop: int) -> None:
    def loader() -> TrainingBatches:
        made = TrainingBatches(features(40), 0, 24, Ranks(), seed=1)
        made.sampler.set_epoch(2)
        return made

    whole = [ids(batch) for batch in loader()]
    stop = min(stop, len(whole) - 1)
    first = loader()
    iterator = iter(first)
    for _ in range(stop):
        next(iterator)
    rest = loader()
    rest.load_state_dict(first.state_dict())
    assert [ids(batch) for batch in rest] == whole[stop:]
    assert [ids(batch) for batch in rest] == whole, "the next epoch is whole again"


def test_resuming_with_other_data_is_refused() -> None:
    state = TrainingBatches(features(40), 0, 24, Ranks(), seed=1).state_dict()
    with pytest.raises(ValueError, match="resume with the same data"):
        TrainingBatches(features(20), 0, 24, Ranks(), seed=1).load_state_dict(state)


@given(ranks)
def test_shares_make_the_mean_over_all_labels_of_a_step(shared: tuple[int, int]) -> None:
    world_size, accumulate = shared
    many = [
        TrainingBatches(features(40), 0, 120, Ranks(rank, world_size, accumulate), seed=1)
        for rank in range(world_size)
    ]
    batches = [list(batches) for batches in many]
    for step in range(0, len(batches[0]), accumulate):
        group = [b for of_rank in batches for b in of_rank[step : step + accumulate]]
        labels = sum(targets(b) for b in group)
        # a process's loss is the sum of its labels' losses times its share; DDP and accumulation
        # then take the mean over processes and batches
        mean = sum(targets(b) * b.share for b in group) / len(group)
        assert mean == pytest.approx(1.0)
        assert group[0].share == pytest.approx(len(group) / labels)


def test_repeats_show_a_document_more_often() -> None:
    loader = TrainingBatches(features(20, [i // 10 for i in range(20)]), 0, 30, Ranks(), 0, repeats=[1, 3])
    assert sum(len(batch) for batch in loader) == 10 + 30


def test_a_batch_moves_its_tensors() -> None:
    batch = Batch([features(2).examples, features(3).examples], 0, 1.0)
    moved = batch.to(torch.device("meta"))
    assert moved is batch and len(batch) == 5
    assert {x.device.type for chunk in batch.chunks for x in chunk.values()} == {"meta"}


@given(st.lists(st.integers(0, 4000), max_size=12), st.integers(1, 5))
def test_whole_documents_are_read_once_over_all_processes(sizes: list[int], world_size: int) -> None:
    documents = [Document("x " * size, id=str(i)) for i, size in enumerate(sizes)]
    seen = []
    for rank in range(world_size):
        loader = Narrow(documents, _Echo(), 64, Ranks(rank, world_size))
        batches = list(loader)
        assert len(batches) == len(loader) >= 1, "each process meets the others where results are gathered"
        for batch in batches:
            assert [d.id for d in batch.features.documents] == [str(i) for i in batch.indices]
            longest = max((len(documents[i].text) for i in batch.indices), default=0)
            assert len(batch.indices) <= 1 or len(batch.indices) * longest <= Narrow.characters
            seen += batch.indices
    assert sorted(seen) == list(range(len(documents)))


class Narrow(DocumentBatches):
    """Encodes few documents together."""

    characters = 2000


class _Echo:
    """A codec that makes no sequences."""

    classes = ("O",)
    pad_id = 0

    def encode(self, documents: list[Document]) -> Features:
        return Features(tuple(documents), (), (), ())

    def decode(self, features: Features, logits: object) -> list[Document]:
        return list(features.documents)


def test_training_batches_of_a_real_codec(wordpiece: TextTokenizer, schema: Schema) -> None:
    document = Document("a fever. The gene of cancer.", (Entity(2, 7, "Disease"),), id="1")
    encoded = EntityCodec(wordpiece, schema).encode([document] * 3)
    loader = TrainingBatches(encoded, wordpiece.pad_id, 64, Ranks(), 0)
    assert sum(len(batch) for batch in loader) == 6

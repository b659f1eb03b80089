from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from clinsynth.serving.batcher import FAILED, Batcher
from clinsynth_onnx.chain import Outcome, Refusal, together_else_alone
from clinsynth_onnx.document import Document


class Engine:
    """Annotates once it may, and keeps what came together."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.entered = threading.Event()
        self.batches: list[list[str]] = []

    def outcomes(self, documents: Sequence[Document]) -> list[Outcome]:
        return together_else_alone(self, documents)

    def __call__(self, documents: Sequence[Document]) -> list[Outcome]:
        self.batches.append([document.text for document in documents])
        self.entered.set()
        self.may.wait(10)
        for document in documents:
            if document.text in ("bad", "broken"):
                raise ValueError("text") if document.text == "bad" else RuntimeError("text")
        return [Document(document.text, id="done") for document in documents]


def texts(*names: str) -> list[Document]:
    return [Document(name) for name in names]


def test_what_arrives_meanwhile_is_computed_together_as_far_as_it_fits() -> None:
    engine, sizes = Engine(), list[int]()
    batcher = Batcher(engine.outcomes, 1, 3, 100, sizes.append)
    jobs = [batcher.submit(texts("first"))]
    engine.entered.wait(10)
    later = [texts("a"), texts("b", "c"), texts("d"), texts("x" * 99), texts("ef"), texts(*"ghijk"), []]
    jobs += [batcher.submit(documents) for documents in later]
    assert len(batcher) == len(later)
    engine.may.set()
    assert [[o.text for o in job.result(10) if isinstance(o, Document)] for job in jobs] == [
        ["first"],
        *([document.text for document in documents] for documents in later),
    ]
    batcher.close()
    assert engine.batches == [["first"], ["a", "b", "c"], ["d", "x" * 99], ["ef"], list("ghijk"), []]
    assert sizes == [1, 3, 2, 1, 5, 0]


def test_one_that_fails_fails_for_no_other(caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine()
    batcher = Batcher(engine.outcomes, 1, 100, 100, lambda _: None)
    first = batcher.submit(texts("first"))
    engine.entered.wait(10)
    jobs = [batcher.submit(texts(*names)) for names in (["a"], ["b", "bad"], ["broken"], ["c"])]
    engine.may.set()
    done = [Document(name, id="done") for name in ("first", "a", "b", "c")]
    assert [job.result(10) for job in (first, *jobs)] == [
        [done[0]],
        [done[1]],
        [done[2], Refusal(FAILED)],
        [Refusal(FAILED)],
        [done[3]],
    ]
    batcher.close()
    assert "ValueError" in caplog.text
    assert "test_batcher.py" in caplog.text
    assert "text\n" not in caplog.text


def test_closing_finishes_what_has_queued_and_nothing_that_nobody_waits_for() -> None:
    engine = Engine()
    batcher = Batcher(engine.outcomes, 1, 1, 100, lambda _: None)
    jobs = [batcher.submit(texts(name)) for name in "abcd"]
    engine.entered.wait(10)
    jobs[1].cancel()
    jobs[3].cancel()
    closing = threading.Thread(target=batcher.close)
    closing.start()
    engine.may.set()
    closing.join(10)
    assert [job.done() for job in jobs] == [True] * 4
    assert engine.batches == [["a"], ["c"]]
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(texts("e"))


def test_a_panic_is_told_to_who_waits_and_ends_no_thread() -> None:
    class Panic(BaseException):
        """Not an Exception, as those of Rust are."""

    def outcomes(documents: Sequence[Document]) -> list[Outcome]:
        if documents[0].text == "panic":
            raise Panic
        return list(documents)

    batcher = Batcher(outcomes, 1, 1, 100, lambda _: None)
    with pytest.raises(RuntimeError, match="a batch failed"):
        batcher.submit(texts("panic")).result(10)
    assert batcher.submit(texts("a")).result(10) == texts("a")
    batcher.close()

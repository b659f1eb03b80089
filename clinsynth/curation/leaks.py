"""Whether synthetic text repeats a real corpus: language models recite what they have read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from clinsynth.curation.flaws import Flaw
from clinsynth.curation.similarity import NearIndex, ngrams, words
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Layout
from clinsynth_onnx.sentences import sentences

SHORT = 6  # words; a shorter sentence is like others by chance
REASON = "overlaps the {split} part of a real corpus"


@dataclass(frozen=True, slots=True)
class Leak:
    """A place in a synthetic document that is like one in a real document.

    Args:
        document: Index of the synthetic document.
        id: Its id.
        start: Where the place begins, in characters.
        end: Where it ends.
        split: The split of the real corpus.
        real: Id of the real document.
        kind: The same words in a row, or a sentence with mostly the same words.
        score: Number of words in a row, or Jaccard similarity.
        shared: The words, as the synthetic document has them.
    """

    document: int
    id: str
    start: int
    end: int
    split: str
    real: str
    kind: Literal["ngram", "near duplicate"]
    score: float
    shared: str

    def to_json(self) -> dict[str, Any]:
        """Plain values, without the index."""
        return {key: value for key, value in asdict(self).items() if key != "document"}


def audit(
    documents: Sequence[Document],
    real: Mapping[str, Sequence[Document]],
    ngram: int = 8,
    near: float = 0.6,
    layout: Layout = "prose",
) -> list[Leak]:
    """Every place that repeats ``ngram`` words in a row, or a sentence at similarity ``near``.

    Runs of words that overlap in both texts are one leak. Only words count, not case or punctuation.
    """
    leaks: list[Leak] = []
    for split, others in real.items():
        leaks += _runs(documents, split, others, ngram)
        leaks += _near(documents, split, others, near, layout)
    return sorted(leaks, key=lambda leak: (leak.document, leak.start, leak.split, leak.real, leak.kind))


def flaws(leaks: Iterable[Leak], splits: Iterable[str]) -> list[Flaw]:
    """The leaks of these splits, as flaws to take out."""
    wanted = set(splits)
    return [
        Flaw(
            leak.document,
            leak.start,
            leak.end,
            REASON.format(split=leak.split),
            f"{leak.kind} in {leak.real}",
        )
        for leak in leaks
        if leak.split in wanted
    ]


def summary(leaks: Iterable[Leak], splits: Iterable[str]) -> dict[str, dict[str, int]]:
    """By split: leaks of each kind, and how many synthetic documents have any."""
    found = {split: {"ngram": 0, "near duplicate": 0, "documents": 0} for split in splits}
    documents: dict[str, set[int]] = defaultdict(set)
    for leak in leaks:
        found[leak.split][leak.kind] += 1
        documents[leak.split].add(leak.document)
    for split, indices in documents.items():
        found[split]["documents"] = len(indices)
    return found


def _runs(documents: Sequence[Document], split: str, real: Sequence[Document], size: int) -> list[Leak]:
    wanted = {run for document in documents for run, _, _ in ngrams(document.text, size)}
    where: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for other in real:
        for run, _, _ in ngrams(other.text, size):
            if run in wanted and (not where[run] or where[run][-1] != other.id):
                where[run].append(other.id)
    leaks = []
    for index, document in enumerate(documents):
        open_runs: dict[str, tuple[int, int]] = {}
        for run, start, end in ngrams(document.text, size):
            names = where.get(run, [])
            for name in [open_name for open_name in open_runs if open_name not in names]:
                leaks.append(_leak(index, document, split, name, "ngram", *open_runs.pop(name)))
            for name in names:
                open_runs[name] = (open_runs.get(name, (start, end))[0], end)
        leaks += [_leak(index, document, split, name, "ngram", *span) for name, span in open_runs.items()]
    return leaks


def _near(
    documents: Sequence[Document], split: str, real: Sequence[Document], threshold: float, layout: Layout
) -> list[Leak]:
    index = NearIndex(threshold)
    for i, other in enumerate(real):
        for start, end in sentences(other, layout):
            if len(words(other.text[start:end])) >= SHORT:
                index.add((i, start), other.text[start:end])
    leaks = []
    for i, document in enumerate(documents):
        for start, end in sentences(document, layout):
            if len(words(document.text[start:end])) < SHORT:
                continue
            for key, similarity in index.near(document.text[start:end]):
                assert isinstance(key, tuple)
                name = real[key[0]].id
                leaks.append(_leak(i, document, split, name, "near duplicate", start, end, similarity))
    return leaks


def _leak(
    index: int,
    document: Document,
    split: str,
    real: str,
    kind: Literal["ngram", "near duplicate"],
    start: int,
    end: int,
    score: float | None = None,
) -> Leak:
    shared = document.text[start:end].strip()
    return Leak(
        index,
        document.id,
        start,
        end,
        split,
        real,
        kind,
        len(words(shared)) if score is None else score,
        shared,
    )

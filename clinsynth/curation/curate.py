"""What is left out of a corpus, step by step."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from clinsynth.curation.balance import balance, vocabulary_gap
from clinsynth.curation.duplicates import distinct
from clinsynth.curation.flaws import Flaw, without
from clinsynth.curation.leaks import Leak, audit, flaws, summary
from clinsynth.formats.rejects import Rejected
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

Doubts = Callable[[Sequence[Document], Schema, "Curation"], Iterable[Flaw]]
"""Finds labels of documents that are in doubt; to find them by training is not for this package."""


@dataclass(frozen=True)
class Curation:
    """What to leave out.

    Args:
        near_duplicates: Jaccard similarity of word shingles from which a text repeats an earlier one.
        leak_ngram: So many words in a row that a real corpus has too are a leak.
        leak_similarity: So are sentences of this similarity to one of the real corpus.
        drop_leaks: Parts of the real corpus whose leaks are taken out; those of others are only reported.
        confidence: Whether labels are taken out that models trained on the rest contradict; takes
            ``folds`` trainings.
        encoder: What these models start from.
        folds: Number of these models.
        epochs: Of their trainings.
        seed: Of their trainings.
    """

    near_duplicates: float = 0.8
    leak_ngram: int = 8
    leak_similarity: float = 0.6
    drop_leaks: list[str] = field(default_factory=lambda: ["val", "test"])
    confidence: bool = False
    encoder: str = "offline"
    folds: int = 5
    epochs: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("near_duplicates", "leak_similarity"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(
                    f"'curation.{name}' must be above 0 and at most 1, not {getattr(self, name)}"
                )
        if self.leak_ngram < 3 or self.folds < 2 or self.epochs < 1:
            raise ValueError("'curation' needs a leak_ngram of 3, 2 folds and 1 epoch, or more")
        unknown = set(self.drop_leaks) - {"train", "val", "test"}
        if unknown:
            raise ValueError(f"'curation.drop_leaks' knows train, val and test, not {min(unknown)!r}")
        if self.confidence and importlib.util.find_spec("cleanlab") is None:
            raise ValueError(
                "'curation.confidence' needs cleanlab, which is not installed. "
                "Remedy: pip install 'clinsynth[curate]'"
            )


@dataclass(frozen=True, slots=True)
class Curated:
    """A corpus and an account of it.

    Args:
        documents: What is left.
        rejects: What was taken out.
        leaks: Where the corpus repeats the real one, before anything was taken out.
        report: Numbers for the card.
    """

    documents: list[Document]
    rejects: list[Rejected]
    leaks: list[Leak]
    report: dict[str, Any]


def curate(
    documents: Sequence[Document],
    schema: Schema,
    settings: Curation,
    real: Mapping[str, Sequence[Document]] | None = None,
    found: Sequence[Flaw] = (),
    doubts: Doubts | None = None,
) -> Curated:
    """Takes out flaws found before, duplicates, leaks, and labels in doubt, in this order.

    Args:
        documents: What was written.
        schema: The task.
        settings: What to leave out.
        real: Parts of a real corpus to compare with.
        found: Flaws of ``documents`` that are known already.
        doubts: Finds labels that are in doubt, if ``settings.confidence`` asks for it.
    """
    kept, rejects = without(documents, found)
    kept, repeated = distinct(kept, settings.near_duplicates, schema)
    rejects += repeated
    leaks: list[Leak] = []
    report: dict[str, Any] = {"curation": asdict(settings)}
    if real:
        leaks = audit(kept, real, settings.leak_ngram, settings.leak_similarity)
        report["leaks"] = {
            "found": summary(leaks, real),
        }
        kept, leaking = without(kept, flaws(leaks, settings.drop_leaks))
        rejects += leaking
    if settings.confidence:
        if doubts is None:
            raise ValueError(
                "the filter by confidence trains models, which is not done here. Remedy: write the corpus "
                "with clinsynth generate --curation.confidence true"
            )
        kept, doubtful = without(kept, doubts(kept, schema, settings))
        rejects += doubtful
    report["corpus"] = balance(kept)
    if real:
        report["vocabulary"] = {split: vocabulary_gap(kept, others) for split, others in real.items()}
    return Curated(kept, rejects, leaks, report)

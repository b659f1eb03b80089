"""What is left out of a corpus, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from clinsynth.curation.balance import balance, vocabulary_gap
from clinsynth.curation.density import beside
from clinsynth.curation.duplicates import distinct
from clinsynth.curation.flaws import Flaw, without
from clinsynth.curation.leaks import Leak, audit, flaws, summary
from clinsynth.formats.rejects import Rejected
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema


@dataclass(frozen=True)
class Curation:
    """What to leave out.

    Args:
        near_duplicates: Jaccard similarity of word shingles from which a text repeats an earlier one.
        leak_ngram: Number of words in a row that are a leak where a real corpus has them too.
        leak_similarity: Jaccard similarity of word shingles from which a sentence is a leak of one in a real
            corpus.
        drop_leaks: Splits of the real corpus whose leaks are taken out; those of others are only reported.
    """

    near_duplicates: float = 0.8
    leak_ngram: int = 8
    leak_similarity: float = 0.6
    drop_leaks: list[str] = field(default_factory=lambda: ["val", "test"])

    def __post_init__(self) -> None:
        for name in ("near_duplicates", "leak_similarity"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(
                    f"'curation.{name}' must be above 0 and at most 1, not {getattr(self, name)}"
                )
        if self.leak_ngram < 3:
            raise ValueError(f"'curation.leak_ngram' must be 3 words or more, not {self.leak_ngram}")
        unknown = set(self.drop_leaks) - {"train", "val", "test"}
        if unknown:
            raise ValueError(f"'curation.drop_leaks' knows train, val and test, not {min(unknown)!r}")


@dataclass(frozen=True)
class ConfidenceFilter:
    """How labels are found that models trained on the other texts contradict.

    Args:
        encoder: Hub id or folder of the encoder that the models start from, or offline.
        folds: Number of models; each is trained without one part of the texts, and judges that part.
        epochs: Passes over the texts in each training.
        seed: Random seed of the folds and of the trainings.
    """

    encoder: str = "offline"
    folds: int = 5
    epochs: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        if self.folds < 2 or self.epochs < 1:
            raise ValueError("the filter by confidence needs at least 2 folds and 1 epoch")


class Doubts(Protocol):
    """Finds labels of documents that are in doubt; to find them by training is not for this package."""

    @property
    def settings(self) -> ConfidenceFilter:
        """How it finds them."""

    def __call__(self, documents: Sequence[Document], schema: Schema) -> Iterable[Flaw]:
        """The labels that are in doubt."""


@dataclass(frozen=True, slots=True)
class Report:
    """What curation found, in numbers without text.

    Args:
        curation: What was left out.
        confidence: How labels in doubt were found; none if they were not looked for.
        corpus: What the rest is like, as ``balance`` says it.
        leaks: Leaks of each kind by split of the real corpus, before any was taken out; none without one.
        vocabulary: The gap to each split of the real corpus, as ``vocabulary_gap`` says it.
        density: Lengths and density of the rest, beside the real corpus, as ``beside`` says it.
    """

    curation: Curation
    confidence: ConfidenceFilter | None
    corpus: Mapping[str, Any]
    leaks: Mapping[str, Mapping[str, int]] | None = None
    vocabulary: Mapping[str, Mapping[str, Any]] | None = None
    density: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        found: dict[str, Any] = {"curation": asdict(self.curation)}
        found["curation"]["confidence"] = asdict(self.confidence) if self.confidence else False
        if self.leaks is not None:
            found["leaks"] = {"found": self.leaks}
        found["corpus"] = self.corpus
        found["density"] = self.density
        if self.vocabulary is not None:
            found["vocabulary"] = self.vocabulary
        return found


@dataclass(frozen=True, slots=True)
class Curated:
    """A corpus and an account of it.

    Args:
        documents: What is left.
        rejects: What was taken out.
        leaks: Where the corpus repeats the real one, before anything was taken out.
        report: What was found, in numbers.
    """

    documents: list[Document]
    rejects: list[Rejected]
    leaks: list[Leak]
    report: Report


def curate(
    documents: Sequence[Document],
    schema: Schema,
    settings: Curation,
    real: Mapping[str, Sequence[Document]] | None = None,
    known_flaws: Sequence[Flaw] = (),
    doubts: Doubts | None = None,
) -> Curated:
    """Takes out flaws found before, duplicates, leaks, and labels in doubt, in this order.

    Args:
        documents: What was written.
        schema: The task.
        settings: What to leave out.
        real: Splits of a real corpus to compare with.
        known_flaws: Flaws of ``documents`` that were found before.
        doubts: Finds labels that are in doubt; none are looked for without it.
    """
    kept, rejects = without(documents, known_flaws, schema.layout)
    kept, repeated = distinct(kept, settings.near_duplicates, schema)
    rejects += repeated
    leaks: list[Leak] = []
    if real:
        leaks = audit(kept, real, settings.leak_ngram, settings.leak_similarity, schema.layout)
        kept, leaking = without(kept, flaws(leaks, settings.drop_leaks), schema.layout)
        rejects += leaking
    if doubts is not None:
        kept, doubtful = without(kept, doubts(kept, schema), schema.layout)
        rejects += doubtful
    report = Report(
        settings,
        None if doubts is None else doubts.settings,
        balance(kept, schema.layout),
        summary(leaks, real) if real else None,
        {split: vocabulary_gap(kept, others) for split, others in real.items()} if real else None,
        beside(
            {"written": kept, **{f"real {split}": d for split, d in (real or {}).items()}},
            schema.layout,
        ),
    )
    return Curated(kept, rejects, leaks, report)

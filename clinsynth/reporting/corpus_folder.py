"""A written corpus and its card, and what its texts are like beside real ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from clinsynth.curation.balance import balance
from clinsynth.curation.leaks import audit, summary
from clinsynth.curation.similarity import words
from clinsynth.formats import jsonl
from clinsynth.formats.lines import read_lines
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Layout

CARD, CORPUS, REJECTS = "card.json", "corpus.jsonl", "rejects.jsonl"
COMPRESSED = ".gz"


@dataclass(frozen=True)
class Corpus:
    """A folder that ``clinsynth generate`` wrote.

    Attributes:
        folder: Where it is.
        real: Parts of a real corpus to show beside it, by split.
    """

    folder: Path
    real: Mapping[str, Sequence[Document]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The task it was written for, or its folder."""
        return str(self.card.get("task") or self.folder.name)

    @cached_property
    def card(self) -> Mapping[str, Any]:
        """How it came about; empty if it has no card."""
        path = self.folder / CARD
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    @cached_property
    def documents(self) -> Sequence[Document]:
        """Its texts."""
        return list(jsonl.read(file_of(self.folder, CORPUS)))

    @cached_property
    def rejected(self) -> Mapping[str, int]:
        """How often each reason of a rejection occurs, by the card or else by the ledger."""
        if "rejected" in self.card:
            return Counter(self.card["rejected"])
        return Counter(reject["reason"] for reject in self.rejects)

    @cached_property
    def rejects(self) -> Sequence[Mapping[str, Any]]:
        """The ledger of what was left out, if the folder has it."""
        path = next((p for p in _candidates(self.folder, REJECTS) if p.exists()), None)
        return [json.loads(line) for line in read_lines(path) if line.strip()] if path else []

    @cached_property
    def measures(self) -> Mapping[str, Any]:
        """Counts and measures of variety, as the card has them."""
        counted = balance(self.documents, self.layout)
        known = self.card.get("corpus", {}).get("sentences")  # it knew the layout of the task, prose or lines
        return counted if known is None else {**counted, "sentences": known}

    @cached_property
    def measures_of_real(self) -> Mapping[str, Any]:
        """The same of all parts of the real corpus."""
        return balance(self.real_documents, self.layout)

    @property
    def layout(self) -> Layout:
        """How its sentences end, as the card says; older cards do not."""
        return "lines" if self.card.get("layout") == "lines" else "prose"

    @property
    def real_documents(self) -> list[Document]:
        """All parts of the real corpus."""
        return [document for documents in self.real.values() for document in documents]

    @cached_property
    def leaks(self) -> Mapping[str, Mapping[str, int]]:
        """What it repeats of each part of the real corpus, as it stands now."""
        settings = self.card.get("curation", {})
        ngram, near = settings.get("leak_ngram", 8), settings.get("leak_similarity", 0.6)
        return (
            summary(audit(self.documents, self.real, ngram, near, self.layout), self.real)
            if self.real
            else {}
        )


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long texts and mentions are, one number each.

    Attributes:
        words: Words of each document.
        mentions: Mentions of each document.
        mention_words: Words of each mention.
        labels: Share of the mentions that has each label, from 0 to 1.
    """

    words: Sequence[int]
    mentions: Sequence[int]
    mention_words: Sequence[int]
    labels: Mapping[str, float]


def lengths(documents: Sequence[Document]) -> Lengths:
    """The lengths that charts show."""
    counted = Counter(entity.label for document in documents for entity in document.entities)
    return Lengths(
        [len(words(document.text)) for document in documents],
        [len(document.entities) for document in documents],
        [len(words(document.mention(entity))) for document in documents for entity in document.entities],
        {label: n / counted.total() for label, n in sorted(counted.items())},
    )


def is_corpus(folder: Path) -> bool:
    """Whether a folder has a corpus that was written."""
    return any(path.exists() for path in _candidates(folder, CORPUS))


def file_of(folder: Path, name: str) -> Path:
    """A file of a corpus, compressed or not. Raises ``FileNotFoundError``."""
    for path in _candidates(folder, name):
        if path.exists():
            return path
    raise FileNotFoundError(f"{folder / name} is missing. Remedy: name a folder that generate wrote")


def _candidates(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / name, folder / (name + COMPRESSED)

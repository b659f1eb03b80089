"""What every corpus shares: three splits, read as documents; no task, no torch."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Literal

from clinsynth_onnx.document import Document

log = logging.getLogger("clinsynth")

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


class DocumentSource:
    """What can be read split by split: a corpus, or a data module above one."""

    def documents(self, split: Split) -> Iterable[Document]:
        """All documents of a split, as the corpus has them."""
        raise TypeError(f"{type(self).__name__} must say where its documents come from")

    def prepare(self, splits: Iterable[Split]) -> None:
        """Fetches what the splits need, where that has to be done once for a machine."""

    def lacks(self, split: Split) -> bool:
        """Whether it has no such split by its settings, as a corpus to train on has none to test on."""
        return False

    def predict_documents(self) -> Iterable[Document]:
        """What ``predict`` reads: the test split unless a subclass knows better."""
        return self.documents("test")

    def read_from(self, split: Split) -> str:
        """Where the documents of a split come from, for messages: files and the formats they were read as."""
        return type(self).__name__


class Corpus(DocumentSource):
    """A corpus in three splits. A subclass says how ``documents`` are read.

    Attributes:
        selectable: Whether a task may name some of its entity labels and leave out the others.
    """

    selectable: bool = False


def at_hand(
    source: DocumentSource, splits: Iterable[Split], fetch: bool = True
) -> tuple[dict[str, Sequence[Document]], dict[str, str]]:
    """The documents of those splits that can be read, and why the others cannot.

    Args:
        source: What to read.
        splits: The splits that are wanted.
        fetch: Whether what is missing is fetched first, and told in the log if it cannot be read.
    """
    found: dict[str, Sequence[Document]] = {}
    absent: dict[str, str] = {}
    for split in splits:
        try:
            if fetch:
                source.prepare([split])
            found[split] = list(source.documents(split))
        except (OSError, ValueError) as error:
            absent[split] = f"not at hand ({type(error).__name__})"
            if fetch:
                log.warning("%s, %s: %s", type(source).__name__, split, error)
    return found, absent

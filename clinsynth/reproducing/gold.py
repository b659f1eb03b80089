"""What a corpus of the plan is scored on, and the files that it is read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clinsynth import corpora
from clinsynth.corpora.base import SPLITS, Corpus, Split
from clinsynth.corpora.labels import restrict
from clinsynth.corpora.published import PublishedCorpus
from clinsynth.reproducing.fingerprint import within
from clinsynth.reproducing.plan import CorpusPlan, at_fold
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema


def reader(real: Mapping[str, Any]) -> Corpus:
    """The reader below a data module.

    Args:
        real: The data module as a config names it.

    Raises:
        ValueError: There is no such reader, or it does not take these options.
    """
    name = str(real.get("class_path", "")).rpartition(".")[2]
    if name not in corpora.__all__ or name == Corpus.__name__:
        known = ", ".join(sorted(set(corpora.__all__) - {Corpus.__name__}))
        raise ValueError(f"a table is of corpora that clinsynth reads ({known}), not of {name!r}")
    try:
        made: Corpus = getattr(corpora, name)(**real.get("init_args", {}))
    except TypeError as error:
        raise ValueError(f"{name}: {error}. Remedy: see the options of clinsynth.corpora.{name}") from error
    return made


def gold(plan: CorpusPlan, fold: int | None, schema: Schema) -> list[Document]:
    """The documents that are scored, with the labels of the task."""
    source = reader(at_fold(plan.real, fold))
    source.prepare(["test"])
    return [restrict(document, schema) for document in source.documents("test")]


def files(plan: CorpusPlan, fold: int | None) -> list[Path]:
    """The files of a corpus that are at hand, those in its folders too."""
    return sorted({file for path in _named(plan, fold, SPLITS) for file in within(path)})


def training_file(plan: CorpusPlan, fold: int | None) -> Path:
    """The file of the training part.

    Raises:
        ValueError: It is not one file.
    """
    named = _named(plan, fold, ["train"])
    if len(named) != 1:
        raise ValueError(f"the training part of {plan.title} is not in one file, so nothing annotated it")
    return named[0]


def _named(plan: CorpusPlan, fold: int | None, splits: Sequence[Split]) -> list[Path]:
    source = reader(at_fold(plan.real, fold))
    if isinstance(source, PublishedCorpus):
        return [source.place(file) for split in splits for file in source.sources(split)]
    paths: Mapping[str, str | None] = getattr(source, "paths", {})
    return [Path(path) for split in splits if (path := paths.get(split))]


def fetch(plan: CorpusPlan, fold: int | None) -> None:
    """Downloads what the rows of a corpus need. Raises ``OSError`` that tells how to place it by hand."""
    reader(at_fold(plan.real, fold)).prepare(["train", "val", "test"])

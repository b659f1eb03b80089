"""What a path is: a run, a written corpus or a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from clinsynth.corpora.labels import other_labels, tell_other_labels
from clinsynth.formats.counts import count
from clinsynth.reporting.corpus_folder import Corpus, is_corpus
from clinsynth.reporting.evaluation import Evaluation, evaluate
from clinsynth.reporting.run_folder import Run
from clinsynth.runs.folder import CHECKPOINTS, CONFIG, LOGS, best_of, run_of, tests
from clinsynth_onnx import bundle
from clinsynth_onnx.concept_fields import without_concepts
from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor
from clinsynth_onnx.schema import Schema


@dataclass(frozen=True)
class BundleInput:
    """A bundle.

    Attributes:
        path: Where it is.
        gold: Labelled documents to try it on.
    """

    path: Path
    gold: Sequence[Document] = ()

    @property
    def name(self) -> str:
        """Its name, or that of its run and its own."""
        return "/".join(self.path.resolve().parts[-2:])

    @cached_property
    def opened(self) -> bundle.Bundle:
        """The bundle, open for reading."""
        return bundle.Bundle.open(self.path)

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """All that its manifest says."""
        return self.opened.manifest

    @cached_property
    def schema(self) -> Schema:
        """The task."""
        return self.opened.schema()

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """What it finds in ``gold``. Raises ``ValueError`` on labels that it does not know."""
        if not self.gold:
            return None
        others = other_labels(self.gold, self.schema)
        if others:
            raise ValueError(
                f"the documents have mentions that {self.path} does not know: "
                f"{tell_other_labels(others, self.schema)}; it knows {', '.join(self.schema.entity_labels)}. "
                "Remedy: give them the labels of the task"
            )
        relations = self.opened.task != "token-classification"
        with Predictor.load(self.path) as predictor:
            found = list(predictor.stream(self.gold))
        gold = self.gold
        if self.opened.task == "relation-extraction":
            gold, found = list(map(without_concepts, gold)), list(map(without_concepts, found))
        return evaluate("these documents", gold, found, self.schema, relations, count(gold).to_json())


Input = Run | Corpus | BundleInput


def open_input(
    path: Path, real: Mapping[str, Sequence[Document]] | None = None, gold: Sequence[Document] = ()
) -> Input:
    """A run folder (or the newest in a folder of runs), a folder that generate wrote, or a bundle.

    Args:
        path: The file or folder.
        real: Parts of a real corpus to show beside a written one.
        gold: Labelled documents to try a bundle on.

    Raises:
        ValueError: It is none of them.
    """
    if not path.exists():
        raise ValueError(f"there is no {path}. Remedy: check the path")
    if path.is_file() or (path / bundle.MANIFEST).exists():
        return BundleInput(path, gold)
    if is_corpus(path):
        return Corpus(path, real or {})
    if _is_run(path):
        return Run(path)
    try:
        newest = run_of(best_of(str(path)))
    except ValueError:
        newest = None
    if newest is None:
        raise ValueError(
            f"{path} is no run, no written corpus and no bundle. Remedy: name a folder with {CONFIG} or "
            f"{CHECKPOINTS}/, one with corpus.jsonl, or one with {bundle.MANIFEST}"
        )
    return Run(newest)


def _is_run(path: Path) -> bool:
    return any((path / name).exists() for name in (CONFIG, CHECKPOINTS, LOGS)) or bool(tests(path))

"""A cell becomes a result, once: its commands are run, its tests counted, its texts compared."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clinsynth.formats import jsonl
from clinsynth.formats.tasks import read_task
from clinsynth.reproducing import fingerprint
from clinsynth.reproducing.commands import Commands
from clinsynth.reproducing.gold import files, gold
from clinsynth.reproducing.learned import Overlaps, amounts, training_texts
from clinsynth.reproducing.plan import Cell, CorpusPlan, Row, runs_named
from clinsynth.reproducing.process import attempts, minutes, note, perform
from clinsynth.reproducing.scoring import counts, figures, kind_of
from clinsynth.reproducing.steps import (
    BUNDLE,
    RUN_FOLDER,
    Offered,
    inputs,
    overrides,
    resolved,
    steps,
    test_name,
)
from clinsynth.runs.folder import CHECKPOINTS, last_test
from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor
from clinsynth_onnx.schema import Schema

RESULT, SHORT = "result.json", 12
SAME = 1e-9  # two ways to the same score may differ by this


@dataclass
class Table:
    """A table that is being filled.

    Attributes:
        corpora: Its corpora.
        rows: Its rows.
        out: Its folder.
        offered: What is at hand for rows that are not trained.
    """

    corpora: Mapping[str, CorpusPlan]
    rows: Mapping[str, Row]
    out: Path
    offered: Offered
    _folders: dict[tuple[str, str, int, int | None], Path] = field(default_factory=dict)
    _overlaps: dict[tuple[str, int | None], Overlaps] = field(default_factory=dict)
    _schemas: dict[str, Schema] = field(default_factory=dict)

    def schema(self, corpus: str) -> Schema:
        """The task of a corpus."""
        if corpus not in self._schemas:
            self._schemas[corpus] = read_task(self.corpora[corpus].task)
        return self._schemas[corpus]

    def folder(self, cell: Cell) -> Path:
        """The folder of a cell, named after the hash of all that can change its result.

        Raises:
            OSError: A file that it reads is missing.
        """
        plan, row = self.corpora[cell.corpus], self.rows[cell.row]
        real = [path for fold in cell.tests for path in files(plan, fold)]
        needs = {need: self._needed(cell, need).name for need in cell.needs}
        parts = {
            "code": fingerprint.code(),
            "files": fingerprint.of_files([*real, *inputs(plan, cell, row, self.offered)]),
            "settings": cell.settings,
            "model": overrides(plan, row, self.offered),
            "real": plan.real.values,
            "seed": cell.seed,
            "tests": cell.tests,
            "export": row.export,
            "needs": needs,
        }
        folder = self.out / "cells" / cell.corpus / f"{cell.name}-{fingerprint.key(parts)[:SHORT]}"
        if cell.size is None:
            self._folders[cell.corpus, cell.row, cell.seed, cell.fold] = folder
        return folder

    def result(self, cell: Cell) -> dict[str, Any] | None:
        """The result of a cell that was run before, unless others start from it and its weights are gone."""
        folder = self.folder(cell)
        path = folder / RESULT
        if not path.exists() or (self._is_needed(cell) and not _weights(folder).exists()):
            return None
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def run(self, cell: Cell, commands: Commands, say: Callable[[str], None]) -> dict[str, Any]:
        """Runs what is left of a cell; its bundle is still to be timed.

        Raises:
            StepError: A command ended with an error.
            KeyboardInterrupt: A command was interrupted.
            ValueError: The corpus, the plan or an earlier cell does not fit.
            OSError: A file is missing.
        """
        plan, row = self.corpora[cell.corpus], self.rows[cell.row]
        folder = self.folder(cell)
        if (folder / RESULT).exists():
            shutil.rmtree(folder)  # nothing started from it when it was run, and its weights are gone
        folder.mkdir(parents=True, exist_ok=True)
        runs = {need: self._needed(cell, need) / RUN_FOLDER for need in cell.needs}
        todo = steps(plan, cell, row, self.offered, folder, resolved(cell.settings, folder, runs))
        for step in todo:
            say(f"{cell.corpus}/{cell.name}: {step.name}")
            perform(folder, step, commands)
            if step.name.startswith("test"):
                _note_results(folder, step.name, row)
        result = self._collected(cell, folder)
        _write(folder, result)
        self._tidy(cell, folder)
        return result

    def time(self, cell: Cell, result: dict[str, Any]) -> None:
        """Times the bundle of a cell, once. Nothing else should compute meanwhile."""
        if "ms_per_document" not in result:
            documents = gold(self.corpora[cell.corpus], cell.tests[0], self.schema(cell.corpus))
            folder = self.folder(cell)
            result["ms_per_document"] = timed(folder / RUN_FOLDER / BUNDLE, documents)
            _write(folder, result)

    def _needed(self, cell: Cell, row: str) -> Path:
        """The folder of the cell of another row that this one starts from."""
        for fold in (cell.fold, None):
            if (cell.corpus, row, cell.seed, fold) in self._folders:
                return self._folders[cell.corpus, row, cell.seed, fold]
        raise ValueError(
            f"{cell.corpus}: {cell.name} needs the row {row!r}. Remedy: give it epochs in the plan"
        )

    def _origins(self, cell: Cell) -> list[Path]:
        """The runs that a cell starts from, and those that these start from."""
        found: dict[str, Path] = {}
        waiting = [*cell.needs]
        while waiting:
            row = waiting.pop()
            if row not in found:
                found[row] = self._needed(cell, row) / RUN_FOLDER
                waiting += runs_named(self.rows[row].settings.values)
        return list(found.values())

    def _collected(self, cell: Cell, folder: Path) -> dict[str, Any]:
        plan, row, schema = self.corpora[cell.corpus], self.rows[cell.row], self.schema(cell.corpus)
        run = folder / RUN_FOLDER
        golds = {fold: gold(plan, fold, schema) for fold in cell.tests}
        where = {note["step"]: Path(note["results"]) for note in attempts(folder) if "results" in note}
        tests = [
            {"fold": fold, **tested(where[test_name(fold)], documents, schema, row.kind == "trained")}
            for fold, documents in golds.items()
        ]
        relations = any(test["kind"] != "entities" for test in tests)
        learned = training_texts(run, schema, relations) if row.kind == "trained" else []
        earlier = [text for other in self._origins(cell) for text in training_texts(other, schema, relations)]
        overlaps = [
            self._overlap(cell.corpus, fold, golds[fold]).count([*learned, *earlier]) for fold in golds
        ]
        return {
            "corpus": cell.corpus,
            "row": cell.row,
            "size": cell.size,
            "seed": cell.seed,
            "fold": cell.fold,
            "commands": [attempt["command"] for attempt in attempts(folder) if "command" in attempt],
            "learned": amounts(learned, schema.layout) if learned else None,
            "overlap": max(overlaps, key=lambda one: int(one["overlapping"])) if learned else None,
            "minutes": minutes(folder, "fit"),
            **({} if row.export else {"ms_per_document": None}),
            "tests": tests,
            "code": fingerprint.code()[:SHORT],
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
        }

    def _overlap(self, corpus: str, fold: int | None, documents: Sequence[Document]) -> Overlaps:
        if (corpus, fold) not in self._overlaps:
            self._overlaps[corpus, fold] = Overlaps(documents, self.schema(corpus).layout)
        return self._overlaps[corpus, fold]

    def _tidy(self, cell: Cell, folder: Path) -> None:
        """Removes weights that nothing starts from: with their optimizer they are hundreds of megabytes."""
        _weights(folder).with_name("last.ckpt").unlink(missing_ok=True)
        if not self._is_needed(cell) and not self.rows[cell.row].export:
            _weights(folder).unlink(missing_ok=True)

    def _is_needed(self, cell: Cell) -> bool:
        """Whether a row starts from its run, be it one that is not run this time."""
        trained = self.rows[cell.row].kind == "trained" and cell.size is None
        return trained and any(cell.row in runs_named(row.settings.values) for row in self.rows.values())


def _weights(folder: Path) -> Path:
    return folder / RUN_FOLDER / CHECKPOINTS / "best.ckpt"


def _write(folder: Path, result: Mapping[str, Any]) -> None:
    draft = folder / f"{RESULT}.part"
    draft.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    draft.replace(folder / RESULT)


def _note_results(folder: Path, step: str, row: Row) -> None:
    """Notes where the results of a test are, once."""
    if not any(note["step"] == step and "results" in note for note in attempts(folder)):
        run = folder / RUN_FOLDER
        results = last_test(run / CHECKPOINTS if row.kind == "trained" else run)
        note(folder, {"step": step, "results": str(results)})


def tested(folder: Path, documents: Sequence[Document], schema: Schema, trained: bool) -> dict[str, Any]:
    """Counts of each document of a test, from its predictions.

    Args:
        folder: What the test wrote.
        documents: All that are scored.
        schema: The task.
        trained: Whether the model was: if of relations, it leaves out documents that do not state theirs.

    Raises:
        ValueError: They do not add up to the scores that the test wrote.
    """
    told = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["scores"]
    kind = kind_of(told)
    predicted = list(jsonl.read(folder / "predictions.jsonl"))
    if trained and kind != "entities":
        documents = [document for document in documents if document.states_relations]
    table = counts(predicted, documents, schema, kind)
    own = figures(schema, kind)(table.sum(axis=0))
    for name, score in told["scores"].items():
        if name in own and abs(float(own[name]) - score["value"]) > SAME:
            raise ValueError(
                f"{folder}: {name} is {score['value']} there, and {float(own[name])} as counted here"
            )
    return {"kind": kind, "counts": table.tolist(), "always": told.get("always_related", {})}


def timed(bundle: Path, documents: Sequence[Document]) -> float:
    """Milliseconds that a bundle takes for a document, all of them given at once, after a first pass."""
    with Predictor.load(bundle) as predictor:
        finds = predictor.bundle.task == "token-classification"
        bare = [Document(document.text) if finds else document for document in documents]
        list(predictor.stream(bare))
        start = time.perf_counter()
        list(predictor.stream(bare))
        return (time.perf_counter() - start) / len(documents) * 1000

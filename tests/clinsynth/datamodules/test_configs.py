"""Configs name data modules and their options, as older runs left them behind too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonargparse import ArgumentParser

from clinsynth.datamodules import BC5CDR, Files, Mixture, Synthetic
from clinsynth.datamodules.base import DocumentDataModule
from clinsynth.datamodules.of_run import current
from clinsynth.datamodules.written import GeneratedText, RecordedReplies
from clinsynth.formats import jsonl
from clinsynth_onnx.document import Document, Entity

TASK = {"name": "t", "entities": {"Disease": {}}}
SHARED: dict[str, Any] = {
    "batch_tokens": 640,
    "eval_batch_tokens": 2048,
    "fraction": 1.0,
    "few_shot": None,
    "seed": 3,
}


def built(class_path: str, **options: Any) -> DocumentDataModule:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--data", type=DocumentDataModule)
    data = {"class_path": class_path, "init_args": {"schema": TASK, **options}}
    made: DocumentDataModule = parser.instantiate(parser.parse_object({"data": data})).data
    return made


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    documents = [Document(f"Gout {i}.", (Entity(0, 4, "Disease"),), id=str(i)) for i in range(20)]
    jsonl.write(tmp_path / "corpus.jsonl", documents)
    return str(tmp_path / "corpus.jsonl")


def test_a_published_corpus_of_an_older_run(root: Path) -> None:
    options = {"root": str(root), "format": "pubtator", "test_on": "development", **SHARED}
    data = built("clinsynth.datamodules.bc5cdr.BC5CDR", **options)
    assert isinstance(data, BC5CDR) and (data.batch_tokens, data.seed) == (640, 3)
    assert [len(data.task_documents(split)) for split in ("train", "val", "test")] == [18, 2, 20]


def test_files_of_an_older_run(corpus: str) -> None:
    paths = {"train": corpus, "val": None, "test": None, "predict": None}
    data = built("clinsynth.datamodules.Files", **paths, format=None, labels=None, **SHARED)
    assert isinstance(data, Files) and len(data.task_documents("train")) == 18


def test_written_text_of_an_older_run_in_a_mixture(corpus: str) -> None:
    former = {"replies": None, "generation": None, "folder": None, "validation": "synthetic", **SHARED}
    older = {"class_path": "clinsynth.datamodules.Synthetic", "init_args": {"corpus": corpus, **former}}
    with pytest.raises(Exception, match="replies"):
        built("Mixture", corpora=[older])
    data = built("Mixture", **current({"corpora": [older]}))
    assert isinstance(data, Mixture) and len(data.task_documents("train")) == 18


def test_written_text_is_handed_what_has_it(corpus: str) -> None:
    data = built("Synthetic", corpus=[corpus, corpus])
    assert isinstance(data, Synthetic) and data.text.origin(data.schema) == f"{corpus}, {corpus} as jsonl"
    recorded = built("Synthetic", corpus={"class_path": "RecordedReplies", "init_args": {"files": ["r"]}})
    assert isinstance(recorded, Synthetic) and isinstance(recorded.text, RecordedReplies)
    options = {"generation": {"plan": {"size": 4}, "server": {"base_url": "http://localhost:1/v1"}}}
    asked = built("Synthetic", corpus={"class_path": "GeneratedText", "init_args": options})
    assert isinstance(asked, Synthetic) and isinstance(asked.text, GeneratedText)
    assert asked.text.generation.plan.size == 4 and not asked.prepare_data_per_node

"""Amounts of what was learned, and what of it repeats what is scored."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import clinsynth.datamodules  # noqa: F401  (class names without their module resolve among what is imported)
from clinsynth.corpora import NCBIDisease
from clinsynth.formats import jsonl
from clinsynth.reproducing.learned import Overlaps, amounts, training_texts
from clinsynth_onnx.document import RELATIONS_NOT_STATED, Document, Entity
from clinsynth_onnx.schema import Schema

LONG = "the patient was given a drug for gout and felt better within two days"


def test_titles_without_a_full_stop_are_sentences(root: Path) -> None:
    documents = list(NCBIDisease(str(root)).documents("train"))
    assert amounts(documents) == {
        "documents": 20,
        "sentences": 40,
        "mentions": sum(len(document.entities) for document in documents),
        "relations": 0,
    }


def test_texts_count_once_and_whatever_was_looked_at_before() -> None:
    gold = [Document(f"Then {LONG}.", (Entity(5, 8, "X"),), id="g")]
    overlaps = Overlaps(gold)
    other = Document("Nothing of this stands in any other text that is looked at here.")
    assert overlaps.count([Document(f"Once {LONG}."), other, other]) == {"texts": 2, "overlapping": 1}
    assert overlaps.count([other]) == {"texts": 1, "overlapping": 0}
    assert overlaps.count([Document(f"Once {LONG}."), other]) == {"texts": 2, "overlapping": 1}


def test_texts_of_a_run_are_those_that_it_learned(
    tmp_path: Path, root: Path, tiny_bundle: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that a teacher annotated, and those of several corpora."""
    monkeypatch.chdir(tmp_path)
    written = [
        Document(
            f"Written {i} cancer.", (Entity(len(f"Written {i} "), len(f"Written {i} cancer"), "Disease"),)
        )
        for i in range(9)
    ]
    jsonl.write(tmp_path / "written.jsonl", written)
    ncbi = {"class_path": "NCBIDisease", "init_args": {"root": str(root)}}
    synthetic = {
        "class_path": "clinsynth.datamodules.Synthetic",
        "init_args": {"corpus": "written.jsonl", "real": ncbi, "validation": "real"},
    }
    few = {"class_path": "NCBIDisease", "init_args": {"root": str(root), "few_shot": 5}}
    mixture = {"class_path": "Mixture", "init_args": {"corpora": [synthetic, few]}}
    taught = {
        "class_path": "SelfTraining",
        "init_args": {"labelled": synthetic, "corpus": ncbi, "teachers": str(tiny_bundle), "folder": "kept"},
    }
    for data, number in ((synthetic, 9), (mixture, 14), (taught, 29)):
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({"data": data}), encoding="utf-8")
        assert len(training_texts(tmp_path, schema, relations=False)) == number


def test_what_states_no_relations_teaches_none(tmp_path: Path, schema: Schema) -> None:
    entities = (Entity(0, 4, "Gene"), Entity(9, 15, "Disease"))
    texts = [
        Document("TP53 and cancer", entities, id="known"),
        Document("TP53 and cancer", entities, id="unknown", meta=dict(RELATIONS_NOT_STATED)),
    ]
    jsonl.write(tmp_path / "train.jsonl", texts)
    data = {
        "class_path": "Files",
        "init_args": {"train": str(tmp_path / "train.jsonl"), "val": str(tmp_path / "train.jsonl")},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"data": data}), encoding="utf-8")
    assert len(training_texts(tmp_path, schema, relations=False)) == 2
    assert [text.id for text in training_texts(tmp_path, schema, relations=True)] == ["known"]

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from clinsynth.formats import jsonl
from clinsynth.metrics.metric import RelationScores
from clinsynth.metrics.scores import concept_relation_figures
from clinsynth.reporting.corpus_folder import Corpus
from clinsynth.reporting.inputs import BundleInput, open_input
from clinsynth.reporting.run_folder import Run, read_test
from clinsynth_onnx.document import Document, Entity, Relation
from tests.clinsynth.reporting.folders import SCHEMA, curves, write_corpus, write_run


def test_curves_of_a_run_that_was_taken_up_again_are_one(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    head = "epoch,step,train_loss,train_loss_epoch,val_strict_f1\n"
    curves(run, 1, head + "1,19,0.4,,\n1,23,,0.45,0.7\n2,29,0.3,,\n2,35,,,0.65\n")
    curves(run, 10, head + "3,39,0.2,,\n")  # after version_2 in numbers, before it in letters
    curves(run, 2, head + "3,39,0.9,,\n")
    found = Run(run).curves
    assert found.losses == {9: 0.9, 19: 0.4, 29: 0.3, 39: 0.2}
    assert found.epochs == {23: 0.45} and found.scores == {11: 0.4, 23: 0.7, 35: 0.65}
    assert found.score == "val_strict_f1" and found.resumed == 3


def test_the_last_test_counts(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    first = run / "checkpoints" / "test-1"
    for number in (2, 10):
        first.with_name(f"test-{number}").mkdir()
        for file in first.iterdir():
            (first.with_name(f"test-{number}") / file.name).write_bytes(file.read_bytes())
    evaluation = Run(run).evaluation
    assert evaluation is not None and evaluation.name == "test-10"


def test_a_path_is_told_by_what_is_in_it(tmp_path: Path, tiny_bundle: Path) -> None:
    run = write_run(tmp_path / "letters" / "2")
    write_run(tmp_path / "letters" / "10")
    corpus = write_corpus(tmp_path / "written")
    assert open_input(run) == Run(run)
    assert open_input(tmp_path / "letters") == Run(tmp_path / "letters" / "10"), "the newest"
    assert open_input(corpus) == Corpus(corpus)
    assert open_input(tiny_bundle) == BundleInput(tiny_bundle)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"is no run, no written corpus and no bundle\. Remedy"):
        open_input(tmp_path / "empty")
    with pytest.raises(ValueError, match=r"there is no .*nowhere\. Remedy"):
        open_input(tmp_path / "nowhere")


def test_pairs_of_mentions_are_counted_as_they_were_scored(tmp_path: Path) -> None:
    """The other mention of the same thing is another pair, for a model that judges pairs."""
    entities = (Entity(0, 4, "Disease"), Entity(6, 10, "Disease"), Entity(14, 22, "Drug"))
    meta = {"concepts": ["D", "D", "Z"]}
    gold = Document("Rash, rash by zorvexin.", entities, (Relation(2, 0, "Treats"),), "1", meta)
    found = replace(gold, relations=(Relation(2, 1, "Treats", 0.9),))
    scores = RelationScores(SCHEMA)
    scores.update([found], [gold], range(1))
    told = scores.result().to_json()
    (tmp_path / "metrics.json").write_text(json.dumps({"scores": told}), encoding="utf-8")
    jsonl.write(tmp_path / "gold.jsonl", [gold])
    jsonl.write(tmp_path / "predictions.jsonl", [found])
    read = read_test(tmp_path, SCHEMA)
    assert read.scores["scores"]["f1"]["value"] == 0
    f1 = concept_relation_figures(read.counts.sum(axis=0), read.labels)["f1"]
    assert f1 == 0 and read.confusion[0, 1] == read.confusion[1, 0] == 1

"""Data modules over small files in the real formats."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

import pytest
from lightning import Trainer

from clinsynth.datamodules import BC5CDR, EUADR, GAD, BioRED, Files, Mixture, NCBIDisease
from clinsynth.formats import jsonl, registry
from clinsynth.models import TokenClassification
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import EntityType, RelationType, Schema

DISEASE = Schema("d", {"Disease": EntityType()})
PAIR = Schema(
    "p",
    {"Gene": EntityType(), "Disease": EntityType()},
    {"Association": RelationType(head=["Gene"], tail=["Disease"])},
)
CDR = Schema("c", {"Chemical": EntityType(), "Disease": EntityType()})


def test_ncbi_disease_has_one_label(root: Path) -> None:
    data = NCBIDisease(DISEASE, str(root))
    for split in ("train", "val", "test"):
        assert len(data.task_documents(split)) == 20
        assert {e.label for d in data.task_documents(split) for e in d.entities} == {"Disease"}
    record = data.record["train"]
    assert record["entities"] == {"Disease": 40} and len(record["sha256"]) == 64


def test_bc5cdr_keeps_what_the_task_asks_for(root: Path) -> None:
    assert {e.label for d in BC5CDR(CDR, str(root)).task_documents("train") for e in d.entities} == {
        "Chemical",
        "Disease",
    }
    only = BC5CDR(DISEASE, str(root))
    assert {e.label for d in only.task_documents("train") for e in d.entities} == {"Disease"}
    assert only.record["train"]["left_out"]["mentions_of_other_types"] == 20


def test_bc5cdr_reads_bioc_too(root: Path) -> None:
    documents = list(registry.read(root / "bc5cdr" / "CDR_TrainingSet.PubTator.txt"))
    registry.write(root / "bc5cdr" / "CDR_TrainingSet.BioC.xml", documents, "bioc-xml")
    read = BC5CDR(CDR, str(root), format="bioc").task_documents("train")
    assert [(d.text, d.entities) for d in read] == [(d.text, d.entities) for d in documents]


def test_bc5cdr_tests_on_the_development_part_if_asked(root: Path) -> None:
    data = BC5CDR(CDR, str(root), test_on="development")
    train, val, test = (data.task_documents(split) for split in ("train", "val", "test"))
    assert (len(train), len(val), len(test)) == (18, 2, 20)
    assert not {d.id for d in train} & {d.id for d in val}
    assert [d.id for d in test] == [d.id for d in BC5CDR(CDR, str(root)).task_documents("val")]


def test_biored_gives_the_labels_that_a_task_chooses(root: Path) -> None:
    task = Schema("b", {"ChemicalEntity": EntityType()})
    data = BioRED(task, str(root), test_on="development")
    assert [len(data.task_documents(split)) for split in ("train", "val", "test")] == [18, 2, 20]
    assert data.record["test"]["entities"] == {"ChemicalEntity": 20}
    assert data.record["test"]["left_out"]["mentions_of_other_types"] == 20


@pytest.mark.parametrize("corpus", [GAD, EUADR])
def test_folds_hold_out_a_seeded_stratified_part(root: Path, corpus: type[GAD] | type[EUADR]) -> None:
    data = corpus(PAIR, str(root), fold=2)
    train, val = data.task_documents("train"), data.task_documents("val")
    assert (len(train), len(val)) == (36, 4)
    assert sum(bool(d.relations) for d in val) == 1
    assert data.task_documents("test")[0].id == "2"
    assert corpus(PAIR, str(root), fold=2).task_documents("val") == val
    assert corpus(PAIR, str(root), fold=2, seed=1).task_documents("val") != val
    with pytest.raises(ValueError, match="'fold' must be from 1 to 10, not 11"):
        corpus(PAIR, str(root), fold=11)


def test_the_training_part_can_be_cut(root: Path) -> None:
    few = NCBIDisease(DISEASE, str(root), few_shot=3)
    assert len(few.task_documents("train")) == 3 and len(few.task_documents("val")) == 20
    assert few.task_documents("train") == NCBIDisease(DISEASE, str(root), few_shot=3).task_documents("train")
    assert few.record["train"]["left_out"]["documents"] == 17
    assert len(NCBIDisease(DISEASE, str(root), fraction=0.25).task_documents("train")) == 5
    with pytest.raises(ValueError, match="asks for 21 training documents, the corpus has 20"):
        NCBIDisease(DISEASE, str(root), few_shot=21).task_documents("train")
    with pytest.raises(ValueError, match="'fraction' must be above 0"):
        NCBIDisease(DISEASE, str(root), fraction=0)
    with pytest.raises(ValueError, match="goes without 'fraction'"):
        NCBIDisease(DISEASE, str(root), fraction=0.5, few_shot=2)


def test_own_files_in_any_format(root: Path) -> None:
    train = str(root / "ncbi_disease" / "NCBItrainset_corpus.txt")
    labels = {"Modifier": "Disease", "SpecificDisease": "Disease"}
    data = Files(DISEASE, train=train, test=train, labels=labels)
    assert (
        len(data.task_documents("train")),
        len(data.task_documents("val")),
        len(data.task_documents("test")),
    ) == (18, 2, 20)
    assert {e.label for d in data.task_documents("train") for e in d.entities} == {"Disease"}
    (root / "note.txt").write_text("Ataxia.", encoding="utf-8")
    assert [d.id for d in Files(DISEASE, predict=str(root / "note.txt")).predict_documents()] == ["note"]
    with pytest.raises(ValueError, match=r"no files to test with.*--data\.test"):
        Files(DISEASE, train=train).task_documents("test")
    with pytest.raises(ValueError, match="no corpus format 'doc'"):
        Files(DISEASE, train=train, format="doc")


def test_a_mixture_weights_its_corpora(root: Path, tiny_encoder: str) -> None:
    made = Mixture(
        DISEASE,
        [partial(NCBIDisease, root=str(root), few_shot=4), partial(BC5CDR, root=str(root))],
        weights=[3, 1],
    )
    assert len(made.task_documents("train")) == 24 and len(made.task_documents("val")) == 40
    assert made.repeats() == [3] * 4 + [1] * 20
    assert [c["class"] for c in made.record["corpora"]] == ["NCBIDisease", "BC5CDR"]
    model = TokenClassification(DISEASE, tiny_encoder)
    made.trainer = Trainer(logger=False, enable_checkpointing=False)
    made.trainer.strategy.connect(model)
    features = model.codec.encode(made.task_documents("train"))
    shown = sum(made.repeats()[example.document] for example in features.examples)
    assert sum(map(len, made.train_dataloader())) == shown
    with pytest.raises(ValueError, match="2 whole numbers"):
        Mixture(DISEASE, [NCBIDisease, BC5CDR], weights=[1])


def notes(path: Path, *labels: str) -> str:
    jsonl.write(path, [Document(f"Ataxia {i}.", (Entity(0, 6, label),)) for i, label in enumerate(labels)])
    return str(path)


def test_labels_that_the_task_lacks_are_refused(tmp_path: Path) -> None:
    gold = notes(tmp_path / "gold.jsonl", "Disease", "DISEASE", "DISEASE")
    told = r"Files, test split: 2 of 3 mentions .*: 2 DISEASE \(near Disease\).*--data\.other_labels ignore"
    with pytest.raises(ValueError, match=told):
        Files(DISEASE, test=gold).task_documents("test")


def test_labels_that_the_task_lacks_are_counted_where_they_are_ignored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gold = notes(tmp_path / "gold.jsonl", "Disease", "DISEASE", "Drug")
    data = Files(DISEASE, test=gold, other_labels="ignore")
    with caplog.at_level(logging.INFO, "clinsynth"):
        assert [len(document.entities) for document in data.task_documents("test")] == [1, 0, 0]
    assert "2 of 3 mentions" in caplog.text and "1 DISEASE (near Disease), 1 Drug" in caplog.text
    assert data.record["test"]["left_out"]["mentions_of_other_types"] == 2


def test_training_text_without_a_mention_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for name in "ab":
        (tmp_path / "train" / f"{name}.txt").write_text(f"Ataxia {name}.", encoding="utf-8")
    with pytest.raises(ValueError, match=r"none of the 1 training documents.* read from .*train as text\."):
        Files(DISEASE, train=str(tmp_path / "train")).task_documents("train")
    with pytest.raises(ValueError, match="none of the 1 training documents"):
        Files(DISEASE, train=notes(tmp_path / "t.jsonl", "X", "X"), other_labels="ignore").task_documents(
            "train"
        )

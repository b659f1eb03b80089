"""Folders as other commands leave them, small enough to be written by hand; the texts are invented."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import yaml

from clinsynth.curation.balance import balance
from clinsynth.formats import jsonl
from clinsynth.formats.counts import count
from clinsynth.reporting.evaluation import evaluate
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import EntityType, RelationType, Schema

SCHEMA = Schema(
    "letters",
    {"Disease": EntityType("What is wrong <with> the patient.", "", ["gout"]), "Drug": EntityType()},
    {"Treats": RelationType(["Drug"], ["Disease"])},
    genre="letters of a clinic",
)
TEXT = "Severe gout was treated with zorvexin & rest; no gout since, <b>fever</b> went."
GOLD = Document(
    TEXT,
    (Entity(0, 11, "Disease"), Entity(29, 37, "Drug"), Entity(49, 53, "Disease"), Entity(64, 69, "Disease")),
    (Relation(1, 0, "Treats"),),
    "letter-1",
)
FOUND = GOLD.annotated(
    (Entity(7, 11, "Disease", 0.7), Entity(29, 37, "Disease", 0.6), Entity(64, 69, "Disease", 0.95))
)
OTHER = Document(
    "Zorvexin helps in ataxia.", (Entity(0, 8, "Drug"), Entity(18, 24, "Disease")), (), "letter-2"
)
PAIRS = [
    (GOLD, FOUND),
    (OTHER, replace(OTHER, entities=(Entity(0, 8, "Drug", 0.99), Entity(18, 24, "Disease", 0.8)))),
]
PHRASE = "was treated with"  # words of a document that no error has


def write_run(
    folder: Path,
    pairs: list[tuple[Document, Document]] | None = None,
    relations: bool = False,
    epochs: int = 3,
    gold: bool = True,
) -> Path:
    """A run folder with one test of ``pairs``; without any test if these are empty."""
    pairs = PAIRS if pairs is None else pairs
    model = "RelationExtraction" if relations else "TokenClassification"
    config = {
        "seed_everything": 0,
        "trainer": {"max_epochs": epochs},
        "model": {
            "class_path": f"clinsynth.models.{model}",
            "init_args": {
                "start_from": "/home/jane/1",
                "encoder": "offline",
                "unit": "sentence",
                "max_length": 128,
                "abbreviations": True,
            },
        },
        "data": {"class_path": "clinsynth.datamodules.Synthetic", "init_args": {"corpus": "x.jsonl"}},
        "task": SCHEMA.to_json(),
    }
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir(parents=True)
    (checkpoints / "best.ckpt").write_bytes(b"weights")
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / "environment.json").write_text(
        json.dumps(
            {
                "processors": 2,
                "packages": {"clinsynth": "0.1.0"},
                "command": "clinsynth fit --run=/home/jane/2",
            }
        )
    )
    train = {
        **count([GOLD]).to_json(),
        "sha256": "1" * 64,
        "not_expressible": {"reasons": {"it overlaps": 2}},
    }
    (folder / "data.json").write_text(json.dumps({"train": train}))
    curves(folder, 0, "epoch,step,train_loss,val_strict_f1\n0,9,0.9,\n0,11,,0.4\n1,19,0.5,\n1,23,,0.6\n")
    if pairs:
        test = checkpoints / "test-1"
        test.mkdir()
        truth, found = [a for a, _ in pairs], [b for _, b in pairs]
        scores = evaluate("", truth, found, SCHEMA, relations, {}).scores
        record = {"test": {**count(truth).to_json(), "sha256": "2" * 64}}
        (test / "metrics.json").write_text(json.dumps({"scores": scores, "data": record}))
        jsonl.write(test / "predictions.jsonl", found)
        if gold:
            jsonl.write(test / "gold.jsonl", truth)
    return folder


def curves(folder: Path, version: int, rows: str) -> None:
    """A part of the log of a training."""
    logs = folder / "logs" / f"version_{version}"
    logs.mkdir(parents=True)
    (logs / "metrics.csv").write_text(rows, encoding="utf-8")


def write_corpus(folder: Path) -> Path:
    """A folder as ``generate`` writes it."""
    folder.mkdir(parents=True)
    documents = [GOLD, OTHER]
    jsonl.write(folder / "corpus.jsonl", documents)
    reject = {
        "reason": "a tag is not closed",
        "raw": "Zorvexin <x>for hiccups",
        "source": "r-1",
        "detail": "x",
    }
    (folder / "rejects.jsonl").write_text(json.dumps(reject) + "\n", encoding="utf-8")
    leaks = {"val": {"ngram": 3, "near duplicate": 1, "documents": 2}}
    card = {
        "task": "letters",
        "notes": "Written for a test.",
        "requests": 2,
        "tokens": None,
        "rejected": {"a tag is not closed": 1},
        "curation": {"leak_ngram": 8, "leak_similarity": 0.6, "confidence": False},
        "leaks": {"found": leaks, "not_compared": {"test": "not at hand"}},
        "corpus": balance(documents),
        "vocabulary": {"val": {"types": 0.5, "tokens": 0.9, "unreal_types": 0.1, "mentions of Drug": 0.3}},
        "files": {"corpus.jsonl": "3" * 64},
    }
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder

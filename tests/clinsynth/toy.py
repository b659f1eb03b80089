"""A task that a tiny encoder learns in seconds, and its files."""

from __future__ import annotations

import random
from pathlib import Path

import yaml

from clinsynth.formats import jsonl
from clinsynth_onnx.document import Document, Entity, Relation

DISEASES = ("fever", "pain", "cancer")
OTHERS = ("the drug", "a gene", "of the", "and a", "the")


def note(rng: random.Random, sentences: int) -> Document:
    """Sentences that name diseases here and there."""
    text, entities = "", []
    for _ in range(sentences):
        words = []
        for _ in range(rng.randint(2, 4)):
            words.append(rng.choice(OTHERS))
            if rng.random() < 0.5:
                words.append(rng.choice(DISEASES))
        start = len(text)
        for word in words:
            if word in DISEASES:
                entities.append(Entity(start, start + len(word), "Disease"))
            start += len(word) + 1
        text += " ".join(words) + ". "
        text = text.replace(". a", ". A").replace(". the", ". The").replace(". of", ". Of")
    return Document(text, tuple(entities), id=str(rng.randint(0, 10**9)))


def pair(rng: random.Random) -> Document:
    """A gene and a disease, related if the sentence says "of"."""
    related = rng.random() < 0.5
    gene, link = rng.choice(("a1", "b2", "c3")), "of" if related else "and"
    padding = " ".join(rng.choice(OTHERS) for _ in range(rng.randint(0, 3))).replace("of", "a")
    disease = rng.choice(DISEASES)
    text = f"{gene} {link} {disease} {padding}"
    start = len(gene) + len(link) + 2
    entities = (Entity(0, len(gene), "Gene"), Entity(start, start + len(disease), "Disease"))
    relations = (Relation(0, 1, "Association"),) if related else ()
    return Document(text, entities, relations, str(rng.randint(0, 10**9)))


def write(folder: Path, encoder: str) -> Path:
    """Corpus files and configs for both tasks; returns the folder."""
    rng = random.Random(0)
    tasks = {
        "ner": {"name": "toy_ner", "entities": {"Disease": {}}},
        "re": {
            "name": "toy_re",
            "entities": {"Gene": {}, "Disease": {}},
            "relations": {"Association": {"head": ["Gene"], "tail": ["Disease"]}},
        },
    }
    for kind, task in tasks.items():
        (folder / f"{kind}_task.yaml").write_text(yaml.safe_dump(task), encoding="utf-8")
        files = {}
        for part, size in (("train", 60), ("val", 15), ("test", 21)):
            files[part] = str(folder / f"{kind}_{part}.jsonl")
            made = [note(rng, rng.randint(1, 4)) if kind == "ner" else pair(rng) for _ in range(size)]
            jsonl.write(Path(files[part]), made)
        config = {
            "task": f"{kind}_task.yaml",
            "model": {
                "class_path": "TokenClassification" if kind == "ner" else "RelationExtraction",
                "init_args": {"encoder": encoder, "optimization": {"learning_rate": 3e-3}},
            },
            "data": {"class_path": "Files", "init_args": {**files, "batch_tokens": 256}},
            "trainer": {
                "accelerator": "cpu",
                "devices": 1,
                "precision": "32-true",
                "max_epochs": 4,
                "log_every_n_steps": 1,
                "enable_progress_bar": False,
                "enable_model_summary": False,
            },
        }
        (folder / f"{kind}.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder

"""A folder that transformers loads, and what its pipeline finds beside the bundle."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

from clinsynth.cli import export as command
from clinsynth.exporting import hub
from clinsynth.exporting.agreement import agreement
from clinsynth.formats import jsonl
from clinsynth.models import RelationExtraction, TokenClassification
from clinsynth.models.loading import load_model
from clinsynth_onnx.codec import pad
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.predictor import Predictor
from clinsynth_onnx.schema import Schema
from tests.clinsynth import toy


@pytest.fixture(scope="module")
def exported(tiny_encoder: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run of the toy task with ``bundle`` and ``hub`` beside it."""
    from clinsynth.cli.lightning import main

    folder = toy.write(tmp_path_factory.mktemp("hub"), tiny_encoder)
    rng = random.Random(1)
    hundred = folder / "hundred.jsonl"
    jsonl.write(hundred, [toy.note(rng, rng.randint(1, 4)) for _ in range(100)])
    main(["fit", f"--config={folder / 'ner.yaml'}", f"--run={folder / 'run'}", "--trainer.max_epochs=10"])
    options = [f"--hub-folder={folder / 'hub'}", f"--documents={hundred}", "--max_f1_drop=1"]
    command.main([str(folder / "run"), str(folder / "bundle"), *options])
    return folder


def test_transformers_loads_it_and_computes_the_same(exported: Path) -> None:
    loaded = AutoModelForTokenClassification.from_pretrained(exported / "hub").eval()
    assert loaded.config.id2label == {0: "O", 1: "B-Disease", 2: "I-Disease"}
    model = load_model(exported / "run" / "checkpoints" / "best.ckpt")
    features = model.codec.encode(list(jsonl.read(exported / "ner_test.jsonl")))
    inputs = {name: torch.from_numpy(x) for name, x in pad(features.examples, model.codec.pad_id).items()}
    with torch.inference_mode():
        ours = model(inputs)
        theirs = loaded(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    mask = inputs["attention_mask"].bool()
    torch.testing.assert_close(theirs[mask], ours[mask], atol=1e-4, rtol=1e-4)
    tokenizer = AutoTokenizer.from_pretrained(exported / "hub")
    assert tokenizer.model_max_length == 512 and tokenizer.pad_token == "[PAD]"
    ids = tokenizer("the gene of cancer")["input_ids"]
    assert ids == model.codec.encode([Document("the gene of cancer")]).examples[0].input_ids.tolist()


def test_the_pipeline_finds_what_the_bundle_finds(exported: Path) -> None:
    texts = [document.text.split(". ")[0] for document in jsonl.read(exported / "ner_test.jsonl")]
    tags = pipeline("token-classification", model=str(exported / "hub"), aggregation_strategy="average")
    with Predictor.load(exported / "bundle", variant="fp32") as predictor:
        bundle = [{(e.start, e.end, e.label) for e in d.entities} for d in predictor(texts)]
    assert sum(map(len, bundle)) > 10
    assert [{(e["start"], e["end"], e["entity_group"]) for e in found} for found in tags(texts)] == bundle


def test_on_a_hundred_documents_the_card_tells_that_they_agree(exported: Path) -> None:
    card = (exported / "hub" / "README.md").read_text(encoding="utf-8")
    assert re.search(r"\| a sentence \| 100 of 100 \| (\d+) of \1 \| 0 \| nothing \|", card)
    whole = re.search(r"\| a document \| (\d+) of 100 \|.*\| (.*) \|", card)
    assert whole is not None and (whole[1] == "100") == (whole[2] == "nothing"), "differences are explained"
    assert "pipeline_tag: token-classification" in card


def test_nothing_is_written_over(exported: Path) -> None:
    model = load_model(exported / "run" / "checkpoints" / "best.ckpt")
    with pytest.raises(FileExistsError, match="Remedy"):
        hub.write_hub_folder(model, exported / "hub", [Document("a fever")])


def test_relations_have_no_class_there(tiny_encoder: str, schema: Schema, tmp_path: Path) -> None:
    model = RelationExtraction(schema, tiny_encoder)
    model.setup("fit")
    with pytest.raises(ValueError, match="Remedy: share the bundle"):
        hub.write_hub_folder(model, tmp_path / "hub", [Document("a fever")])
    assert not (tmp_path / "hub").exists()


def test_another_computation_is_not_written(
    tiny_encoder: str, schema: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = TokenClassification(schema, tiny_encoder)
    model.setup("fit")
    other = hub.to_transformers(model)
    torch.nn.init.normal_(other.get_submodule("classifier").get_parameter("bias"))
    monkeypatch.setattr(hub, "to_transformers", lambda _: other)
    with pytest.raises(ValueError, match="computes something else"):
        hub.write_hub_folder(model, tmp_path / "hub", [Document("a fever")])
    assert not (tmp_path / "hub").exists()


def test_causes_are_counted_one_after_the_other() -> None:
    def of(*starts: int) -> list[Document]:
        return [Document("a b c d", tuple(Entity(start, start + 1, "X") for start in starts))]

    found = agreement("a sentence", of(0, 2), [("abbreviations", of(0)), ("tags", of(0, 4, 6))])
    assert (found.entities, found.found, found.both, found.documents_equal) == (2, 3, 1, 0)
    assert found.explained == "1 by abbreviations, 2 by tags"

"""Relations of concepts are learned from one pass, whatever else is in the batch."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning import Trainer, seed_everything
from torch.nn.functional import cross_entropy

from clinsynth.datamodules import Files
from clinsynth.formats import jsonl
from clinsynth.models import ConceptRelations
from clinsynth.models.concept_relations import adaptive_threshold_loss, one_relation_loss
from clinsynth.models.optimization import Optimization
from clinsynth_onnx.codec import IGNORE
from clinsynth_onnx.concept_codec import ConceptCodec
from clinsynth_onnx.concepts import ConceptRelation, concept_relations, with_concept_relations
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import EntityType, RelationType, Schema

SCHEMA = Schema(
    "toy",
    {"Gene": EntityType(), "Disease": EntityType()},
    {
        "Causes": RelationType(head=["Gene"], tail=["Disease"]),
        "Helps": RelationType(head=["Gene"], tail=["Disease"]),
    },
)


def note(rng: random.Random) -> Document:
    """Two genes and two diseases, each mentioned twice; a sentence of its own says what is related."""
    genes, diseases = rng.sample(["a1", "b2", "c3", "d4"], 2), rng.sample(["fever", "pain", "cancer"], 2)
    verbs = {"of": "Causes", "and": "Helps", "the": None}
    sentences, stated = [], []
    for i, gene in enumerate(genes):
        disease, verb = rng.choice(diseases), rng.choice(list(verbs))
        sentences.append(f"{gene} {verb} {disease}.")
        if verbs[verb]:
            stated.append((i, disease, verbs[verb]))
    rest = [*genes, *diseases]
    rng.shuffle(rest)
    text = " ".join([*sentences, " drug ".join(rest) + "."])
    entities, ids, start = [], [], 0
    for word in text.split(" "):
        name = word.rstrip(".")
        if name in (*genes, *diseases):
            label = "Gene" if name in genes else "Disease"
            entities.append(Entity(start, start + len(name), label))
            ids.append(name)
        start += len(word) + 1
    document = Document(text, tuple(entities), id=str(rng.random()), meta={"concepts": ids})
    order = list(dict.fromkeys(ids))
    return with_concept_relations(
        document,
        [ConceptRelation(order.index(genes[i]), order.index(disease), verb) for i, disease, verb in stated],
    )


def test_relations_are_learned_and_a_checkpoint_stands_alone(tiny_encoder: str, tmp_path: Path) -> None:
    rng = random.Random(0)
    files = {}
    for part, size in (("train", 120), ("val", 10), ("test", 40)):
        files[part] = str(tmp_path / f"{part}.jsonl")
        jsonl.write(Path(files[part]), [note(rng) for _ in range(size)])
    seed_everything(0, verbose=False)
    model = ConceptRelations(SCHEMA, tiny_encoder, optimization=Optimization(5e-3))
    data = Files(SCHEMA, **files, batch_tokens=512)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=25,
        limit_val_batches=0,
        gradient_clip_val=1.0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, datamodule=data)
    trainer.save_checkpoint(tmp_path / "trained.ckpt")
    model = ConceptRelations.load_from_checkpoint(tmp_path / "trained.ckpt", map_location="cpu").eval()
    gold = data.task_documents("test")
    found = model.read(gold)
    model.scores.update(found, gold, range(len(gold)))
    assert model.scores.result().flat()["f1"] > 0.9
    assert {r.label for document in found for r in concept_relations(document)} == {"Causes", "Helps"}
    assert model.read(gold, batch_tokens=1) == found, "what else is in a batch does not matter"


def test_the_loss_is_cross_entropy_where_there_is_one_relation() -> None:
    torch.manual_seed(0)
    logits = torch.randn(7, 2)
    related = torch.tensor([0, 1, 1, 0, 0, 1, 0])
    labels = torch.nn.functional.one_hot(related, 2)
    weights = torch.tensor([0.5, 3.0])
    loss = adaptive_threshold_loss(logits, labels, weights)
    assert torch.allclose(loss, cross_entropy(logits, related, weights, reduction="none"))


def test_the_loss_has_each_relation_on_its_side_of_the_threshold() -> None:
    logits = torch.tensor([[0.5, 2.0, -1.0, 7.0, 0.0]])
    labels = torch.tensor([[0, 1, 0, IGNORE, 1]])
    e = torch.exp
    above = e(logits[0, 0]) + e(logits[0, 1]) + e(logits[0, 4])
    expected = -torch.log(e(logits[0, 1]) / above) - torch.log(e(logits[0, 4]) / above)
    expected -= torch.log(e(logits[0, 0]) / (e(logits[0, 0]) + e(logits[0, 2])))
    (loss,) = adaptive_threshold_loss(logits, labels, torch.ones(5))
    assert loss == pytest.approx(float(expected), rel=1e-5)
    padded = torch.cat([labels, torch.full((3, 5), IGNORE)])
    losses = adaptive_threshold_loss(torch.cat([logits, torch.randn(3, 5)]), padded, torch.ones(5))
    assert losses.tolist() == pytest.approx([float(loss), 0, 0, 0])


def test_the_loss_of_relations_that_exclude_each_other_is_a_cross_entropy() -> None:
    logits = torch.randn(3, 4)
    labels = torch.tensor([[0, 0, 1, 0], [1, 0, IGNORE, 0], [IGNORE] * 4])
    weights = torch.tensor([0.5, 1.0, 2.0, 1.0])
    losses = one_relation_loss(logits, labels, weights)
    possible = logits.masked_fill(labels == IGNORE, -torch.inf)
    classes = torch.tensor([2, 0])
    assert torch.allclose(losses[:2], cross_entropy(possible[:2], classes, weights, reduction="none"))
    assert losses[2] == 0


def test_a_pair_does_not_depend_on_the_order_of_mentions_or_on_other_pairs(tiny_encoder: str) -> None:
    model = ConceptRelations(SCHEMA, tiny_encoder)
    model.setup("fit")
    model.eval()
    (example,) = model.codec.encode([note(random.Random(3))]).examples
    rng = np.random.default_rng(0)
    tensors = {
        "input_ids": example.input_ids,
        "attention_mask": np.ones_like(example.input_ids),
        "anchors": example.anchors,
        "marks": example.marks,
        "pairs": example.pairs,
    }
    with torch.inference_mode():
        whole = model({name: torch.from_numpy(x)[None] for name, x in tensors.items()})[0]
        tensors["marks"] = rng.permutation(example.marks)
        tensors["pairs"] = example.pairs[[2]]
        alone = model({name: torch.from_numpy(x)[None] for name, x in tensors.items()})[0]
    assert len(whole) == 4 and whole.std(dim=0).min() > 0
    assert torch.allclose(alone[0], whole[2], atol=1e-6)


def test_label_smoothing_is_refused(tiny_encoder: str) -> None:
    with pytest.raises(ValueError, match=r"Remedy: set 'label_smoothing' to 0"):
        ConceptRelations(SCHEMA, tiny_encoder, optimization=Optimization(label_smoothing=0.1))


@pytest.mark.parametrize("exclusive", [True, False])
def test_settings_reach_codec_and_loss(tiny_encoder: str, exclusive: bool) -> None:
    model = ConceptRelations(
        SCHEMA, tiny_encoder, exclusive=exclusive, threshold=0.6, class_weights={"None": 0.5}
    )
    model.setup("fit")
    codec = model.codec
    assert isinstance(codec, ConceptCodec) and codec.exclusive is exclusive and codec.threshold == 0.6
    logits, labels = torch.randn(1, 2, 3), torch.tensor([[[0, 1, 0], [1, 0, 0]]])
    loss = one_relation_loss if exclusive else adaptive_threshold_loss
    expected = loss(logits, labels, torch.tensor([0.5, 1, 1])).sum()
    assert torch.allclose(model.loss(logits, labels), expected)

"""Models learn, save all they need, and read long documents whole."""

from __future__ import annotations

import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from lightning import Callback, Trainer, seed_everything
from torch.nn.functional import cross_entropy

from clinsynth.datamodules import DocumentDataModule, Files
from clinsynth.datamodules.batches import Batch
from clinsynth.models import RelationExtraction, TokenClassification
from clinsynth.models.encoder_model import EncoderModel
from clinsynth.models.encoders import EncoderOptions
from clinsynth.models.optimization import Optimization
from clinsynth_onnx.codec import IGNORE
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import EntityType, RelationType, Schema
from tests.clinsynth import toy

NER = Schema("toy_ner", {"Disease": EntityType()})
RE = Schema(
    "toy_re",
    {"Gene": EntityType(), "Disease": EntityType()},
    {"Association": RelationType(head=["Gene"], tail=["Disease"])},
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: str) -> Path:
    return toy.write(tmp_path_factory.mktemp("toy"), tiny_encoder)


def files(folder: Path, kind: str, schema: Schema) -> DocumentDataModule:
    names = {split: str(folder / f"{kind}_{split}.jsonl") for split in ("train", "val", "test")}
    return Files(schema, **names, batch_tokens=256)


def fit(
    model: EncoderModel,
    data: DocumentDataModule,
    folder: Path,
    epochs: int,
    callbacks: Sequence[Callback] = (),
) -> Trainer:
    seed_everything(0, verbose=False)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        callbacks=list(callbacks),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    trainer.fit(model, datamodule=data)
    return trainer


class Order(Callback):
    """Keeps the sequences of each step, by epoch."""

    def __init__(self) -> None:
        self.epochs: dict[int, list[list[object]]] = defaultdict(list)

    def on_train_batch_start(self, trainer: Trainer, _: object, batch: Batch, *__: object) -> None:
        self.epochs[trainer.current_epoch].append([chunk["input_ids"].tolist() for chunk in batch.chunks])


def test_a_trainer_mixes_the_sequences_anew_each_epoch(folder: Path, tiny_encoder: str) -> None:
    order = Order()
    model = TokenClassification(NER, encoder=tiny_encoder)
    fit(model, files(folder, "ner", NER), folder, 3, [order])
    first, second, third = order.epochs.values()
    assert first != second != third != first

    def sequences(epoch: list[list[object]]) -> Counter[str]:
        return Counter(
            str([i for i in row if i != model.codec.pad_id]) for s in epoch for c in s for row in c
        )

    assert sequences(first) == sequences(second) == sequences(third)


@pytest.fixture(scope="module")
def checkpoint(folder: Path, tiny_encoder: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model's checkpoint; the encoder that it was built from is gone."""
    copy = tmp_path_factory.mktemp("gone") / "encoder"
    shutil.copytree(tiny_encoder, copy)
    model = TokenClassification(NER, encoder=str(copy), optimization=Optimization(learning_rate=5e-3))
    trainer = fit(model, files(folder, "ner", NER), folder, 20)
    path = folder / "trained.ckpt"
    trainer.save_checkpoint(path)
    shutil.rmtree(copy)
    return path


def test_entities_are_learned_and_a_checkpoint_stands_alone(checkpoint: Path, folder: Path) -> None:
    model = TokenClassification.load_from_checkpoint(checkpoint, map_location="cpu").eval()
    assert model.schema == NER and isinstance(model.optimization, Optimization)
    gold = files(folder, "ner", NER).task_documents("test")
    model.scores.update(model.read(gold), gold, range(len(gold)))
    assert model.scores.result().flat()["strict_f1"] > 0.95


def test_a_checkpoint_of_before_abbreviations_finds_what_it_found(checkpoint: Path, tmp_path: Path) -> None:
    saved = torch.load(checkpoint, weights_only=True)
    assert TokenClassification.load_from_checkpoint(checkpoint).codec.abbreviations
    del saved["hyper_parameters"]["abbreviations"]
    torch.save(saved, tmp_path / "old.ckpt")
    assert not TokenClassification.load_from_checkpoint(tmp_path / "old.ckpt").codec.abbreviations


def test_a_checkpoint_holds_no_pickled_code(checkpoint: Path) -> None:
    assert torch.load(checkpoint, weights_only=True)["hyper_parameters"]["schema"]["name"] == "toy_ner"


@pytest.mark.parametrize("unit", ["sentence", "document"])
def test_a_long_document_is_read_whole(checkpoint: Path, unit: str) -> None:
    model = TokenClassification.load_from_checkpoint(checkpoint, map_location="cpu", unit=unit).eval()
    rng = random.Random(1)
    sentence = "The drug of the fever and a cancer."
    filler = ""
    while len(filler) < 30_000:
        filler += toy.note(rng, 3).text
    long = filler + sentence
    (whole,) = model.read([Document(long, id="long")])
    (alone,) = model.read([Document(sentence)])
    inside = [
        Entity(e.start - len(filler), e.end - len(filler), e.label)
        for e in whole.entities
        if e.start >= len(filler)
    ]
    assert [long[e.start : e.end] for e in whole.entities][-2:] == ["fever", "cancer"]
    assert inside == list(alone.entities)


def test_how_much_is_read_at_once_changes_nothing(checkpoint: Path, folder: Path) -> None:
    model = TokenClassification.load_from_checkpoint(checkpoint, map_location="cpu").eval()
    gold = files(folder, "ner", NER).task_documents("test")
    assert model.read(gold, 1) == model.read(gold, 4096)
    assert model.read([]) == [] and model.read([Document("")]) == [Document("")]


def test_relations_are_learned(folder: Path, tiny_encoder: str) -> None:
    options = Optimization(learning_rate=5e-3, head_learning_rate=1e-2, layer_decay=0.9)
    model = RelationExtraction(RE, encoder=tiny_encoder, marking="markers", optimization=options)
    data = files(folder, "re", RE)
    fit(model, data, folder, 20)
    gold = data.task_documents("test")
    model.eval()
    model.scores.update(model.read(gold), gold, range(len(gold)))
    assert model.scores.result().flat()["f1"] > 0.9


@pytest.mark.parametrize(
    "options",
    [
        EncoderOptions(gradient_checkpointing=True),
        EncoderOptions(freeze_embeddings=False, dropout=0.2, attention_dropout=0.1),
    ],
)
def test_encoder_options(folder: Path, tiny_encoder: str, options: EncoderOptions) -> None:
    model = TokenClassification(
        NER,
        encoder=tiny_encoder,
        encoder_options=options,
        optimization=Optimization(label_smoothing=0.1),
        class_weights={"O": 0.5},
    )
    fit(model, files(folder, "ner", NER), folder, 1)
    assert model.network is not None
    embedding = model.network.get_parameter("encoder.embeddings.word_embeddings.weight")
    assert embedding.requires_grad is not options.freeze_embeddings


def test_a_class_weight_for_an_unknown_class_is_told(folder: Path, tiny_encoder: str) -> None:
    model = TokenClassification(NER, encoder=tiny_encoder, class_weights={"B-Drug": 2.0})
    with pytest.raises(ValueError, match="'B-Drug'; the classes are O, B-Disease, I-Disease"):
        fit(model, files(folder, "ner", NER), folder, 1)


def test_relations_need_relation_types(folder: Path, tiny_encoder: str) -> None:
    with pytest.raises(ValueError, match="has no relation types"):
        fit(RelationExtraction(NER, encoder=tiny_encoder), files(folder, "ner", NER), folder, 1)


def test_a_limit_of_time_alone_is_refused(folder: Path, tiny_encoder: str) -> None:
    model = TokenClassification(NER, encoder=tiny_encoder)
    with pytest.raises(ValueError, match=r"Remedy: set --trainer\.max_epochs"):
        fit(model, files(folder, "ner", NER), folder, -1)


def test_pairs_of_mentions_have_a_direction(tiny_encoder: str) -> None:
    either = Schema("t", {"Gene": EntityType()}, {"Binds": RelationType(["Gene"], ["Gene"], symmetric=True)})
    with pytest.raises(ValueError, match=r"'Binds' is symmetric.*Remedy: --model ConceptRelations"):
        RelationExtraction(either, encoder=tiny_encoder)


def test_weights_and_smoothing_reach_the_loss(tiny_encoder: str) -> None:
    smooth = Optimization(label_smoothing=0.1)
    model = TokenClassification(NER, encoder=tiny_encoder, class_weights={"O": 0.5}, optimization=smooth)
    model.setup("fit")
    logits, labels = torch.randn(2, 3, 3), torch.tensor([[0, 1, IGNORE], [2, 0, 0]])
    expected = cross_entropy(
        logits.flatten(0, 1),
        labels.flatten(),
        weight=torch.tensor([0.5, 1, 1]),
        ignore_index=IGNORE,
        reduction="sum",
        label_smoothing=0.1,
    )
    assert torch.allclose(model.loss(logits, labels), expected)

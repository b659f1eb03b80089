"""A training that starts where another one ended."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest
import torch
from lightning import Trainer, seed_everything

from clinsynth.datamodules import Files
from clinsynth.models import RelationExtraction, TokenClassification
from clinsynth.models.encoder_model import EncoderModel
from clinsynth.models.optimization import Optimization
from clinsynth_onnx.schema import EntityType, RelationType, Schema
from tests.clinsynth import toy

NER = Schema("toy_ner", {"Disease": EntityType()})
OTHER = Schema("other", {"Symptom": EntityType()})
RE = Schema(
    "toy_re",
    {"Gene": EntityType(), "Disease": EntityType()},
    {"Association": RelationType(head=["Gene"], tail=["Disease"])},
)


def trainer(folder: Path, epochs: int) -> Trainer:
    seed_everything(0, verbose=False)
    return Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: str) -> Path:
    return toy.write(tmp_path_factory.mktemp("toy"), tiny_encoder)


@pytest.fixture(scope="module")
def checkpoint(folder: Path, tiny_encoder: str) -> Path:
    model = TokenClassification(NER, tiny_encoder, optimization=Optimization(learning_rate=5e-3))
    first = trainer(folder, 2)
    first.fit(model, datamodule=data(folder, NER))
    path = folder / "run" / "checkpoints" / "best.ckpt"
    first.save_checkpoint(path)
    return path


def data(folder: Path, schema: Schema, kind: str = "ner") -> Files:
    names = {part: str(folder / f"{kind}_{part}.jsonl") for part in ("train", "val", "test")}
    return Files(schema, **names, batch_tokens=256)


def weights(model: EncoderModel) -> dict[str, torch.Tensor]:
    assert model.network is not None
    return model.network.state_dict()


def test_encoder_and_head_are_taken_over(folder: Path, checkpoint: Path, tiny_encoder: str) -> None:
    trained = TokenClassification.load_from_checkpoint(checkpoint, map_location="cpu")
    model = TokenClassification(NER, tiny_encoder, start_from=str(folder / "run"))
    model.setup("fit")
    assert weights(model).keys() == weights(trained).keys()
    assert all(torch.equal(x, weights(trained)[name]) for name, x in weights(model).items())


def test_a_second_training_goes_on_and_its_checkpoint_stands_alone(
    folder: Path, checkpoint: Path, tiny_encoder: str, tmp_path: Path
) -> None:
    start = tmp_path / "start.ckpt"
    shutil.copyfile(checkpoint, start)
    model = TokenClassification(NER, tiny_encoder, start_from=str(start))
    second = trainer(tmp_path, 1)
    second.fit(model, datamodule=data(folder, NER))
    assert second.current_epoch == 1, "progress is its own"
    second.save_checkpoint(tmp_path / "second.ckpt")
    start.unlink()
    alone = TokenClassification.load_from_checkpoint(tmp_path / "second.ckpt", map_location="cpu")
    assert all(torch.equal(x, weights(alone)[name]) for name, x in weights(model).items())
    assert alone.start_from == str(start)


@pytest.mark.parametrize("kind", ["labels", "relations"])
def test_another_head_is_new(
    checkpoint: Path, tiny_encoder: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    trained = TokenClassification.load_from_checkpoint(checkpoint, map_location="cpu")
    model: EncoderModel = (
        TokenClassification(OTHER, tiny_encoder, start_from=str(checkpoint))
        if kind == "labels"
        else RelationExtraction(RE, tiny_encoder, start_from=str(checkpoint))
    )
    with caplog.at_level(logging.INFO, "clinsynth"):
        model.setup("fit")
    assert "only its encoder" in caplog.text
    for name, x in weights(model).items():
        taken = name in weights(trained) and torch.equal(x, weights(trained)[name])
        assert taken is (name.startswith("encoder."))


def test_what_does_not_fit_is_told(checkpoint: Path, tiny_encoder: str, tmp_path: Path) -> None:
    other = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, other)
    tokenizer = other / "tokenizer.json"
    text = tokenizer.read_text(encoding="utf-8")
    tokenizer.write_text(text.replace('"lowercase":true', '"lowercase":false'), encoding="utf-8")
    with pytest.raises(ValueError, match=r"another encoder than the model \(its tokenizer differs\).*Remedy"):
        TokenClassification(NER, str(other), start_from=str(checkpoint)).setup("fit")
    (tmp_path / "no.ckpt").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="is not a checkpoint of clinsynth"):
        TokenClassification(NER, tiny_encoder, start_from=str(tmp_path / "no.ckpt")).setup("fit")
    with pytest.raises(ValueError, match="there is no checkpoint"):
        TokenClassification(NER, tiny_encoder, start_from=str(tmp_path / "none.ckpt")).setup("fit")

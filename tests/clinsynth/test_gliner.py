"""A GLiNER model of random weights, made here, through the same test loop as every other model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clinsynth.cli import lightning as cli
from clinsynth.formats import jsonl
from tests.clinsynth import toy

gliner = pytest.importorskip("gliner", reason="GLiNER is not installed: pip install gliner")


def test_a_gliner_model_is_tested_like_any_other(
    tmp_path: Path, tiny_encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    toy.write(tmp_path, tiny_encoder)
    config = {
        "model_name": tiny_encoder,
        "hidden_size": 32,
        "max_width": 4,
        "max_len": 64,
        "num_rnn_layers": 0,
    }
    gliner.GLiNER.from_config({**config, "span_mode": "markerV0"}).save_pretrained("random")
    model = ["--model=clinsynth.gliner.ZeroShotGLiNER", "--model.name=random", "--model.threshold=0.2"]
    data = ["--data=Files", "--data.test=ner_test.jsonl"]
    cli.main(["test", "--task=ner_task.yaml", *model, *data, "--run=run"])
    metrics = json.loads(Path("run/test-1/metrics.json").read_text(encoding="utf-8"))
    found = list(jsonl.read(Path("run/test-1/predictions.jsonl")))
    gold = list(jsonl.read(Path("ner_test.jsonl")))
    assert [document.text for document in found] == [document.text for document in gold]
    assert metrics["scores"]["support"] == {"Disease": sum(len(document.entities) for document in gold)}
    mentions = [(document.mention(e), e) for document in found for e in document.entities]
    assert mentions, "a low threshold lets random weights find something"
    assert all(text == text.strip() and e.label == "Disease" and 0.2 <= e.score <= 1 for text, e in mentions)


def test_a_model_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clinsynth.gliner import ZeroShotGLiNER
    from clinsynth_onnx.schema import EntityType, Schema

    monkeypatch.chdir(tmp_path)
    model = ZeroShotGLiNER(Schema("toy", {"Disease": EntityType()}), "nowhere")
    with pytest.raises(ValueError, match=r"'nowhere' could not be loaded.*Remedy: name a folder"):
        model.setup("test")

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from lightning import Trainer

from clinsynth.cli.lightning import main
from clinsynth.corpora.base import SPLITS
from clinsynth.datamodules.files import Files
from clinsynth.datamodules.mixture import Mixture
from clinsynth.datamodules.synthetic import Synthetic
from clinsynth.datamodules.written import GeneratedText, RecordedReplies
from clinsynth.formats import jsonl
from clinsynth.llm import batch
from clinsynth.llm.server import Server
from clinsynth.models.relation_extraction import RelationExtraction
from clinsynth.synthesis.answer_form import answer
from clinsynth.synthesis.generate import Generation
from clinsynth.synthesis.plan import PlanSettings
from clinsynth_onnx.document import RELATIONS_NOT_STATED, Document, Entity
from tests.clinsynth.llm.server import Act, Script, ScriptedServer, completion
from tests.clinsynth.synthesis.tasks import ENTITY_TASK, RELATION_TASK, reply


def written(count: int) -> list[Document]:
    words = ["red", "blue", "old", "new", "far", "near", "cold", "warm"]
    return [
        Document(f"Gout {words[i % 8]} {words[i // 8 % 8]} {i}.", (Entity(0, 4, "Disease"),), id=f"s{i}")
        for i in range(count)
    ]


def test_a_tenth_is_held_back(tmp_path: Path) -> None:
    jsonl.write(tmp_path / "corpus.jsonl", written(20))
    data = Synthetic(ENTITY_TASK, corpus=str(tmp_path / "corpus.jsonl"))
    assert (len(data.task_documents("train")), len(data.task_documents("val"))) == (18, 2)
    with pytest.raises(ValueError, match=r"--data\.real"):
        data.task_documents("test")


def test_of_a_few_documents_one_is_held_back(tmp_path: Path) -> None:
    jsonl.write(tmp_path / "corpus.jsonl", written(3))
    data = Synthetic(ENTITY_TASK, corpus=str(tmp_path / "corpus.jsonl"))
    assert (len(data.task_documents("train")), len(data.task_documents("val"))) == (2, 1)
    jsonl.write(tmp_path / "corpus.jsonl", written(1))
    with pytest.raises(ValueError, match="too few"):
        Synthetic(ENTITY_TASK, corpus=str(tmp_path / "corpus.jsonl")).task_documents("train")


def mixed(tmp_path: Path, **of_synthetic: object) -> Mixture:
    jsonl.write(tmp_path / "corpus.jsonl", written(20))
    real = str(tmp_path / "real.jsonl")
    jsonl.write(
        tmp_path / "real.jsonl", [Document("Gout in a real text.", (Entity(0, 4, "Disease"),), id="r")]
    )
    return Mixture(
        ENTITY_TASK,
        [
            lambda schema: Synthetic(schema, corpus=str(tmp_path / "corpus.jsonl"), **of_synthetic),  # type: ignore[arg-type]
            lambda schema: Files(schema, real, real, real),
        ],
    )


def test_synthetic_and_real_text_together(tmp_path: Path) -> None:
    data = mixed(tmp_path)
    assert [len(data.task_documents(split)) for split in SPLITS] == [19, 3, 1]
    real = str(tmp_path / "real.jsonl")
    both = mixed(tmp_path, real=lambda schema: Files(schema, real, real, real), validation="real")
    assert [len(both.task_documents(split)) for split in SPLITS] == [21, 1, 1]
    alone = Mixture(ENTITY_TASK, [lambda schema: Synthetic(schema, corpus=str(tmp_path / "corpus.jsonl"))])
    with pytest.raises(ValueError, match="has a test split"):
        alone.task_documents("test")


def test_a_mixture_asks_where_its_parts_would(tmp_path: Path) -> None:
    data = Mixture(ENTITY_TASK, [lambda schema: Synthetic(schema, GeneratedText())])
    assert not data.prepare_data_per_node


def test_parts_that_are_not_at_hand_are_not_compared(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    leak = Document("These are eight words that the test split has.", id="r")
    answers = answer([*written(19), leak], ENTITY_TASK, "sentence")
    batch.write_replies(tmp_path / "replies.jsonl", [reply(answers)])
    jsonl.write(tmp_path / "test.jsonl", [leak])
    data = Synthetic(
        ENTITY_TASK,
        RecordedReplies([str(tmp_path / "replies.jsonl")]),
        real=lambda schema: Files(schema, test=str(tmp_path / "test.jsonl")),
    )
    data.prepare(["train", "val"])
    assert len(data.task_documents("train")) + len(data.task_documents("val")) == 19
    assert data.record["synthetic"]["not_compared"] == {"val": "not at hand (ValueError)"}
    assert caplog.text.count("Files, val: ") == 1


def test_recorded_replies_are_curated_against_the_real_corpus(tmp_path: Path) -> None:
    documents = written(20)
    leak = Document("These are eight words that the test split has.", id="r")
    answers = answer([*documents, leak, documents[0]], ENTITY_TASK, "sentence")
    batch.write_replies(tmp_path / "replies.jsonl.gz", [reply(answers)])
    jsonl.write(tmp_path / "real.jsonl", [leak])
    real = str(tmp_path / "real.jsonl")
    data = Synthetic(
        ENTITY_TASK,
        RecordedReplies([str(tmp_path / "replies.jsonl.gz")]),
        real=lambda schema: Files(schema, real, real, real),
        validation="real",
    )
    assert len(data.task_documents("train")) == 20 and data.task_documents("val") == data.task_documents(
        "test"
    ) == [leak]
    rejects = data.record["synthetic"]["rejected"]
    assert rejects == {"overlaps the test part of a real corpus": 1, "exact duplicate": 1}


def test_it_asks_before_training(tmp_path: Path) -> None:
    text = json.dumps(answer(written(1), ENTITY_TASK, "document"))
    script: Script = lambda n, b: Act(body=completion(text.replace("Gout", f"Gout {n} {n}x{n}")))  # noqa: E731
    with ScriptedServer(script) as server:
        generation = Generation(PlanSettings(size=4), Server(server.url), cache=tmp_path / "cache")
        data = Synthetic(ENTITY_TASK, GeneratedText(generation, str(tmp_path / "out")))
        data.prepare(["train", "val"])
        assert server.count == 4
        data.prepare(["train", "val"])
        assert server.count == 4
        jsonl.write(tmp_path / "real.jsonl", [Document("A real text.", id="r")])
        real = str(tmp_path / "real.jsonl")
        other = Synthetic(
            ENTITY_TASK,
            GeneratedText(
                Generation(PlanSettings(size=6), Server(server.url), cache=tmp_path / "cache"),
                str(tmp_path / "other"),
            ),
            real=lambda schema: Files(schema, real, real, real),
            validation="real",
        )
        other.prepare(["val"])
        assert server.count == 4, "nothing written is validated on"
    assert (tmp_path / "out" / "card.md").is_file()
    assert not data.prepare_data_per_node


def test_a_relation_model_leaves_out_what_states_no_relations(tmp_path: Path, tiny_encoder: str) -> None:
    pair = Document("VHL in gout.", (Entity(0, 3, "Gene"), Entity(7, 11, "Disease")))
    silent = [Document(f"VHL {i} in gout.", pair.entities, meta=RELATIONS_NOT_STATED) for i in range(3)]
    other = replace(pair, text="VHL or gout.")
    jsonl.write(tmp_path / "corpus.jsonl", [pair, other, *silent])
    data = Synthetic(RELATION_TASK, corpus=str(tmp_path / "corpus.jsonl"))
    data.trainer = Trainer(logger=False, enable_checkpointing=False)
    data.trainer.strategy.connect(RelationExtraction(RELATION_TASK, tiny_encoder))
    assert len(data.documents("train")) == len(data.documents("val")) == 1
    mixture = Mixture(
        RELATION_TASK, [lambda schema: Synthetic(schema, corpus=str(tmp_path / "corpus.jsonl"))]
    )
    mixture.trainer = data.trainer
    assert len(mixture.task_documents("train")) == 1
    files = Files(RELATION_TASK, train=str(tmp_path / "corpus.jsonl"), val=str(tmp_path / "corpus.jsonl"))
    files.trainer = data.trainer
    assert len(files.task_documents("train")) == 2


def test_validation_on_real_text_needs_real_text() -> None:
    with pytest.raises(ValueError, match="needs a corpus"):
        Synthetic(ENTITY_TASK, corpus="a", validation="real")


def test_training_in_a_mixture_by_config(
    tmp_path: Path, tiny_encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    jsonl.write(tmp_path / "corpus.jsonl", written(40))
    (tmp_path / "task.yaml").write_text(yaml.safe_dump(ENTITY_TASK.to_json()))
    files = {"train": "corpus.jsonl", "val": "corpus.jsonl", "test": "corpus.jsonl"}
    real = {"class_path": "Files", "init_args": files}
    synthetic = {"class_path": "Synthetic", "init_args": {"corpus": "corpus.jsonl", "real": real}}
    config = {
        "task": "task.yaml",
        "model": {"class_path": "TokenClassification", "init_args": {"encoder": tiny_encoder}},
        "data": {"class_path": "Mixture", "init_args": {"corpora": [synthetic, real]}},
        "trainer": {"accelerator": "cpu", "devices": 1, "max_epochs": 1, "enable_progress_bar": False},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    main(["fit", "--config", "config.yaml", "--run", "run"])
    record = json.loads((tmp_path / "run" / "data.json").read_text())
    assert [corpus["class"] for corpus in record["corpora"]] == ["Synthetic", "Files"]

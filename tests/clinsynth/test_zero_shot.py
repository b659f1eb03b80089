from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from clinsynth.cli import generate
from clinsynth.cli.lightning import main
from clinsynth.formats import jsonl
from clinsynth.runs.folder import last_test
from clinsynth_onnx.document import Document, Entity, Relation
from tests.clinsynth.llm.server import Act, ScriptedServer, completion
from tests.clinsynth.synthesis.tasks import ENTITY_TASK, RELATION_TASK

CANARY = "zebra4714"
NOTES = [
    Document(f"The {CANARY} had gout. It went.", (Entity(18, 22, "Disease"),), id="a"),
    Document("Mumps came. Nothing else was seen.", (Entity(0, 5, "Disease"),), id="b"),
]
BOTH = (Entity(0, 3, "Gene"), Entity(7, 11, "Disease"))
PAIRS = [
    Document(
        "VHL in gout.",
        (Entity(0, 3, "Gene"), Entity(7, 11, "Disease")),
        (Relation(0, 1, "Association"),),
        "a",
    ),
    Document("VHL or gout.", (Entity(0, 3, "Gene"), Entity(7, 11, "Disease")), (), "b"),
    Document("Only gout.", (Entity(5, 9, "Disease"),), (), "c"),
]


def reader(number: int, body: Mapping[str, Any]) -> Act:
    """Finds gout, changes a sentence with mumps, and relates what "in" joins."""
    user = body["messages"][1]["content"]
    if "VHL" in user:
        stated = [{"label": "Association", "head": "1", "tail": "2"}] if " in " in user else []
        return Act(body=completion(json.dumps({"relations": stated})))
    sentences = [one.replace("gout", "<Disease>gout</Disease>") for one in json.loads(user)["sentences"]]
    return Act(
        body=completion(json.dumps({"sentences": [one.replace("Mumps", "Measles") for one in sentences]}))
    )


def test(folder: Path, task: dict[str, Any], documents: list[Document], url: str, *arguments: str) -> Any:
    jsonl.write(folder / "test.jsonl", documents)
    (folder / "task.yaml").write_text(yaml.safe_dump(task))
    common = ["--task=task.yaml", "--model=ZeroShot", "--model.llm=m", f"--model.server.base_url={url}"]
    common += ["--data=Files", "--data.test=test.jsonl", "--run=run", "--trainer.enable_progress_bar=false"]
    main(["test", *common, *arguments])
    return json.loads((last_test(folder / "run") / "metrics.json").read_text())["scores"]["scores"]


test.__test__ = False  # type: ignore[attr-defined]


def test_it_refuses_to_send_real_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ScriptedServer(reader) as server:
        with pytest.raises(ValueError, match=r"--model\.allow_real_text true"):
            test(tmp_path, ENTITY_TASK.to_json(), NOTES, server.url)
        assert server.count == 0


def test_entities(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    with ScriptedServer(reader) as server:
        for _ in range(2):
            scores = test(
                tmp_path,
                ENTITY_TASK.to_json(),
                NOTES,
                server.url,
                "--model.finds=entities",
                "--model.allow_real_text=true",
            )
            assert scores["strict_precision"]["value"] == 1.0 and scores["strict_recall"]["value"] == 0.5
        assert server.count == 2
    rejects = [json.loads(line) for line in (tmp_path / "run" / "rejects-0.jsonl").read_text().splitlines()]
    assert [one["reason"] for one in rejects] == [
        "a sentence was not repeated as it is",
        "a sentence was left out",
    ]
    assert CANARY not in caplog.text + "".join(capfd.readouterr())


def test_replies_to_generate_annotate_are_replies_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    jsonl.write(tmp_path / "texts.jsonl", NOTES)
    (tmp_path / "task.yaml").write_text(yaml.safe_dump(ENTITY_TASK.to_json()))
    with ScriptedServer(reader) as server:
        asking = ["--llm.model=m", "--allow_real_text=true", f"--server.base_url={server.url}"]
        generate.main(["annotate", "--task=task.yaml", "--texts=texts.jsonl", "--out=out", *asking])
        assert server.count == 2
        test(
            tmp_path,
            ENTITY_TASK.to_json(),
            NOTES,
            server.url,
            "--model.finds=entities",
            "--model.allow_real_text=true",
        )
        assert server.count == 2


def test_relations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ScriptedServer(reader) as server:
        arguments = ["--model.allow_real_text=true", "--model.finds=relations"]
        scores = test(tmp_path, RELATION_TASK.to_json(), PAIRS, server.url, *arguments)
        assert server.count == 2 and scores["f1"]["value"] == 1.0


def test_it_is_not_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    jsonl.write(tmp_path / "train.jsonl", NOTES * 10)
    (tmp_path / "task.yaml").write_text(yaml.safe_dump(ENTITY_TASK.to_json()))
    model = ["--model=ZeroShot", "--model.llm=m", "--model.allow_real_text=true"]
    data = ["--data=Files", "--data.train=train.jsonl", "--run=run"]
    with pytest.raises(ValueError, match="not trained"):
        main(["fit", "--task=task.yaml", *model, *data])


def test_it_has_no_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.ckpt").touch()
    with pytest.raises(ValueError, match=r"ZeroShot has no checkpoints\. Remedy: leave out --ckpt_path"):
        test(tmp_path, ENTITY_TASK.to_json(), NOTES, "http://localhost:9", "--ckpt_path=other.ckpt")

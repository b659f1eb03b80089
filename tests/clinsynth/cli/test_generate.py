from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from clinsynth.cli import generate as command
from clinsynth.formats import jsonl
from clinsynth.llm import batch
from clinsynth.llm.requests import Reply
from clinsynth.runs.exits import INCOMPLETE
from clinsynth_onnx.document import Document, Entity
from tests.clinsynth.llm.server import Act, Script, ScriptedServer, completion
from tests.clinsynth.synthesis.tasks import ENTITY_TASK

CANARY = "zebra4713"


def numbered_text(number: int, body: Mapping[str, Any]) -> Act:
    """A text of its own for each request; the same for the same request."""
    seed = body.get("seed", 0)
    who = f"The {CANARY} {'abcdefghij'[seed % 10] * 3} {seed}"
    text = f"{who} had <Disease>gout {seed}</Disease> on day {seed * 7}."
    return Act(body=completion(json.dumps({"documents": [[f"Title {seed} of {seed * 3}.", text]]})))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "task.yaml").write_text(yaml.safe_dump(ENTITY_TASK.to_json()))
    return tmp_path


@pytest.fixture
def generate(folder: Path) -> Callable[..., int]:
    def run(*arguments: str, script: Script = numbered_text) -> int:
        with ScriptedServer(script) as server:
            try:
                command.main(
                    ["--task", "task.yaml", "--out", "out", "--server.base_url", server.url, *arguments]
                )
            except SystemExit as end:
                assert end.code == INCOMPLETE
            return server.count

    return run


def read(path: str) -> list[Any]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_a_second_run_asks_nothing_and_gives_the_same(generate: Callable[..., int]) -> None:
    assert generate("--plan.size=20") == 20
    first = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    assert set(first) == {
        "plan.jsonl", "replies.jsonl", "corpus.jsonl", "rejects.jsonl", "leaks.jsonl", "card.md", "card.json"
    }  # fmt: skip
    assert len(list(jsonl.read(Path("out/corpus.jsonl")))) == 20
    assert generate("--plan.size=20") == 0
    assert {path.name: path.read_bytes() for path in Path("out").iterdir()} == first
    assert generate("--plan.size=25") == 5


def test_the_card_and_the_output_hold_no_text(
    generate: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    generate("--plan.size=5", "--notes", "Written by nobody.")
    card = Path("out/card.json").read_text() + Path("out/card.md").read_text()
    assert CANARY not in card + "".join(capfd.readouterr()) and "Written by nobody." in card
    assert json.loads(Path("out/card.json").read_text())["tokens"] == {
        "prompt": 500, "answer": 250, "replies_counted": 5
    }  # fmt: skip


def test_failures_are_in_the_ledger_and_asked_again(generate: Callable[..., int]) -> None:
    def script(number: int, body: Mapping[str, Any]) -> Act:
        return (
            Act(400, {"error": {"code": "content_filter"}})
            if body["seed"] == 2
            else numbered_text(number, body)
        )

    assert generate("--plan.size=5", script=script) == 5
    (reject,) = read("out/rejects.jsonl")
    assert reject["reason"] == "there is no reply" and reject["source"].startswith("letters-document-00002-")
    assert reject["detail"] == "status 400 (content_filter)"
    assert generate("--plan.size=5") == 1 and read("out/rejects.jsonl") == []


def test_a_run_without_any_reply_is_accounted_for_too(generate: Callable[..., int]) -> None:
    assert generate("--plan.size=2", script=lambda n, b: Act(400, {"error": {}})) == 2
    assert [one["detail"] for one in read("out/rejects.jsonl")] == ["status 400"] * 2
    assert read("out/corpus.jsonl") == []


def test_what_the_second_pass_does_not_confirm_goes(generate: Callable[..., int]) -> None:
    def script(number: int, body: Mapping[str, Any]) -> Act:
        system, user = (one["content"] for one in body["messages"])
        if "Repeat each sentence" not in system:
            return numbered_text(number, body)
        sentences = json.loads(user)["sentences"]
        tagged = [
            re.sub(r"(gout \d+)", r"<Disease>\1</Disease>", one) if "gout 3" not in one else one
            for one in sentences
        ]
        return Act(body=completion(json.dumps({"sentences": tagged})))

    assert generate("--plan.size=5", "--second_pass=true", script=script) == 10
    (reject,) = read("out/rejects.jsonl")
    assert reject["reason"] == "the second pass disagrees" and "gout 3" in reject["raw"]
    card = json.loads(Path("out/card.json").read_text())
    assert card["curation"]["second_pass"] and card["tokens"]["replies_counted"] == 10
    assert len(read("out/second_pass_plan.jsonl")) == len(read("out/second_pass_replies.jsonl")) == 5
    texts = [one["text"] for one in read("out/corpus.jsonl")]
    assert len(texts) == 5 and sum("gout" in text for text in texts) == 4


def test_a_critic_names_the_rule_that_decides(generate: Callable[..., int]) -> None:
    def script(number: int, body: Mapping[str, Any]) -> Act:
        system, user = (one["content"] for one in body["messages"])
        if "Two annotators" in system:
            asked = json.loads(user)["disagreements"]
            said = [
                {"disagreement": one["disagreement"], "right": "first", "rule": "Disease 0"} for one in asked
            ]
            return Act(body=completion(json.dumps({"judgements": said})))
        if "Repeat each sentence" not in system:
            return numbered_text(number, body)
        return Act(body=completion(user))

    assert generate("--plan.size=3", "--second_pass=true", "--critic=true", script=script) == 9
    rejects = read("out/rejects.jsonl")
    assert len(rejects) == 3
    assert all(one["detail"].endswith("; by Disease 0 the first pass is right") for one in rejects)
    card = json.loads(Path("out/card.json").read_text())
    assert list(card["disagreements"].values()) == [{"first right": 3}]
    assert len(read("out/critic_plan.jsonl")) == len(read("out/critic_replies.jsonl")) == 3
    assert "critic_plan.jsonl" in card["files"] and card["tokens"]["replies_counted"] == 9


def test_failures_of_the_first_pass_count_with_a_second_pass(
    generate: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    def script(number: int, body: Mapping[str, Any]) -> Act:
        return Act(400, {"error": {}}) if body.get("seed") == 2 else numbered_text(number, body)

    generate("--plan.size=4", "--second_pass=true", script=script)
    assert "1 requests failed: status 400" in capsys.readouterr().out
    assert read("out/rejects.jsonl")[0]["detail"] == "status 400"


def test_the_audit_takes_out_what_a_real_corpus_has(generate: Callable[..., int], folder: Path) -> None:
    real = [
        Document(
            f"It is known that the {CANARY} ccc 2 had gout 2 on day 14.", (Entity(0, 2, "Disease"),), id="r1"
        )
    ]
    jsonl.write(folder / "real.jsonl", real)
    real_corpus = {
        "class_path": "Files",
        "init_args": {"train": "real.jsonl", "val": "real.jsonl", "test": "real.jsonl"},
    }
    (folder / "real.yaml").write_text(yaml.safe_dump({"real": real_corpus}))
    generate("--plan.size=5", "--config", "real.yaml")
    assert [one["reason"] for one in read("out/rejects.jsonl")] == ["overlaps the test part of a real corpus"]
    assert {(one["split"], one["real"], one["kind"]) for one in read("out/leaks.jsonl")} >= {
        (split, "r1", "ngram") for split in ("train", "val", "test")
    }
    command.main(["audit", "--task=task.yaml", "--corpus=out/corpus.jsonl", "--config", "real.yaml"])
    (folder / "bare.tsv").write_text("gout\tB\n", encoding="utf-8")
    with pytest.raises(ValueError, match="--label"):
        command.main(["audit", "--task=task.yaml", "--corpus=bare.tsv", "--config", "real.yaml"])
    command.main(
        ["audit", "--task=task.yaml", "--corpus=bare.tsv", "--config", "real.yaml", "--label=Disease"]
    )


def test_plan_and_replies_travel(
    generate: Callable[..., int], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generate("--plan.size=5")
    corpus = Path("out/corpus.jsonl").read_bytes()
    for name in ("plan.jsonl", "replies.jsonl"):
        shutil.move(f"out/{name}", name)
    shutil.rmtree(".clinsynth")
    command.main(["import", "--plan_file=plan.jsonl", "--replies=replies.jsonl"])
    command.main(["--task=task.yaml", "--out=again", "--plan_file=plan.jsonl"])
    assert Path("again/corpus.jsonl").read_bytes() == corpus
    batch.write_replies(Path("others.jsonl"), [Reply("stranger", 200, completion())])
    with pytest.raises(ValueError, match="'stranger', belong to no request"):
        command.main(["import", "--plan_file=plan.jsonl", "--replies=others.jsonl"])
    with pytest.raises(ValueError, match="two plans"):
        command.main(["import", "--plan_file=[plan.jsonl,plan.jsonl]", "--replies=replies.jsonl"])
    capsys.readouterr()
    command.main(["explain", "--task=task.yaml", "--plan.size=5", "--plan.temperature=0.1"])
    assert "5  temperature is 0.1, the cached reply has 1.0" in capsys.readouterr().out
    command.main(["--task=task.yaml", "--out=x", "--dry-run", "--plan.size=8"])
    assert "8 requests, 5 answered from the cache" in capsys.readouterr().out
    assert not Path("x").exists()


def test_seeds_are_proposed_by_the_model(generate: Callable[..., int], folder: Path) -> None:
    def script(number: int, body: Mapping[str, Any]) -> Act:
        return Act(body=completion('{"Gene": ["VHL", "vhl"], "Disease": ["gout", 3], "Drug": ["x"]}'))

    with ScriptedServer(script) as server:
        command.main(["seeds", "--task=task.yaml", "--out=seeds.json", "--server.base_url", server.url])
        assert server.count == 3
    assert json.loads(Path("seeds.json").read_text()) == {
        topic: {"Gene": ["VHL"], "Disease": ["gout"]} for topic in "abc"
    }
    assert not Path("seeds.json.rejects.jsonl").exists()
    command.main(
        ["plan", "--task=task.yaml", "--out=plan.jsonl.gz", "--plan.size=1", "--plan.seeds=seeds.json"]
    )
    (request,) = batch.read_plan(Path("plan.jsonl.gz"))
    assert "gout" in request.body["messages"][1]["content"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: x", "lacks the key 'entities'"),
        ("name: x\nentities: {A: {colour: red}}", "colour"),
        (None, "no such task file"),
    ],
)
def test_a_bad_task_is_told(folder: Path, text: str | None, told: str) -> None:
    if text is not None:
        (folder / "bad.yaml").write_text(text)
    with pytest.raises(ValueError, match=told):
        command.main(["--task=bad.yaml", "--out=x"])

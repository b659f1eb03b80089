"""Real texts go to a language model only where that is allowed, and come back as a training corpus."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from clinsynth.cli import generate as command
from clinsynth.formats import jsonl
from clinsynth.runs.exits import INCOMPLETE
from clinsynth_onnx.document import Document, Entity
from tests.clinsynth.llm.server import Act, Script, ScriptedServer, completion
from tests.clinsynth.synthesis.tasks import ENTITY_TASK

CANARY = "zebra4715"
TEXTS = [
    Document(f"The {CANARY} had gout. It went.", (Entity(0, 3, "Gene"),), id="a", meta={"concepts": ["G77"]}),
    Document("Mumps came. She had gout for years.", id="b"),
]
ALLOWED = "--allow_real_text=true"


def finder(number: int, body: Mapping[str, Any]) -> Act:
    """Finds gout, and changes sentences with mumps."""
    sentences = json.loads(body["messages"][1]["content"])["sentences"]
    tagged = [one.replace("gout", "<Disease>gout</Disease>").replace("Mumps", "Measles") for one in sentences]
    return Act(body=completion(json.dumps({"sentences": tagged})))


@dataclass(frozen=True)
class Asked:
    """What a call of the command did.

    Args:
        code: Its exit code.
        bodies: The requests that the server got.
    """

    code: int
    bodies: list[Mapping[str, Any]]


@pytest.fixture
def annotate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Asked]:
    monkeypatch.chdir(tmp_path)
    Path("task.yaml").write_text(yaml.safe_dump(ENTITY_TASK.to_json()))
    jsonl.write(Path("texts.jsonl"), TEXTS)

    def run(*arguments: str, texts: str = "texts.jsonl", script: Script = finder) -> Asked:
        code = 0
        common = ["annotate", "--task=task.yaml", f"--texts={texts}", "--out=out", "--llm.model=m"]
        with ScriptedServer(script) as server:
            try:
                command.main([*common, f"--server.base_url={server.url}", *arguments])
            except SystemExit as end:
                assert isinstance(end.code, int)
                code = end.code
            return Asked(code, server.bodies)

    return run


def lines(name: str) -> list[Any]:
    return [json.loads(line) for line in Path("out", name).read_text().splitlines()]


def test_without_the_switch_it_says_what_would_leave_the_machine(annotate: Callable[..., Asked]) -> None:
    told = r"sends 2 texts of 67 characters, without their labels, to the server .*--allow_real_text true"
    with pytest.raises(ValueError, match=told):
        annotate()
    assert not Path("out").exists()


def test_a_dry_run_and_a_replay_send_nothing_and_need_no_leave(
    annotate: Callable[..., Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    assert annotate("--dry_run").bodies == [] and not Path("out").exists()
    assert "2 requests, 0 answered from the cache" in capsys.readouterr().out
    replay = annotate("--replay")
    assert replay.bodies == [] and replay.code == INCOMPLETE
    assert len(lines("plan.jsonl")) == 2 and lines("corpus.jsonl") == []
    assert [(one["reason"], one["source"], one["detail"]) for one in lines("rejects.jsonl")] == [
        ("the request failed", name, "nothing was to be asked") for name in "ab"
    ]


def test_it_writes_a_corpus_and_a_ledger_of_what_cannot_be_placed(
    annotate: Callable[..., Asked], capfd: pytest.CaptureFixture[str]
) -> None:
    assert annotate(ALLOWED, "--notes=Public letters.").code == 0
    assert {path.name for path in Path("out").iterdir()} == {
        "plan.jsonl", "replies.jsonl", "corpus.jsonl", "rejects.jsonl", "card.md", "card.json"
    }  # fmt: skip
    assert list(jsonl.read(Path("out/corpus.jsonl"))) == [
        Document(TEXTS[0].text, (Entity(18, 22, "Disease"),), id="a"),
        Document("She had gout for years.", (Entity(8, 12, "Disease"),), id="b"),
    ]
    assert [(one["reason"], one["raw"], one["source"]) for one in lines("rejects.jsonl")] == [
        ("a sentence was not repeated as it is", "Measles came.", "b"),
        ("a sentence was left out", "Mumps came. ", "b"),
        ("taken out, as nothing is known of its mentions", "Mumps came. ", "b"),
    ]
    card = json.loads(Path("out/card.json").read_text())
    assert card["origin"].startswith("a language model annotated real text")
    assert card["texts_given"] == 2 and card["corpus"]["documents"] == 2 and card["requests"] == 2
    assert card["asked_of"] == {"m": 2} and card["answered_by"] == {"scripted": 2}
    assert len(card["prompts"]["system_sha256"]) == 1 and sum(card["rejected"].values()) == 3
    page = Path("out/card.md").read_text()
    assert (
        page.startswith("# Real text annotated by a language model for letters") and "Public letters." in page
    )
    assert CANARY not in page + json.dumps(card) + "".join(capfd.readouterr())


def test_labels_are_never_in_requests(annotate: Callable[..., Asked]) -> None:
    labelled = annotate(ALLOWED, "--cache=first").bodies
    jsonl.write(Path("texts.jsonl"), [Document(document.text) for document in TEXTS])
    assert annotate(ALLOWED, "--cache=second").bodies == labelled
    asked = json.dumps([body["messages"][1] for body in labelled])
    assert CANARY in asked and "Gene" not in asked and "G77" not in asked


def test_a_second_run_asks_nothing_and_gives_the_same(annotate: Callable[..., Asked]) -> None:
    assert len(annotate(ALLOWED).bodies) == 2
    first = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    assert annotate(ALLOWED).bodies == [] and annotate("--replay").bodies == []
    assert {path.name: path.read_bytes() for path in Path("out").iterdir()} == first


def test_a_failure_is_in_the_ledger_and_asked_again(annotate: Callable[..., Asked]) -> None:
    def script(number: int, body: Mapping[str, Any]) -> Act:
        failing = "Mumps" in body["messages"][1]["content"]
        return Act(400, {"error": {"code": "content_filter"}}) if failing else finder(number, body)

    assert annotate(ALLOWED, script=script).code == INCOMPLETE
    (reject,) = lines("rejects.jsonl")
    assert (reject["reason"], reject["source"]) == ("the request failed", "b")
    assert [document.id for document in jsonl.read(Path("out/corpus.jsonl"))] == ["a"]
    assert len(annotate(ALLOWED).bodies) == 1 and len(list(jsonl.read(Path("out/corpus.jsonl")))) == 2


def test_answers_that_are_cut_off_are_told_with_the_option_that_helps(
    annotate: Callable[..., Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    def script(number: int, body: Mapping[str, Any]) -> Act:
        return Act(body=completion('{"sentences": ["The', finish="length"))

    assert annotate(ALLOWED, script=script).code == INCOMPLETE
    assert "give them more room (--llm.max_tokens)" in capsys.readouterr().out


def test_texts_come_from_files_and_folders_of_any_format(annotate: Callable[..., Asked]) -> None:
    Path("folder").mkdir()
    Path("folder/note.txt").write_text("She had gout.")
    Path("p.pubtator").write_text("7|t|No gout here.\n7|a|None.\n7\t3\t7\tgout\tGene\tG77\n\n")
    asked = annotate(ALLOWED, texts="[texts.jsonl,folder,p.pubtator]")
    assert asked.code == 0 and len(asked.bodies) == 4
    documents = list(jsonl.read(Path("out/corpus.jsonl")))
    assert len(documents) == 4
    assert all([document.mention(one) for one in document.entities] == ["gout"] for document in documents)

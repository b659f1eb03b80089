"""The command itself: cells are run once, in processes of their own, and a table that was killed goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from clinsynth.cli import generate, reproduce
from clinsynth.curation.leaks import audit
from clinsynth.formats import jsonl
from clinsynth.reproducing import results
from clinsynth.reproducing.cell import Table
from clinsynth.reproducing.filling import chosen
from clinsynth.reproducing.plan import CorpusPlan, Row, Settings, cells
from clinsynth.reproducing.steps import Offered
from clinsynth.runs.exits import INCOMPLETE, INTERRUPTED
from clinsynth.runs.folder import SHARED
from tests.clinsynth import toy
from tests.clinsynth.llm.server import completion
from tests.conftest import REPOSITORY

EPOCHS = {"trainer": {"max_epochs": "$epochs", "check_val_every_n_epoch": "$epochs"}}


@pytest.fixture
def plan(tmp_path: Path, tiny_encoder: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A table of one corpus whose "written" text is made up like its real one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "export")]))
    monkeypatch.delenv(SHARED, raising=False)
    toy.write(tmp_path, tiny_encoder)
    files = {part: f"ner_{part}.jsonl" for part in ("train", "val", "test")}
    test = list(jsonl.read(tmp_path / files["test"]))
    written = [*list(jsonl.read(tmp_path / files["train"]))[:30], test[0]]
    jsonl.write(tmp_path / "written.jsonl", written)
    return {
        "rows": {
            "written": {
                "title": "written text",
                "config": "ner.yaml",
                "settings": {
                    **EPOCHS,
                    "data": {
                        "class_path": "Synthetic",
                        "init_args": {"corpus": "$written", "real": "$real", "validation": "real"},
                    },
                },
                "export": True,
                "curve": "written text",
            },
            "then": {
                "title": "both",
                "config": "ner.yaml",
                "settings": {
                    **EPOCHS,
                    "data": "$some",
                    "model": {"init_args": {"start_from": "$run.written"}},
                },
            },
        },
        "corpora": {
            "toy": {
                "title": "Toy",
                "scored_on": "21 notes",
                "scores": {"F1": "strict_f1"},
                "task": "ner_task.yaml",
                "real": {"class_path": "Files", "init_args": files},
                "written": "written.jsonl",
                "rows": {"written": 4, "then": {10: 2}},
            }
        },
    }


def write(plan: dict[str, Any]) -> str:
    Path("plan.yaml").write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    return "--config=plan.yaml"


def table_of(plan: dict[str, Any]) -> Table:
    """The table of a plan, as the command makes it."""
    corpora = {
        name: CorpusPlan(**{**corpus, "real": Settings(corpus["real"])})
        for name, corpus in plan["corpora"].items()
    }
    rows = {name: Row(**{**row, "settings": Settings(row["settings"])}) for name, row in plan["rows"].items()}
    return Table(corpora, rows, Path("runs/reproduce"), Offered())


def folder_of(name: str) -> Path:
    (found,) = Path("runs/reproduce/cells/toy").glob(f"{name}-*")
    return found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_table_is_filled_once(plan: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    arguments = [write(plan), "--record=docs/reproduce.json", "--pages=[page.md]"]
    Path("page.md").write_text("<!-- table: reproduce -->\n<!-- end of table -->\n", encoding="utf-8")
    reproduce.main(arguments)
    assert "2 of 2 cells have a result" in capfd.readouterr().out
    lines = {line.row: line for line in results.read(Path("docs/reproduce.json"))}
    written, then = lines["written"], lines["then"]
    assert written.learned == {**(written.learned or {}), "documents": 31} and written.documents == 21
    leaks = audit(list(jsonl.read(Path("written.jsonl"))), {"test": list(jsonl.read(Path("ner_test.jsonl")))})
    overlapping = {leak.document for leak in leaks}
    assert 30 in overlapping, "the last written text is that of a test document"
    assert written.overlap == {"texts": 31, "overlapping": len(overlapping)}
    assert then.learned is not None and then.learned["documents"] == 10
    assert then.overlap is not None, "it starts from a run that learned the written text"
    assert then.overlap["overlapping"] >= len(overlapping)
    assert (
        written.minutes is not None and written.ms_per_document is not None and then.ms_per_document is None
    )
    (metrics,) = folder_of("written-seed0").glob("run/checkpoints/test-1/metrics.json")
    told = json.loads(metrics.read_text(encoding="utf-8"))["scores"]["scores"]["strict_f1"]
    score = written.scores["strict_f1"]
    assert (score.mean, score.low, score.high) == pytest.approx((told["value"], told["low"], told["high"]))
    assert f"| written text | {score.mean:.3f} (" in Path("page.md").read_text(encoding="utf-8")
    (fit, export, test) = written.commands
    assert fit.startswith("clinsynth fit --config=ner.yaml --config=runs/reproduce/cells/toy/written-seed0-")
    assert export.startswith("clinsynth export ") and "--ckpt_path=best" in test
    kept = {path.name for path in Path("runs/reproduce").rglob("*.ckpt")}
    assert kept == {"best.ckpt"} and len(list(Path("runs/reproduce").rglob("best.ckpt"))) == 1

    before = {path: path.stat().st_mtime_ns for path in Path("runs/reproduce/cells").rglob("*")}
    start = time.monotonic()
    reproduce.main(arguments)
    assert time.monotonic() - start < 5 and "2 of 2 cells" in capfd.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in Path("runs/reproduce/cells").rglob("*")}

    plan["corpora"]["toy"]["rows"]["written"] = 5
    reproduce.main([write(plan), "--dry_run"])
    assert capfd.readouterr().out.count("to be run") == 2, "what starts from a changed cell changes too"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_weights_that_are_gone_are_made_again_for_a_row_that_wants_them(
    plan: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    plan["rows"]["written"]["export"] = False
    then = plan["rows"].pop("then")
    rows = plan["corpora"]["toy"]["rows"]
    plan["corpora"]["toy"]["rows"] = {"written": 1}
    reproduce.main([write(plan)])
    assert not list(Path("runs").rglob("*.ckpt")), "nothing starts from it"
    plan["rows"]["then"], plan["corpora"]["toy"]["rows"] = then, {**rows, "written": 1}
    reproduce.main([write(plan)])
    assert "2 of 2 cells have a result" in capfd.readouterr().out


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_an_export_that_was_stopped_at_its_very_end_is_done_again(
    plan: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    plan["corpora"]["toy"]["rows"] = {"written": 1}
    reproduce.main([write(plan)])
    folder = folder_of("written-seed0")
    (folder / "result.json").unlink()
    attempts = (folder / "attempts.jsonl").read_text(encoding="utf-8").splitlines()
    ended = next(
        i for i, line in enumerate(attempts) if json.loads(line)["step"] == "export" and "ended" in line
    )
    (folder / "attempts.jsonl").write_text(
        "".join(f"{line}\n" for line in attempts[:ended]), encoding="utf-8"
    )
    reproduce.main([write(plan)])
    assert capfd.readouterr().out.count("1 of 1 cells have a result") == 2


def test_files_in_folders_change_what_reads_them(
    plan: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """Those of the corpus, and those that a row names."""
    for folder in ("real", "more"):
        Path(folder).mkdir()
        Path(folder, "a.jsonl").write_bytes(Path("ner_test.jsonl").read_bytes())
    plan["corpora"]["toy"]["real"]["init_args"]["test"] = "real"
    plan["rows"]["written"]["settings"]["data"]["init_args"]["corpus"] = "more"
    keys = []
    for changed in (None, "real/b.jsonl", "more/b.jsonl"):
        if changed:
            Path(changed).touch()
        table = table_of(plan)
        (written, _) = cells(table.corpora, table.rows, [0])
        keys.append(table.folder(written))
    assert len(set(keys)) == 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_cells_that_are_run_at_once_share_the_cores_and_wait_for_what_they_start_from(
    plan: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    reproduce.main([write(plan), "--at_once=2", "--seeds=[0,1]"])
    told = capfd.readouterr().out
    assert "4 of 4 cells have a result" in told
    order = [line for line in told.splitlines() if ": " in line]
    assert order[:2] == ["toy/written-seed0: fit", "toy/written-seed1: fit"], "both at the same time"
    for seed in (0, 1):
        assert order.index(f"toy/written-seed{seed}: test") < order.index(f"toy/then-10-seed{seed}: fit")
    (line,) = [line for line in results.read(Path("runs/reproduce/results.json")) if line.row == "written"]
    assert line.seeds == [0, 1] and line.ms_per_document is not None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_rows_learn_from_training_texts_that_a_language_model_annotated(
    plan: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """The recording holds a half of the texts, with the first word of each sentence marked."""
    asking = [
        "annotate",
        "--task=ner_task.yaml",
        "--texts=ner_train.jsonl",
        "--out=asked",
        "--llm.model=recorded",
    ]
    with pytest.raises(SystemExit):
        generate.main([*asking, "--replay=true"])
    recording = Path("recorded/toy_train")
    recording.mkdir(parents=True)
    requests = [
        json.loads(line) for line in Path("asked/plan.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    half = requests[: len(requests) // 2]
    for name, values in (("plan", requests), ("replies", [annotated(request) for request in half])):
        text = "".join(json.dumps(value) + "\n" for value in values)
        (recording / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (Path("recorded") / "toy_test").mkdir()
    (Path("recorded") / "toy_test" / "replies.jsonl").touch()
    toy_plan = plan["corpora"]["toy"]
    toy_plan |= {"recorded": "toy_test", "annotated": "toy_train", "rows": {"annotated": 1}}
    row = {**plan["rows"].pop("written"), "title": "annotated text", "export": False}
    row["settings"]["data"]["init_args"]["corpus"] = "$cell/annotated/corpus.jsonl"
    plan["rows"] = {"annotated": row}
    reproduce.main([write(plan)])
    assert "no annotations of training texts are recorded" in capfd.readouterr().out
    reproduce.main([write(plan), "--recorded=recorded"])
    assert "1 of 1 cells have a result" in capfd.readouterr().out
    (line,) = results.read(Path("runs/reproduce/results.json"))
    assert line.learned is not None and line.learned["documents"] == len(half)
    assert [command.split()[1] for command in line.commands] == ["generate", "generate", "fit", "test"]


def annotated(request: dict[str, Any]) -> dict[str, Any]:
    """A recorded answer: the first word of each sentence is marked."""
    sentences = json.loads(request["body"]["messages"][1]["content"])["sentences"]
    marked = [re.sub(r"^\w+", r"<Disease>\g<0></Disease>", sentence) for sentence in sentences]
    body = completion(json.dumps({"sentences": marked}))
    return {"custom_id": request["custom_id"], "response": {"status_code": 200, "body": body}, "error": None}


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["SIGKILL", "SIGINT", "SIGTERM"])
def test_a_table_that_was_stopped_goes_on_in_the_middle_of_a_training(
    plan: dict[str, Any], killed: str
) -> None:
    """SIGKILL and Ctrl-C (SIGINT) come to the training too, SIGTERM to the table alone."""
    del plan["corpora"]["toy"]["rows"]["then"]
    row = plan["rows"]["written"]
    row["export"] = False
    row["settings"]["last_checkpoint"] = {"every_n_train_steps": 5}
    plan["corpora"]["toy"]["rows"]["written"] = 40
    command = [sys.executable, "-m", "clinsynth", "reproduce", write(plan), "--at_once=2"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    last = None
    try:
        while last is None and first.poll() is None:
            time.sleep(0.1)
            last = next(Path("runs").rglob("last.ckpt"), None)
    finally:
        stopped = time.time()
        if killed == "SIGTERM":
            first.terminate()
        else:
            os.killpg(first.pid, signal.Signals[killed])
    assert first.wait() == (-signal.SIGKILL if killed == "SIGKILL" else INTERRUPTED)
    assert last is not None and not list(Path("runs").rglob("result.json"))
    assert last.stat().st_mtime > stopped or killed == "SIGKILL", "the training has saved where it is"
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "1 of 1 cells have a result" in done.stdout
    (line,) = results.read(Path("runs/reproduce/results.json"))
    assert [command.count("--ckpt_path=last") for command in line.commands if " fit " in command] == [0, 1]
    assert line.minutes is None, "the time of a training that was stopped is not known"


def test_a_cell_that_fails_is_told_and_the_others_are_run(
    plan: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    plan["rows"]["written"]["settings"]["data"]["init_args"]["validation"] = "nothing"
    plan["rows"]["written"]["title"] = "broken"
    with pytest.raises(SystemExit) as stopped:
        reproduce.main([write(plan)])
    told = capfd.readouterr().out
    assert stopped.value.code == INCOMPLETE and "0 of 2 cells have a result" in told
    assert "failed: fit ended with exit code 2" in told and "what it starts from failed" in told
    table = Path("runs/reproduce/table.md").read_text(encoding="utf-8")
    assert "| broken | not run |" in table


def test_only_what_is_named_is_run_with_what_it_needs(plan: dict[str, Any]) -> None:
    rows = {
        name: Row(name, "", Settings({"x": f"$run.{need}"} if need else {}))
        for name, need in (("a", ""), ("b", "a"), ("c", "b"), ("d", ""))
    }
    corpora = {
        name: CorpusPlan(name, "", {}, "", Settings(), rows=dict.fromkeys(rows, 1)) for name in ("one", "two")
    }
    planned = list(cells(corpora, rows, [0]))
    named = lambda only: [f"{cell.corpus}/{cell.row}" for cell in chosen(planned, only)]  # noqa: E731
    assert named(["one/c"]) == ["one/a", "one/b", "one/c"]
    assert named(["d"]) == ["one/d", "two/d"]
    assert len(named(["two"])) == 4 and len(named([])) == 8
    with pytest.raises(ValueError, match=r"no cell of 'e'\. There are a, b"):
        named(["e"])
    table = Table(corpora, rows, Path("out"), Offered())
    for cell in planned:
        table._folders[cell.corpus, cell.row, cell.seed, cell.fold] = Path(cell.corpus, cell.row)
    (last,) = [cell for cell in planned if (cell.corpus, cell.row) == ("one", "c")]
    assert table._origins(last) == [Path("one/b/run"), Path("one/a/run")], (
        "what it learned, and what that did"
    )

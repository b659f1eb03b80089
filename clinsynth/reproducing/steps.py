"""The commands of a cell: what a user would type for the same result."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from clinsynth.reproducing.fingerprint import within
from clinsynth.reproducing.gold import training_file
from clinsynth.reproducing.plan import ANNOTATED, CELL, RUN, Cell, CorpusPlan, Row, Settings, at_fold, texts
from clinsynth.runs.exits import INCOMPLETE

SETTINGS, ANSWERS = "settings.yaml", "answers"
RECORDED = "recorded"  # name of a language model that is never asked
RUN_FOLDER, BUNDLE = "run", "bundle"
NOWHERE = {
    "base_url": "http://127.0.0.1:9/v1",
    "retries": 0,
}  # recorded answers are all there is: nobody is asked
QUIET = {"enable_progress_bar": False, "enable_model_summary": False}


@dataclass(frozen=True)
class Offered:
    """What is at hand for the rows that are not trained.

    Args:
        recorded: Folder of recorded answers: NAME/plan.jsonl, replies.jsonl and, if it differs, task.yaml.
        llm: Options of ``ZeroShot`` for a language model that is asked where nothing is recorded.
        gliner: Folder or hub id of a GLiNER model.
    """

    recorded: Path | None = None
    llm: Settings | None = None
    gliner: str | None = None


@dataclass(frozen=True)
class Step:
    """A command.

    Attributes:
        name: What it is for: ``import``, ``annotate``, ``fit``, ``export``, ``test``, ``test-fold1``, ...
        arguments: What follows ``clinsynth``.
        done: Exit codes that it may end with.
        made: What it refuses to write over: if it was stopped at its very end, that is there already.
    """

    name: str
    arguments: tuple[str, ...]
    done: tuple[int, ...] = (0,)
    made: Path | None = None


def unmet(plan: CorpusPlan, row: Row, offered: Offered) -> str | None:
    """Why a row that is not trained cannot be run, or ``None``."""
    if row.kind == "asked":
        recording = _recording(plan.recorded, offered)
        if recording is None and offered.llm is None:
            return "no answers are recorded and no language model is named (--recorded, --llm)"
    if _annotated(row) and None in (_recording(plan.recorded, offered), _recording(plan.annotated, offered)):
        return "no annotations of training texts are recorded (--recorded)"
    if row.kind == "gliner":
        if offered.gliner is None:
            return "no model is named (--gliner)"
        if importlib.util.find_spec("gliner") is None:
            return "its package is not installed (pip install 'clinsynth[gliner]')"
    return None


def _recording(name: str | None, offered: Offered) -> Path | None:
    if name is None or offered.recorded is None:
        return None
    folder = offered.recorded / name
    return folder if (folder / "replies.jsonl").is_file() else None


def _annotated(row: Row) -> bool:
    return any(text.startswith(ANNOTATED) for text in texts(row.settings.values))


def inputs(plan: CorpusPlan, cell: Cell, row: Row, offered: Offered) -> list[Path]:
    """Files that a cell reads beside those of its corpus, all in a folder that its settings name too."""
    named = [Path(plan.task), Path(cell.config)]
    given = (Path(text) for text in texts(cell.settings) if text and CELL not in text)
    named += [file for path in given if path.name for file in within(path)]
    if plan.written and row.kind == "trained":
        named.append(Path(plan.written))
    read = (
        [plan.recorded] if row.kind == "asked" else [plan.recorded, plan.annotated] if _annotated(row) else []
    )
    for folder in filter(None, (_recording(name, offered) for name in read)):
        named += [path for path in sorted(folder.iterdir()) if path.suffix in (".jsonl", ".yaml")]
    return named


def overrides(plan: CorpusPlan, row: Row, offered: Offered) -> dict[str, Any]:
    """What tests of a row that is not trained say of the model."""
    if row.kind == "asked":
        if _recording(plan.recorded, offered):
            options = {
                "llm": RECORDED,
                "allow_real_text": True,
                "cache": f"{CELL}/{ANSWERS}",
                "server": NOWHERE,
            }
        else:
            options = offered.llm.values if offered.llm else {}
        return {"model": {"class_path": "ZeroShot", "init_args": options}}
    if row.kind == "gliner":
        options = {"name": offered.gliner}
        return {"model": {"class_path": "clinsynth.gliner.ZeroShotGLiNER", "init_args": options}}
    return {}


def steps(
    plan: CorpusPlan, cell: Cell, row: Row, offered: Offered, folder: Path, settings: Mapping[str, Any]
) -> list[Step]:
    """Writes the config files of a cell and returns its commands in their order.

    Args:
        plan: Its corpus.
        cell: The cell.
        row: Its row.
        offered: What is at hand for rows that are not trained.
        folder: Folder of the cell.
        settings: Its settings with every name replaced.
    """
    run = folder / RUN_FOLDER
    found: list[Step] = []
    own = resolved(overrides(plan, row, offered), folder, {})
    recording, replies = None, None
    if row.kind == "asked" or _annotated(row):
        recording = _recording(plan.recorded, offered)
        replies = _recording(plan.annotated, offered) if _annotated(row) else recording
    asked = recording / "task.yaml" if recording else Path(plan.task)  # what the prompts were made from
    task = asked if asked.is_file() else Path(plan.task)
    if replies:
        found.append(_import(replies, folder))
    if _annotated(row):
        found.append(_annotate(training_file(plan, cell.fold), task, folder))
    if row.kind == "trained":
        _write(folder / SETTINGS, {**settings, "trainer": {**settings.get("trainer", {}), **QUIET}})
        fit = ["fit", f"--config={cell.config}", f"--config={folder / SETTINGS}", f"--run={run}"]
        found.append(Step("fit", (*fit, f"--seed_everything={cell.seed}")))
    if row.export:
        found.append(Step("export", ("export", str(run), str(run / BUNDLE)), made=run / BUNDLE))
    for fold in cell.tests:
        config = folder / f"{test_name(fold)}.yaml"
        _write(config, {**own, "data": at_fold(plan.real, fold), "trainer": QUIET})
        test = ["test", f"--config={cell.config}", f"--config={config}", f"--run={run}"]
        if row.kind == "trained":
            test.append("--ckpt_path=best")
        if row.kind == "asked" and recording:
            test.append(f"--task={task}")
        found.append(Step(test_name(fold), tuple(test)))
    return found


def _import(recording: Path, folder: Path) -> Step:
    files = [f"--plan_file={recording / 'plan.jsonl'}", f"--replies={recording / 'replies.jsonl'}"]
    return Step("import", ("generate", "import", *files, f"--cache={folder / ANSWERS}"))


def _annotate(source: Path, task: Path, folder: Path) -> Step:
    files = [f"--task={task}", f"--texts={source}", f"--out={ANNOTATED.replace(CELL, str(folder))}"]
    answers = [f"--cache={folder / ANSWERS}", f"--llm.model={RECORDED}", "--replay=true"]
    # not all texts need to have been annotated
    return Step("annotate", ("generate", "annotate", *files, *answers), (0, INCOMPLETE))


def test_name(fold: int | None) -> str:
    """Name of the step that tests on a fold."""
    return "test" if fold is None else f"test-fold{fold}"


def resolved(value: Any, folder: Path, runs: Mapping[str, Path]) -> Any:
    """Settings with the folders of the cell and of the runs that it starts from in their places."""
    if isinstance(value, Mapping):
        return {key: resolved(inner, folder, runs) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolved(inner, folder, runs) for inner in value]
    if isinstance(value, str) and value.startswith(RUN):
        return str(runs[value.removeprefix(RUN)])
    return value.replace(CELL, str(folder)) if isinstance(value, str) else value


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True), encoding="utf-8")

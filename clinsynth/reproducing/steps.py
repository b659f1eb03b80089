"""The commands of a cell: what a user would type for the same result."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from clinsynth.reproducing.plan import CELL, RUN, Cell, CorpusPlan, Row, Settings, at_fold

SETTINGS, ANSWERS = "settings.yaml", "answers"
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
        name: What it is for: ``fit``, ``export``, ``import`` or ``test``, with a fold where there are any.
        arguments: What follows ``clinsynth``.
    """

    name: str
    arguments: tuple[str, ...]


def unmet(plan: CorpusPlan, row: Row, offered: Offered) -> str | None:
    """Why a row that is not trained cannot be run, or ``None``."""
    if row.kind == "asked":
        recording = _recording(plan, offered)
        if recording is None and offered.llm is None:
            return "no answers are recorded and no language model is named (--recorded, --llm)"
    if row.kind == "gliner":
        if offered.gliner is None:
            return "no model is named (--gliner)"
        if importlib.util.find_spec("gliner") is None:
            return "its package is not installed (pip install 'clinsynth[gliner]')"
    return None


def _recording(plan: CorpusPlan, offered: Offered) -> Path | None:
    if plan.recorded is None or offered.recorded is None:
        return None
    folder = offered.recorded / plan.recorded
    return folder if (folder / "replies.jsonl").is_file() else None


def inputs(plan: CorpusPlan, cell: Cell, row: Row, offered: Offered) -> list[Path]:
    """Files that a cell reads beside those of its corpus."""
    named = [Path(plan.task), Path(cell.config)]
    if plan.written and row.kind == "trained":
        named.append(Path(plan.written))
    if row.kind == "asked" and (folder := _recording(plan, offered)):
        named += [path for path in sorted(folder.iterdir()) if path.suffix in (".jsonl", ".yaml")]
    return named


def overrides(plan: CorpusPlan, row: Row, offered: Offered) -> dict[str, Any]:
    """What tests of a row that is not trained say of the model."""
    if row.kind == "asked":
        if _recording(plan, offered):
            options = {
                "llm": "recorded",
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
    if row.kind == "trained":
        _write(folder / SETTINGS, {**settings, "trainer": {**settings.get("trainer", {}), **QUIET}})
        fit = ["fit", f"--config={cell.config}", f"--config={folder / SETTINGS}", f"--run={run}"]
        found.append(Step("fit", (*fit, f"--seed_everything={cell.seed}")))
    recording = _recording(plan, offered) if row.kind == "asked" else None
    if recording:
        files = [f"--plan_file={recording / 'plan.jsonl'}", f"--replies={recording / 'replies.jsonl'}"]
        found.append(Step("import", ("generate", "import", *files, f"--cache={folder / ANSWERS}")))
    if row.export:
        found.append(Step("export", ("export", str(run), str(run / BUNDLE))))
    for fold in cell.tests:
        config = folder / f"{test_name(fold)}.yaml"
        _write(config, {**own, "data": at_fold(plan.real, fold), "trainer": QUIET})
        test = ["test", f"--config={cell.config}", f"--config={config}", f"--run={run}"]
        if row.kind == "trained":
            test.append("--ckpt_path=best")
        task = recording / "task.yaml" if recording else Path(plan.task)
        if recording and task.is_file():  # the prompts that were answered are those of this task file
            test.append(f"--task={task}")
        found.append(Step(test_name(fold), tuple(test)))
    return found


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

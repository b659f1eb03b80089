"""Every row of the shipped plan is an experiment that runs."""

from __future__ import annotations

import gzip
import logging
import shutil
from pathlib import Path

import pytest
import yaml
from jsonargparse import ArgumentParser

from clinsynth.cli import lightning as cli
from clinsynth.cli.reproduce import reproduce
from clinsynth.reproducing.plan import Cell, cells
from clinsynth.reproducing.steps import resolved
from clinsynth.runs.folder import SHARED
from tests.clinsynth import toy
from tests.conftest import REPOSITORY


def planned() -> list[Cell]:
    """A cell of each row of each corpus, the one with the fewest documents."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--config", action="config")
    parser.add_function_arguments(reproduce)
    plan = parser.instantiate(parser.parse_args([f"--config={REPOSITORY}/configs/reproduce/paper.yaml"]))
    found: dict[tuple[str, str], Cell] = {}
    for cell in cells(plan.corpora, plan.rows, [0]):
        if plan.rows[cell.row].kind == "trained":
            found.setdefault((cell.corpus, cell.row), cell)
    return list(found.values())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: str, tiny_bundle: Path) -> Path:
    """A run of the tiny encoder, with a bundle, to start from and to be taught by."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv(SHARED, raising=False)
        toy.write(folder, tiny_encoder)
        cli.main(["fit", "--config=ner.yaml", "--trainer.max_epochs=1", f"--run={folder / 'run'}"])
    shutil.copytree(tiny_bundle, folder / "run" / "bundle")
    return folder / "run"


@pytest.mark.slow
@pytest.mark.parametrize("cell", planned(), ids=lambda cell: f"{cell.corpus}-{cell.row}")
def test_every_row_of_the_paper_runs(
    cell: Cell, root: Path, tmp_path: Path, tiny_encoder: str, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("CLINSYNTH_DATA", str(root))
    settings = resolved(cell.settings, tmp_path, dict.fromkeys(cell.needs, run))
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    if "annotated" in cell.row:
        (tmp_path / "annotated").mkdir()  # what comes of annotating looks like written text
        written = REPOSITORY / "configs/tasks" / cell.corpus / "synthetic"
        (tmp_path / "annotated" / "corpus.jsonl").write_bytes(
            gzip.decompress((written / "corpus.jsonl.gz").read_bytes())
        )
        shutil.copy(written / "card.json", tmp_path / "annotated")
    log = logging.getLogger("clinsynth")
    handlers = list(log.handlers)
    try:
        few = ["--trainer.fast_dev_run=true", f"--model.encoder={tiny_encoder}"]
        cli.main(["fit", f"--config={cell.config}", f"--config={tmp_path}/settings.yaml", *few])
    finally:
        log.handlers = handlers

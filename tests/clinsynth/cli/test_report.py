from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from clinsynth.cli import report
from clinsynth.formats import jsonl
from clinsynth.reporting import page
from tests.clinsynth.reporting.folders import GOLD, OTHER, PHRASE, write_corpus, write_run


def test_paths_stand_anywhere_and_the_page_has_a_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, corpus = write_run(tmp_path / "letters" / "1"), write_corpus(tmp_path / "written")
    report.main([str(run)])
    assert f"The report is {run / 'report.html'}\n" in capsys.readouterr().out
    assert PHRASE not in (run / "report.html").read_text()
    out = tmp_path / "page.html"
    report.main([str(run), "--out", str(out), "--show-text", str(corpus)])
    text = out.read_text()
    assert PHRASE in text and "Corpus" in text and "letters/1" in text
    report.main(["--show_text=false", str(run), f"--out={out}"])
    assert PHRASE not in out.read_text()


def test_a_real_corpus_and_documents_for_a_bundle(root: Path, tmp_path: Path, tiny_bundle: Path) -> None:
    corpus = write_corpus(tmp_path / "written")
    out = tmp_path / "page.html"
    report.main([str(corpus), "--real", "NCBIDisease", f"--real.root={root}", f"--out={out}"])
    assert "What is like the real corpus now" in out.read_text()
    gold = tmp_path / "gold.jsonl"
    plain = [document.annotated(document.entities[:0]) for document in (GOLD, OTHER)]
    jsonl.write(gold, plain)
    report.main([str(tiny_bundle), f"--documents={gold}", f"--out={out}"])
    assert "these documents" in out.read_text()


def test_a_page_of_a_bundle_stands_beside_it(tiny_bundle: Path, tmp_path: Path) -> None:
    linked = tmp_path / "tags"
    linked.symlink_to(tiny_bundle)
    report.main([str(linked)])
    assert (tmp_path / "tags.html").exists()


def test_a_run_does_not_fail_for_its_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run")
    (run / "data.json").write_text("{")
    report.tell_report(run)
    shown = capsys.readouterr().out
    assert "The report could not be made (JSONDecodeError" in shown and f"clinsynth report {run}" in shown

    def none(name: str, *_: Any) -> None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", none)
    report.tell_report(run)
    assert "pip install 'clinsynth[report]'" in capsys.readouterr().out
    assert not (run / page.__name__).exists() and not (run / "report.html").exists()
    with pytest.raises(ModuleNotFoundError):
        report.main([str(run)])

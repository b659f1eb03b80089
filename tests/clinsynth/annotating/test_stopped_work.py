"""Work that is stopped goes on where it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clinsynth.annotating import journal, sources, work
from clinsynth.formats import jsonl
from clinsynth.runs.exits import INTERRUPTED
from tests.clinsynth.annotating.commands import ENGINE, annotate, write_jsonl


def process(bundle: Path, source: Path, output: Path) -> subprocess.Popen[str]:
    blocked = "".join(
        f"sys.modules[{name!r}] = None\n" for name in ("torch", "lightning", "transformers", "bioc")
    )
    code = f"import sys\n{blocked}from clinsynth.cli import main\nmain()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "annotate", str(bundle), str(source), str(output), *ENGINE],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def stop_on_the_way(running: subprocess.Popen[str], output: Path, how: signal.Signals) -> int:
    """Sends the signal once some rows are done; returns how many the state has then."""
    state = output.with_name(output.name + ".partial") / "state.json"
    while not state.exists() and running.poll() is None:
        time.sleep(0.002)
    running.send_signal(how)
    running.wait()
    return int(json.loads(state.read_text())["rows"])


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows for some seconds of work, bad ones among them."""
    folder = tmp_path_factory.mktemp("many")
    rows = [{"text": f"The gene {i} of cancer {'fever ' * (i % 40)}", "id": i} for i in range(12_000)]
    return write_jsonl(folder / "in.jsonl", [row if i % 1000 else "bad" for i, row in enumerate(rows)])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_stopped_work_goes_on_to_the_same_bytes(tiny_bundle: Path, many: Path, how: signal.Signals) -> None:
    whole, cut = many.with_name("whole.jsonl"), many.with_name(f"cut-{how.name}.jsonl")
    if not whole.exists():
        first = process(tiny_bundle, many, whole)
        assert first.wait() == 3, first.stderr.read() if first.stderr else ""
    running = process(tiny_bundle, many, cut)
    rows = stop_on_the_way(running, cut, how)
    assert 0 < rows < 12_000 and not cut.exists()
    if how == signal.SIGINT:
        assert running.returncode == INTERRUPTED
        assert running.stderr and "The same command goes on from here." in running.stderr.read()
    other = many.with_name("other.jsonl")
    other.write_bytes(many.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"unfinished work, but the input.* changed since\. Remedy"):
        annotate(tiny_bundle, other, cut)
    again = process(tiny_bundle, many, cut)
    assert again.wait() == 3
    assert again.stderr and f"Going on after {rows} rows" in again.stderr.read()
    assert cut.read_bytes() == whole.read_bytes()
    rejects = [path.with_name(path.name + ".rejects.jsonl").read_bytes() for path in (cut, whole)]
    assert rejects[0] == rejects[1] and rejects[0].count(b"\n") == 12
    assert not cut.with_name(cut.name + ".partial").exists()


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_it_writes_into_its_input_folder_is_no_input(
    tiny_bundle: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "out", "outpatient"):
        (tmp_path / f"{name}.txt").write_text("fever", encoding="utf-8")
    rejects = tmp_path / "out.rejects.jsonl"
    rejects.write_text("of an earlier run")
    arguments = (tiny_bundle, tmp_path, tmp_path / "out", "--output_format=jsonl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "_finish", interrupt)
        assert annotate(*arguments) == INTERRUPTED
    assert annotate(*arguments) == 0
    shown = capfd.readouterr().err
    assert "Going on after 3 rows" in shown and "not read" not in shown
    assert [d.id for d in jsonl.read(tmp_path / "out")] == ["a", "out", "outpatient"]
    assert not rejects.exists(), "there were no bad rows"


def test_two_processes_do_not_write_the_same_output(tiny_bundle: Path, tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "fever"}])
    with (
        journal.alone(tmp_path / "out.jsonl"),
        pytest.raises(ValueError, match=r"another process is writing .*out\.jsonl\. Remedy"),
    ):
        annotate(tiny_bundle, source, tmp_path / "out.jsonl")
    assert annotate(tiny_bundle, source, tmp_path / "out.jsonl") == 0


def test_standard_input_leaves_unfinished_work_on_files_alone(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "fever"}])
    lines = tmp_path / "lines"
    lines.write_text("a\nb\n")
    with monkeypatch.context() as patch:
        patch.setattr(work, "_finish", interrupt)
        for name, content in (("file.jsonl", source), ("stdin.jsonl", "-")):
            with lines.open() as stream:
                patch.setattr(sys, "stdin", stream)
                assert annotate(tiny_bundle, content, tmp_path / name) == INTERRUPTED
    with lines.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        with pytest.raises(ValueError, match=r"unfinished work, but the input changed since\. Remedy"):
            annotate(tiny_bundle, "-", tmp_path / "file.jsonl")
        assert annotate(tiny_bundle, "-", tmp_path / "stdin.jsonl") == 0
    assert [d.text for d in jsonl.read(tmp_path / "stdin.jsonl")] == ["a", "b"], "begun anew"
    assert annotate(tiny_bundle, source, tmp_path / "file.jsonl") == 0


def test_files_that_are_not_read_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("fever", encoding="utf-8")
    before = sources.fingerprint(str(tmp_path), "text")
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "other.jsonl").touch()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "b.txt").touch()
    assert sources.fingerprint(str(tmp_path), "text") == before
    assert sources.fingerprint(str(tmp_path), "brat") != before
    (tmp_path / "c.txt").touch()
    assert sources.fingerprint(str(tmp_path), "text") != before


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--variant=int8"], "what computes it"),
        (["--variant=fp32", "--text_column=note"], "the input format"),
    ],
)
def test_other_settings_do_not_finish_what_was_begun(
    more: list[str], named: str, tiny_bundle: Path, tmp_path: Path
) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "fever", "note": "pain"}])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "_finish", interrupt)
        assert annotate(tiny_bundle, source, tmp_path / "o.jsonl", "--variant=fp32") == INTERRUPTED
    with pytest.raises(ValueError, match=f"but {named} changed since"):
        annotate(tiny_bundle, source, tmp_path / "o.jsonl", *more)

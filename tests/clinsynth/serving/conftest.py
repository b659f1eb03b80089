"""Predictors on bundles of random weights, and servers on them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from clinsynth_onnx.predictor import Predictor

pytest.importorskip("fastapi", reason="clinsynth[serve] is not installed")
pytest.importorskip("uvicorn", reason="clinsynth[serve] is not installed")


class Process:
    """A server in a process of its own.

    Attributes:
        url: Where it is.
    """

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "clinsynth", "serve", *arguments, "--port=0"]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        assert self._process.stdout is not None
        self._lines: list[str] = []
        for line in self._process.stdout:
            self._lines.append(line)
            if found := re.search(r"running on (http://\S+)", line):
                self.url = found[1]
                break
        else:
            raise RuntimeError("".join(self._lines))
        self._reader = threading.Thread(target=lambda: self._lines.extend(self._process.stdout or ()))
        self._reader.start()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Sends a signal; returns the exit code and all that was logged."""
        self._process.send_signal(number)
        code = self._process.wait(30)
        self._reader.join()
        return code, "".join(self._lines)

    def kill(self) -> None:
        """Ends it in any case."""
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="session")
def relation_zip(tiny_relation_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The relation bundle as the other kind of bundle, a zip file."""
    base = tmp_path_factory.mktemp("zip") / "relations"
    return Path(shutil.make_archive(str(base), "zip", tiny_relation_bundle))


@pytest.fixture(scope="session")
def tag(tiny_bundle: Path) -> Iterator[Predictor]:
    with Predictor.load(tiny_bundle, engine="onnxruntime", variant="fp32") as predictor:
        yield predictor


@pytest.fixture(scope="session")
def relate(relation_zip: Path) -> Iterator[Predictor]:
    with Predictor.load(relation_zip, engine="onnxruntime", variant="fp32") as predictor:
        yield predictor


@pytest.fixture
def serve() -> Callable[..., AbstractContextManager[Process]]:
    """Starts ``clinsynth serve`` with the fp32 network and the arguments given."""

    @contextmanager
    def started(*arguments: str) -> Iterator[Process]:
        process = Process(*arguments, "--engine=onnxruntime", "--variant=fp32")
        try:
            yield process
        finally:
            process.kill()

    return started

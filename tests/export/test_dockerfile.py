"""What the Dockerfile does, without Docker: the files that it copies, installed into a new environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
import venv
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

DOCKERFILE = (REPOSITORY / "export" / "Dockerfile").read_text()


def copied(to: Path) -> None:
    """Copies what the first stage of the Dockerfile copies."""
    build, _ = DOCKERFILE.split("\nFROM python:3.12-slim\n")
    for names, target in re.findall(r"^COPY (.+) (\S+)$", build, re.MULTILINE):
        for name in names.split():
            source, place = REPOSITORY / name, to / target
            if source.is_dir():
                shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, place / source.name)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of an environment with what the image has."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "source").mkdir()
    copied(folder / "source")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    reached = subprocess.run(
        [*pip, "download", "--no-deps", "-d", folder / "try", "tokenizers"], capture_output=True
    )
    if reached.returncode:
        pytest.skip("no package index can be reached")
    subprocess.run([*pip, "install", "."], cwd=folder / "source", check=True)
    return python.parent


def clean(image: Path) -> dict[str, str]:
    """The environment of the image's processes, with nothing of the one that tests run in."""
    return {"PATH": f"{image}{os.pathsep}/usr/bin:/bin", "HOME": str(image.parent)}


def test_no_extras_annotate_without_torch(image: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    installed = json.loads(
        subprocess.check_output([image / "python", "-m", "pip", "list", "--format", "json"], text=True)
    )
    assert {"clinsynth", "onnxruntime"} <= {package["name"] for package in installed}
    assert not {"torch", "lightning", "transformers", "openai"} & {package["name"] for package in installed}
    (tmp_path / "in.jsonl").write_text('{"id": "a", "text": "BRCA1 causes breast cancer."}\n')
    subprocess.run(
        ["clinsynth", "annotate", tiny_bundle, "in.jsonl", "out.jsonl"],
        cwd=tmp_path,
        env=clean(image),
        check=True,
        executable=image / "clinsynth",
    )
    assert json.loads((tmp_path / "out.jsonl").read_text())["id"] == "a"


def test_serving(image: Path, tiny_bundle: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    source = image.parent.parent / "source"
    extras = re.search(r"^ARG EXTRAS=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert extras
    subprocess.run(
        [image / "python", "-m", "pip", "install", "--quiet", f".[{extras[1]}]"], cwd=source, check=True
    )
    command = [
        tiny_bundle if word == "/bundle" else word for word in json.loads(DOCKERFILE.splitlines()[-1][4:])
    ]
    server = subprocess.Popen([image / "clinsynth", *command, "--port", str(port)], env=clean(image))
    try:
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail("the server did not start within ten seconds")
    finally:
        server.terminate()
        assert server.wait(30) == 0

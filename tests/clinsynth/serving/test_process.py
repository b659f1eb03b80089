"""The command, as a process, over a socket."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor

from .conftest import Process

Serve = Callable[..., AbstractContextManager[Process]]

CANARY = "zorvexin-canary"
WORDS = ["fever", "gene", "of", "the", "cancer", "pain", "xyz", "drug", "and.", "The", "12"]
CLIENTS = 16
SECONDS = 3


def texts(seed: int) -> list[str]:
    chosen = random.Random(seed)
    return [" ".join([CANARY, str(seed), *chosen.choices(WORDS, k=chosen.randint(1, 60))]) for _ in range(8)]


def test_each_of_many_clients_gets_the_answer_to_its_own_text(
    serve: Serve, tiny_bundle: Path, tag: Predictor
) -> None:
    by_client = [texts(seed) for seed in range(CLIENTS)]
    expected = {text: tag(text) for mine in by_client for text in mine}
    with serve(str(tiny_bundle)) as server:
        end = time.monotonic() + SECONDS

        def client(mine: list[str]) -> int:
            done = 0
            with httpx.Client(base_url=server.url, timeout=20) as http:
                while time.monotonic() < end:
                    sent = mine[done % len(mine) :][: 1 + done % 3]
                    if done % 5 == 4:  # among them some that fail
                        bad = {"documents": [{"text": sent[0], "entities": [{"start": 1, "end": 0}]}]}
                        assert http.post("/annotate", json=bad).status_code == 422
                    answer = http.post("/annotate", json={"documents": sent})
                    assert answer.status_code == 200
                    found = [Document.from_json(document) for document in answer.json()["documents"]]
                    assert found == [expected[text] for text in sent]
                    done += 1
            return done

        with ThreadPoolExecutor(CLIENTS) as pool:
            assert min(pool.map(client, by_client)) > 0
        text = httpx.get(f"{server.url}/metrics").text
        numbers = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        batches = float(numbers["clinsynth_batch_documents_count"])
        assert float(numbers["clinsynth_batch_documents_sum"]) > batches  # some were computed together
        httpx.get(f"{server.url}/annotate/{CANARY}?text={CANARY}")
        httpx.post(f"{server.url}/annotate?text={CANARY}", content=CANARY)
        httpx.request(CANARY, server.url)
        raw(server, f"{CANARY}\r\n\r\n".encode())
        headers = raw(server, b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"\r\nserver:" not in headers.lower()
        code, log = server.stop()
    assert code == 0
    assert "POST /annotate 200" in log
    assert CANARY not in log


def raw(server: Process, request: bytes) -> bytes:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
        return answer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_once_what_is_under_way_is_done(
    serve: Serve, tiny_bundle: Path, tag: Predictor, number: int
) -> None:
    text = " ".join(texts(0) * 40)
    documents = [f"{i} {text}" for i in range(8)]
    with serve(str(tiny_bundle), "--workers=1") as server:
        answers: list[httpx.Response] = []
        url = f"{server.url}/annotate"

        def post() -> None:
            answers.append(httpx.post(url, json={"documents": documents}, timeout=20))

        client = threading.Thread(target=post)
        client.start()
        while "clinsynth_open_requests 1.0" not in httpx.get(f"{server.url}/metrics").text:
            assert not answers
        code, _ = server.stop(number)
        client.join()
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/health")
    assert code == 0
    found = [Document.from_json(document) for document in answers[0].json()["documents"]]
    assert found == tag(documents)


def test_a_body_of_unknown_length_is_cut_off(serve: Serve, tiny_bundle: Path) -> None:
    with serve(str(tiny_bundle), "--max-body-bytes=10000") as server:
        content = (b" " * 1000 for _ in range(20))
        answer = httpx.post(
            f"{server.url}/annotate", content=content, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 413
        head = b"POST /annotate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        endless = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"3e8\r\n" + b" " * 1000 + b"\r\n"
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(endless)
            with pytest.raises(OSError):  # it may be any of several
                for _ in range(100_000):
                    connection.sendall(b"3e8\r\n" + b" " * 1000 + b"\r\n")


HEAVY = ("torch", "lightning", "transformers", "torchmetrics", "yaml")


def test_it_needs_nothing_that_trains() -> None:
    code = "; ".join(
        [
            "import sys",
            *(f"sys.modules[{name!r}] = None" for name in HEAVY),
            "import clinsynth.cli.serve",
        ]
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['fastapi'] = None; sys.argv = ['clinsynth', 'serve', 'x']; "
        "from clinsynth.__main__ import main; main()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 1
    assert "pip install 'clinsynth[serve]'" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_bundle_is_told_in_a_line() -> None:
    command = [sys.executable, "-m", "clinsynth", "serve", "/nowhere"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert "there is no such bundle. Remedy" in result.stderr
    assert "Traceback" not in result.stderr

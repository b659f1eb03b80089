from __future__ import annotations

import asyncio
import hashlib
import json
import re
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinsynth.serving import service as service_module
from clinsynth.serving.app import build
from clinsynth.serving.models import EXAMPLES
from clinsynth.serving.service import Limits, Service
from clinsynth_onnx.chain import Chain, Outcome
from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor

JSON = {"Content-Type": "application/json"}
TEXT = "The gene abc and fever of the drug."


class Blocked(Chain):
    """A chain that waits until it may, or fails."""

    may = threading.Event()
    entered = threading.Event()

    def __call__(self, documents: Sequence[Document]) -> list[Outcome]:
        self.entered.set()
        self.may.wait(10)
        raise RuntimeError(documents[0].text)


@pytest.fixture
def service(tag: Predictor) -> Iterator[Service]:
    service = Service(Chain(tag, None, 1), Limits(max_documents=4, max_body_bytes=1000))
    yield service
    service.close()


@pytest.fixture
def client(service: Service) -> TestClient:
    return TestClient(build(service))


def test_documents_come_back_annotated_in_their_order(client: TestClient, tag: Predictor) -> None:
    first = {"text": TEXT, "id": "ä", "meta": {"a": [1]}, "entities": [{"start": 0, "end": 1, "label": "?"}]}
    body = {"documents": [first, "fever", {"text": ""}]}
    answer = client.post("/annotate", json=body)
    assert answer.status_code == 200
    assert [Document.from_json(document) for document in answer.json()["documents"]] == tag(
        [Document(TEXT, id="ä", meta={"a": [1]}), "fever", ""]
    )
    annotated = client.post("/annotate", json={"text": TEXT}).json()["documents"]
    assert [Document.from_json(document) for document in annotated] == [tag(TEXT)]
    assert client.post("/annotate", json={"documents": []}).json() == {"documents": []}


def test_two_bundles_in_a_row_and_a_relation_bundle_alone(tag: Predictor, relate: Predictor) -> None:
    expected = relate(tag(TEXT))
    for chain in (Chain(tag, relate, 1 << 20), Chain(relate, None, 1 << 20)):
        service = Service(chain, Limits())
        client = TestClient(build(service))
        body = {"documents": [tag(TEXT).to_json()]}
        (document,) = client.post("/annotate", json=body).json()["documents"]
        assert Document.from_json(document) == expected
        tasks = [bundle["task"] for bundle in client.get("/health").json()["bundles"]]
        assert tasks == [predictor.bundle.task for predictor in chain.predictors]
        service.close()
    body = {"documents": [{"text": "abc", "entities": [{"start": 0, "end": 1, "label": "Drug"}]}]}
    service = Service(Chain(relate, None, 0), Limits())
    client = TestClient(build(service))
    answer = client.post("/annotate", json=body)
    assert answer.status_code == 422
    assert answer.json()["where"] == "documents[0].entities[0].label"
    answer = client.post("/annotate", json=EXAMPLES["given entities (for a relation bundle)"]["value"])
    assert answer.status_code == 422
    assert "1 candidate pairs" in answer.json()["error"]
    service.close()


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (413, {"content": b" " * 1001, "headers": JSON}),
        (413, {"content": iter([b" " * 600] * 2), "headers": JSON}),
        (413, {"content": iter([b" " * 600] * 100), "headers": JSON}),
        (413, {"json": {"documents": ["a"] * 5}}),
        (415, {"content": b'{"text": "a"}'}),
        (415, {"content": b'{"text": "a"}', "headers": {"Content-Type": "text/plain"}}),
        (415, {"content": b"{}", "headers": {"Content-Type": "application/json; charset=latin-1"}}),
        (415, {"content": b"{}", "headers": JSON | {"Content-Encoding": "gzip"}}),
        (422, {"content": b"", "headers": JSON}),
        (422, {"json": {"documents": [1]}}),
        (200, {"content": b'{"text": "a"}', "headers": {"Content-Type": 'Application/JSON;charset="UTF-8"'}}),
    ],
)
def test_limits(client: TestClient, status: int, request_: dict[str, Any]) -> None:
    answer = client.post("/annotate", **request_)
    assert answer.status_code == status
    if status != 200:
        assert set(answer.json()) == {"error", "where"}


def test_other_paths_and_methods(client: TestClient) -> None:
    assert client.get("/Jane-Roe").status_code == 404
    assert client.get("/annotate").status_code == 405
    assert client.post("/health").status_code == 405
    assert "Jane" not in client.get("/Jane-Roe").text + client.get("/metrics").text


def test_a_body_that_does_not_arrive(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "READ_SECONDS", 0.05)

    async def slow(_: object, __: object) -> bytes:
        await asyncio.sleep(5)
        return b""

    monkeypatch.setattr(Service, "_body", slow)
    assert client.post("/annotate", json={"text": "a"}).status_code == 408


def test_a_full_server_says_when_to_come_again_and_a_fault_tells_no_text(
    tag: Predictor, caplog: pytest.LogCaptureFixture
) -> None:
    chain = Blocked(tag, None, 1)
    service = Service(chain, Limits(max_requests=2))
    client = TestClient(build(service))
    with ThreadPoolExecutor(2) as pool:
        busy = [pool.submit(client.post, "/annotate", json={"text": f"Jane Roe {i}"}) for i in range(2)]
        chain.entered.wait(10)
        while "clinsynth_open_requests 2.0" not in client.get("/metrics").text:
            pass
        answer = client.post("/annotate", json={"text": "a"})
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert client.get("/health").status_code == 200
        chain.may.set()
        for waiting in busy:
            assert waiting.result().status_code == 500
            assert "Jane" not in waiting.result().text
    service.close()
    assert "RuntimeError" in caplog.text
    assert "Jane" not in caplog.text


def test_a_fault_of_the_program_tells_no_text(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("Jane Roe")

    monkeypatch.setattr(service_module, "parse", broken)
    answer = client.post("/annotate", json={"text": "Jane Roe"})
    assert answer.status_code == 500
    assert "KeyError" in caplog.text
    assert "Jane" not in caplog.text + answer.text


def test_a_server_that_stops_says_so(client: TestClient, service: Service) -> None:
    service.stopping = True
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "stopping")
    answer = client.post("/annotate", json={"text": "a"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_health_names_what_answers(client: TestClient, tiny_bundle: Path, tag: Predictor) -> None:
    (bundle,) = client.get("/health").json()["bundles"]
    assert bundle == {
        "task": "token-classification",
        "engine": tag.about,
        "manifest_sha256": hashlib.sha256((tiny_bundle / "manifest.json").read_bytes()).hexdigest(),
        "entity_labels": ["Gene", "Disease"],
        "relation_labels": ["Association"],
    }


def test_metrics(client: TestClient) -> None:
    client.post("/annotate", json={"documents": ["abc", "de"]})
    client.post("/annotate", json={})
    text = client.get("/metrics").text
    for line in (
        'clinsynth_requests_total{path="/annotate",status="200"} 1.0',
        'clinsynth_requests_total{path="/annotate",status="422"} 1.0',
        'clinsynth_request_seconds_count{path="/annotate"} 2.0',
        "clinsynth_documents_total 2.0",
        "clinsynth_characters_total 5.0",
        "clinsynth_batch_documents_sum 2.0",
        "clinsynth_queue_requests 0.0",
    ):
        assert line in text


def test_the_documentation_is_complete_and_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    assert not re.search(r"(src|href)=.?(https?:)?//|@import|url\(", page)
    text = client.get("/openapi.json").text
    schema = json.loads(text)
    shapes = schema["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= set(shapes)
    annotate = schema["paths"]["/annotate"]["post"]
    assert annotate["requestBody"]["content"]["application/json"]["examples"] == EXAMPLES
    assert set(annotate["responses"]) == {"200", "408", "413", "415", "422", "500", "503"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300)
    | st.text(max_size=100).map(lambda text: json.dumps({"text": text}).encode())
    | st.text(max_size=100).map(lambda text: f'{{"documents": [{{{text}}}]}}'.encode("utf-8", "replace"))
)
def test_no_body_is_too_odd(client: TestClient, body: bytes) -> None:
    assert client.post("/annotate", content=body, headers=JSON).status_code in (200, 413, 422)


@pytest.mark.parametrize("name", Limits.__slots__)
def test_limits_are_positive(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} is 0\. Remedy"):
        Limits(**{name: 0})

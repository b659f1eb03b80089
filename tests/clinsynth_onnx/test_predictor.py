"""The predictor gives what the codec and the network give, however it is asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinsynth_onnx import engines, machine
from clinsynth_onnx.bundle import Bundle, BundleError, Variant
from clinsynth_onnx.codec import pad
from clinsynth_onnx.concept_fields import without_scores
from clinsynth_onnx.concepts import ConceptRelation, with_concept_relations
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.predictor import Predictor

WORDS = st.sampled_from(["The", "gene", "cancer", "fever.", "of", "a1", "\u00e9", "itis", "\n", "drug!"])
TEXTS = st.lists(st.lists(WORDS, max_size=90).map(" ".join), max_size=12)
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def tag(tiny_bundle: Path) -> Iterator[Predictor]:
    with Predictor.load(tiny_bundle, engine="onnxruntime", variant="int8", batch_tokens=100) as predictor:
        yield predictor


@pytest.fixture(scope="module")
def relate(tiny_relation_bundle: Path) -> Iterator[Predictor]:
    with Predictor.load(tiny_relation_bundle, engine="onnxruntime", workers=2) as predictor:
        yield predictor


@given(texts=TEXTS)
@SHARED
def test_int8_answers_do_not_depend_on_neighbours(tag: Predictor, texts: list[str]) -> None:
    together = tag(texts)
    assert together == [tag(text) for text in texts]
    assert [document.text for document in together] == texts
    assert list(tag.stream(iter(texts))) == together


def test_int8_logits_do_not_depend_on_padding(tag: Predictor) -> None:
    features = tag.codec.encode([Document("The gene of cancer."), Document("fever " * 40)])
    short, long = features.examples
    alone = tag.engine.run(pad([short], 0))[0]
    padded = tag.engine.run(pad([short, long], 0))[0, : len(short)]
    np.testing.assert_allclose(padded, alone, atol=1e-5)


def test_relations_of_concepts_do_not_depend_on_neighbours(tiny_concept_bundle: Path) -> None:
    documents = [
        Document(
            ("gene of fever " * n).strip() + ".",
            tuple(Entity(14 * i, 14 * i + 4, "Gene") for i in range(n))
            + tuple(Entity(14 * i + 8, 14 * i + 13, "Disease") for i in range(n)),
            meta={"concepts": [str(i % 3) for i in range(n)] * 2},
        )
        for n in (1, 9, 3, 30)
    ]
    stated = with_concept_relations(documents[2], [ConceptRelation(0, 1, "Association")])
    with Predictor.load(tiny_concept_bundle, variant="int8", engine="onnxruntime") as relate:
        together = [without_scores(found) for found in relate(documents)]
        assert together == [without_scores(relate(document)) for document in documents]
        assert without_scores(relate(stated)) == together[2], "what is stated already is not believed"
        features = relate.codec.encode(documents)
        short, long = features.examples[0], features.examples[1]
        alone = relate.engine.run(pad([short], 0))[0]
        padded = relate.engine.run(pad([short, long], 0))[0, : len(short.pairs)]
        np.testing.assert_allclose(padded, alone, atol=1e-4)
        assert [len(e.pairs) for e in features.examples[:2]] == [1, 9]


def test_what_a_document_has_already_is_replaced(tag: Predictor, relate: Predictor) -> None:
    document = Document("The gene of cancer.", (Entity(0, 3, "Nonsense"),), id="7", meta={"a": 1})
    found = tag(document)
    assert (found.id, found.meta) == ("7", {"a": 1})
    assert found.entities == tag(document.text).entities
    given_ = Document("a1 of fever", (Entity(0, 2, "Gene"), Entity(6, 11, "Disease"), Entity(3, 5, "Odd")))
    related = replace(given_, relations=(Relation(0, 2, "Unknown"),))
    assert relate(related) == relate(given_)
    assert relate(related).entities == given_.entities


def test_tagging_and_relating_chain(tag: Predictor, relate: Predictor) -> None:
    texts = ["The gene of cancer and a fever.", "", "a1 " * 50]
    chained = relate(tag(texts))
    assert [relate(tag(text)) for text in texts] == chained
    assert [document.entities for document in chained] == [document.entities for document in tag(texts)]


def test_several_threads_get_their_own_answers(tag: Predictor) -> None:
    texts = [f"The gene {i} of cancer {'fever ' * (i % 50)}" for i in range(60)]
    expected = [tag(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(tag, texts)) == expected


def test_streams_are_read_only_a_little_ahead(tag: Predictor) -> None:
    taken = 0

    def source() -> Iterator[str]:
        nonlocal taken
        for i in range(100_000):
            taken += 1
            yield f"fever {i}"

    stream = tag.stream(source())
    next(stream)
    assert taken <= 4 * tag.block_documents
    stream.close()


def test_no_documents_and_no_text_are_fine(tag: Predictor, relate: Predictor) -> None:
    for predictor in (tag, relate):
        assert predictor([]) == []
        assert predictor("") == Document("")
        assert predictor([" ", "\n"]) == [Document(" "), Document("\n")]


def test_failures_in_a_run_reach_the_caller(tag: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(inputs: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(tag.engine, "run", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        tag(["a", "b"])


def test_engines_and_variants_are_chosen_and_can_be_named(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Bundle.open(tiny_bundle)
    monkeypatch.setattr(engines, "available", lambda name: name == "onnxruntime")
    monkeypatch.setattr(machine, "multiplies_int8", lambda: True)
    assert engines.choose(bundle, "auto", "auto")[1].name == "int8"
    assert engines.choose(bundle, "auto", "fp32")[1].name == "fp32"
    monkeypatch.setattr(machine, "multiplies_int8", lambda: False)
    assert engines.choose(bundle, "auto", "auto")[1].name == "fp32", "int8 may saturate here"
    assert engines.choose(bundle, "auto", "int8")[1].name == "int8", "but who names it gets it"
    bundle.variants["fp32"] = Variant("fp32", "model.onnx", refused=("openvino",))
    monkeypatch.setattr(engines, "available", lambda name: name in ("onnxruntime", "openvino"))
    assert engines.choose(bundle, "auto", "auto")[0] == "onnxruntime", "the gate refused the other"
    for engine, variant, message in (
        ("auto", "int4", "no variant 'int4'"),
        ("tpu", "auto", "no engine 'tpu'"),
        ("cuda", "auto", "no CUDA here"),
    ):
        with pytest.raises(BundleError, match=message):
            engines.choose(bundle, engine, variant)


def test_cuda_without_a_gpu_is_passed_over_unless_it_is_named(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Bundle.open(tiny_bundle)
    sessions = engines.onnxruntime.InferenceSession

    def without_gpu(*arguments: Any, providers: list[str], **options: Any) -> Any:
        return sessions(*arguments, providers=["CPUExecutionProvider"], **options)

    monkeypatch.setattr(engines, "available", lambda name: name != "openvino")
    monkeypatch.setattr(engines.onnxruntime, "InferenceSession", without_gpu)
    assert engines.choose(bundle, "auto", "auto")[0] == "cuda"
    assert engines.load(bundle, "auto", "auto", 1, 1).name == "onnxruntime"
    assert engines.load(bundle, "auto", "fp32", 1, 1).about.endswith("on CPU, fp32")
    with pytest.raises(BundleError, match=r"finds no GPU that it can use\. Remedy"):
        engines.load(bundle, "cuda", "auto", 1, 1)


def test_openvino_gives_the_same_documents(tiny_bundle: Path, tag: Predictor) -> None:
    pytest.importorskip("openvino")
    texts = [f"The gene {i} of cancer {'fever ' * (i % 30)}" for i in range(40)]
    with Predictor.load(tiny_bundle, engine="openvino", workers=2) as other:
        features = tag.codec.encode([Document(text) for text in texts])
        expected = Predictor.load(tiny_bundle, engine="onnxruntime", variant="fp32")._run(features.examples)
        found = other._run(features.examples)
        assert len(other(texts)) == len(texts)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=0.1)  # bf16 has 8 bits


def test_machine_facts_are_sensible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.cores() >= 1
    assert machine.level_2_cache() >= 1 << 16
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(machine, "CGROUP_QUOTA", quota)
    for text, most in (("100000 100000", 1), ("50000 100000", 1), ("max 100000", None), ("", None)):
        quota.write_text(text)
        assert machine.cores() == most if most else machine.cores() >= 1


def test_a_bundle_is_ready_in_a_process_without_torch(tiny_bundle: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'lightning', 'transformers', 'clinsynth'): sys.modules[name] = None\n"
        "from clinsynth_onnx.predictor import Predictor\n"
        f"print(Predictor.load({str(tiny_bundle)!r})('The gene of cancer.').text)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "The gene of cancer.\n"

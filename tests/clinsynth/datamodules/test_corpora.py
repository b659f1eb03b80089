"""Data modules over small files in the real formats, and over the real corpora where they are."""

from __future__ import annotations

import hashlib
import http.server
import io
import logging
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.datamodules import BC5CDR, EUADR, GAD, DocumentDataModule, Files, Mixture, NCBIDisease
from clinsynth.datamodules.base import restrict
from clinsynth.datamodules.cuts import draw, hold_out
from clinsynth.datamodules.published import PublishedCorpus, fetch
from clinsynth.formats import registry
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import EntityType, RelationType, Schema

DISEASE = Schema("d", {"Disease": EntityType()})
PAIR = Schema(
    "p",
    {"Gene": EntityType(), "Disease": EntityType()},
    {"Association": RelationType(head=["Gene"], tail=["Disease"])},
)
CDR = Schema("c", {"Chemical": EntityType(), "Disease": EntityType()})


def test_ncbi_disease_has_one_label(root: Path) -> None:
    data = NCBIDisease(DISEASE, str(root))
    for part in ("train", "val", "test"):
        assert len(data.part(part)) == 20
        assert {e.label for d in data.part(part) for e in d.entities} == {"Disease"}
    record = data.record["train"]
    assert record["entities"] == {"Disease": 40} and len(record["sha256"]) == 64


def test_a_folder_with_the_files_themselves_will_do(root: Path) -> None:
    assert len(NCBIDisease(DISEASE, str(root / "ncbi_disease")).part("test")) == 20


def test_the_variable_names_the_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINSYNTH_DATA", str(root))
    assert len(NCBIDisease(DISEASE).part("test")) == 20


def test_files_that_are_not_as_published_are_told(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        NCBIDisease(DISEASE, str(root)).part("test")
    assert "differs from the published file" in caplog.text


def test_bc5cdr_keeps_what_the_task_asks_for(root: Path) -> None:
    assert {e.label for d in BC5CDR(CDR, str(root)).part("train") for e in d.entities} == {
        "Chemical",
        "Disease",
    }
    only = BC5CDR(DISEASE, str(root))
    assert {e.label for d in only.part("train") for e in d.entities} == {"Disease"}
    assert only.record["train"]["left_out"]["mentions_of_other_types"] == 20


def test_bc5cdr_reads_bioc_too(root: Path) -> None:
    documents = list(registry.read(root / "bc5cdr" / "CDR_TrainingSet.PubTator.txt"))
    registry.write(root / "bc5cdr" / "CDR_TrainingSet.BioC.xml", documents, "bioc-xml")
    read = BC5CDR(CDR, str(root), format="bioc").part("train")
    assert [(d.text, d.entities) for d in read] == [(d.text, d.entities) for d in documents]


def test_bc5cdr_tests_on_the_development_part_if_asked(root: Path) -> None:
    data = BC5CDR(CDR, str(root), test_on="development")
    train, val, test = (data.part(part) for part in ("train", "val", "test"))
    assert (len(train), len(val), len(test)) == (18, 2, 20)
    assert not {d.id for d in train} & {d.id for d in val}
    assert [d.id for d in test] == [d.id for d in BC5CDR(CDR, str(root)).part("val")]


@pytest.mark.parametrize("corpus", [GAD, EUADR])
def test_folds_hold_out_a_seeded_stratified_part(root: Path, corpus: type[GAD] | type[EUADR]) -> None:
    data = corpus(PAIR, str(root), fold=2)
    train, val = data.part("train"), data.part("val")
    assert (len(train), len(val)) == (36, 4)
    assert sum(bool(d.relations) for d in val) == 1
    assert data.part("test")[0].id == "2"
    assert corpus(PAIR, str(root), fold=2).part("val") == val
    assert corpus(PAIR, str(root), fold=2, seed=1).part("val") != val
    with pytest.raises(ValueError, match="'fold' must be from 1 to 10, not 11"):
        corpus(PAIR, str(root), fold=11)


def test_the_training_part_can_be_cut(root: Path) -> None:
    few = NCBIDisease(DISEASE, str(root), few_shot=3)
    assert len(few.part("train")) == 3 and len(few.part("val")) == 20
    assert few.part("train") == NCBIDisease(DISEASE, str(root), few_shot=3).part("train")
    assert few.record["train"]["left_out"]["documents"] == 17
    assert len(NCBIDisease(DISEASE, str(root), fraction=0.25).part("train")) == 5
    with pytest.raises(ValueError, match="asks for 21 training documents, the corpus has 20"):
        NCBIDisease(DISEASE, str(root), few_shot=21).part("train")
    with pytest.raises(ValueError, match="'fraction' must be above 0"):
        NCBIDisease(DISEASE, str(root), fraction=0)
    with pytest.raises(ValueError, match="goes without 'fraction'"):
        NCBIDisease(DISEASE, str(root), fraction=0.5, few_shot=2)


def test_own_files_in_any_format(root: Path) -> None:
    train = str(root / "ncbi_disease" / "NCBItrainset_corpus.txt")
    labels = {"Modifier": "Disease", "SpecificDisease": "Disease"}
    data = Files(DISEASE, train=train, test=train, labels=labels)
    assert (len(data.part("train")), len(data.part("val")), len(data.part("test"))) == (18, 2, 20)
    assert {e.label for d in data.part("train") for e in d.entities} == {"Disease"}
    (root / "note.txt").write_text("Ataxia.", encoding="utf-8")
    assert [d.id for d in Files(DISEASE, predict=str(root / "note.txt")).predict_documents()] == ["note"]
    with pytest.raises(ValueError, match=r"no files to test with.*--data\.test"):
        Files(DISEASE, train=train).part("test")
    with pytest.raises(ValueError, match="no corpus format 'doc'"):
        Files(DISEASE, train=train, format="doc")


def test_a_mixture_weights_its_corpora(root: Path) -> None:
    made = Mixture(
        DISEASE,
        [partial(NCBIDisease, root=str(root), few_shot=4), partial(BC5CDR, root=str(root))],
        weights=[3, 1],
    )
    assert len(made.part("train")) == 24 and len(made.part("val")) == 40
    assert made.repeats() == [3] * 4 + [1] * 20
    assert [c["class"] for c in made.record["corpora"]] == ["NCBIDisease", "BC5CDR"]
    with pytest.raises(ValueError, match="2 whole numbers"):
        Mixture(DISEASE, [NCBIDisease, BC5CDR], weights=[1])


def test_restricting_renumbers_relations() -> None:
    document = Document(
        "abc",
        (Entity(0, 1, "Other"), Entity(1, 2, "Gene"), Entity(2, 3, "Disease")),
        (Relation(1, 2, "Association"), Relation(0, 2, "Association")),
        meta={"title": 1, "concepts": ["O1", "G1", "D1"]},
    )
    kept = restrict(document, PAIR)
    assert [e.label for e in kept.entities] == ["Gene", "Disease"]
    assert kept.relations == (Relation(0, 1, "Association"),)
    assert kept.meta == {"title": 1}, "concepts of three entities do not fit two"


@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60),
    st.floats(0.05, 0.9),
    st.integers(0, 9),
)
def test_no_text_is_on_both_sides_of_a_cut(drawn: list[tuple[int, bool]], fraction: float, seed: int) -> None:
    entities = (Entity(0, 1, "Gene"), Entity(1, 2, "Disease"))
    documents = [
        Document(f"ab{n}", entities, (Relation(0, 1, "Association"),) if related else (), str(i))
        for i, (n, related) in enumerate(drawn)
    ]
    train, held = hold_out(documents, fraction, seed)
    assert not {d.text for d in train} & {d.text for d in held}
    assert sorted(int(d.id) for d in [*train, *held]) == list(range(len(documents)))
    assert draw(documents, len(documents), seed) == documents


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves one archive."""

    content = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def address() -> Iterator[str]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner/a.txt", "hello")
    Handler.content = packed.getvalue()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/corpus.zip"
    server.shutdown()


def test_a_download_is_checked_and_placed(address: str, tmp_path: Path) -> None:
    place = tmp_path / "corpus" / "a.txt"
    good = hashlib.sha256(b"hello").hexdigest()
    with pytest.raises(ValueError, match=f"has sha256 {good}, expected is 00"):
        fetch(address, {"inner/a.txt": place}, {"inner/a.txt": "00"})
    with pytest.raises(ValueError, match="not in the downloaded archive"):
        fetch(address, {"b.txt": place}, {"b.txt": None})
    assert list(place.parent.iterdir()) == []
    fetch(address, {"inner/a.txt": place}, {"inner/a.txt": good})
    assert place.read_text(encoding="utf-8") == "hello"
    assert [p.name for p in place.parent.iterdir()] == ["a.txt"]


def test_an_unreachable_address_tells_how_to_place_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NCBIDisease, "homepage", "http://127.0.0.1:9/")
    data = NCBIDisease(DISEASE, str(tmp_path))
    with pytest.raises(OSError, match="Remedy") as caught:
        data.prepare(["test"])
    for word in (str(tmp_path / "ncbi_disease" / "NCBItestset_corpus.txt"), "CLINSYNTH_DATA", "--data.root"):
        assert word in str(caught.value)
    with pytest.raises(FileNotFoundError, match=r"is missing\. Remedy"):
        data.part("test")


@pytest.mark.corpora
@pytest.mark.parametrize("corpus", [NCBIDisease, BC5CDR])
def test_real_corpora_have_the_published_counts(corpora: Path, corpus: type[PublishedCorpus]) -> None:
    task = DISEASE if corpus is NCBIDisease else CDR
    data: DocumentDataModule = corpus(task, str(corpora))
    for part, published in corpus.published.items():
        if part == "test" and corpus is BC5CDR:
            continue  # this file is not among the shared corpora
        data.part(part)
        record = data.record[part]
        found = {"documents": record["documents"], **record["entities"], **record["concept_relations"]}
        assert {k: found[k] for k in published} == published
        assert record["unmentioned"] == 0


@pytest.mark.corpora
def test_every_real_file_is_as_published_and_reads_back(corpora: Path, tmp_path: Path) -> None:
    files = sorted([*corpora.glob("*/*.txt"), *corpora.glob("*/*/*.tsv")])
    assert len(files) >= 27
    for file in files:
        name = registry.detect(file)
        documents = list(registry.read(file))
        assert documents and name in ("pubtator", "relation-tsv")
        assert registry.write(tmp_path / f"copy{file.suffix}", documents, name) == []
        (tmp_path / f"copy{file.suffix}").unlink()

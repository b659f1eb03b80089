"""Readers of published corpora: over the real files where they are, and over a local server."""

from __future__ import annotations

import hashlib
import http.server
import io
import logging
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinsynth.corpora import BC5CDR, BioRED, NCBIDisease
from clinsynth.corpora.published import PublishedCorpus, fetch
from clinsynth.formats import registry
from clinsynth.formats.counts import count


def test_a_folder_with_the_files_themselves_will_do(root: Path) -> None:
    assert len(list(NCBIDisease(str(root / "ncbi_disease")).documents("test"))) == 20


def test_the_variable_names_the_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINSYNTH_DATA", str(root))
    assert len(list(NCBIDisease().documents("test"))) == 20


def test_files_that_are_not_as_published_are_told(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        list(NCBIDisease(str(root)).documents("test"))
    assert "differs from the published file" in caplog.text


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
    corpus = NCBIDisease(str(tmp_path))
    with pytest.raises(OSError, match="Remedy") as caught:
        corpus.prepare(["test"])
    for word in (str(tmp_path / "ncbi_disease" / "NCBItestset_corpus.txt"), "CLINSYNTH_DATA", "--data.root"):
        assert word in str(caught.value)
    with pytest.raises(FileNotFoundError, match=r"is missing\. Remedy"):
        list(corpus.documents("test"))


def test_counts_by_split_are_those_of_the_authors_together() -> None:
    whole = sum((Counter(counts) for counts in BioRED.published.values()), Counter[str]())
    mentions = {  # Luo et al. 2022
        "GeneOrGeneProduct": 6697,
        "DiseaseOrPhenotypicFeature": 5545,
        "ChemicalEntity": 4429,
        "SequenceVariant": 1381,
        "OrganismTaxon": 2192,
        "CellLine": 175,
    }
    assert {label: whole[label] for label in mentions} == mentions and sum(mentions.values()) == 20419
    assert whole["documents"] == 600 and whole.total() == 600 + 20419 + 6503


@pytest.mark.corpora
@pytest.mark.parametrize("corpus", [NCBIDisease, BC5CDR, BioRED])
def test_real_corpora_have_the_published_counts(corpora: Path, corpus: type[PublishedCorpus]) -> None:
    for part, published in corpus.published.items():
        if part == "test" and corpus is not NCBIDisease:
            continue  # these files are not among the shared corpora
        counts = count(corpus(str(corpora)).documents(part))
        found = {"documents": counts.documents, **counts.entities, **counts.concept_relations}
        assert {label: found.get(label, 0) for label in published} == published
        assert counts.unmentioned == 0


@pytest.mark.corpora
def test_every_real_file_is_as_published_and_reads_back(corpora: Path, tmp_path: Path) -> None:
    files = sorted([*corpora.glob("*/*.txt"), *corpora.glob("*/*.PubTator"), *corpora.glob("*/*/*.tsv")])
    assert len(files) >= 29
    for file in files:
        name = registry.detect(file)
        documents = list(registry.read(file))
        assert documents and name in ("pubtator", "relation-tsv")
        assert registry.write(tmp_path / f"copy{file.suffix}", documents, name) == []
        (tmp_path / f"copy{file.suffix}").unlink()


@pytest.mark.corpora
def test_biored_reads_the_same_from_both_of_its_formats(corpora: Path) -> None:
    pubtator = list(BioRED(str(corpora)).documents("val"))
    bioc = list(BioRED(str(corpora), format="bioc").documents("val"))
    assert len(pubtator) == 100
    for document, same in zip(pubtator, bioc, strict=True):
        assert (document.text, set(document.entities)) == (same.text, set(same.entities))

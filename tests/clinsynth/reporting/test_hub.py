"""Cards and folders in the form of the Hugging Face Hub."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from datasets import load_dataset
from huggingface_hub import DatasetCard, ModelCard

from clinsynth.exporting.agreement import Agreement
from clinsynth.formats import jsonl
from clinsynth.reporting import model_card
from clinsynth.reporting.corpus_folder import Corpus
from clinsynth.reporting.hub_cards import model_card_text
from clinsynth.reporting.hub_dataset import write_dataset
from clinsynth.reporting.run_folder import Run
from tests.clinsynth.reporting.folders import write_corpus, write_run


def test_the_card_of_a_model_has_what_the_hub_reads(tmp_path: Path) -> None:
    run = Run(write_run(tmp_path / "run"))
    agreed = Agreement("a sentence", 10, 9, 50, 51, 49, {"abbreviations": 3, "tags": 0})
    text = model_card_text(model_card.of_run(run), run.evaluation, [agreed], "letters-ner", 128)
    card = ModelCard(text)
    assert card.data.library_name == "transformers" and card.data.pipeline_tag == "token-classification"
    assert card.data.base_model == "sentence-transformers/all-MiniLM-L6-v2"
    results = {result.metric_name: result.metric_value for result in card.data.eval_results}
    assert run.evaluation is not None
    assert results["strict f1"] == pytest.approx(
        run.evaluation.scores["scores"]["strict_f1"]["value"], abs=1e-4
    )
    assert "9 of 10 | 49 of 50 | 2 | 3 by abbreviations |" in text
    assert 'model="letters-ner"' in text and 'find("gout")' in text
    assert "## Limits" in text and "1" * 64 in text and "/home/jane" not in text


def test_a_written_corpus_loads_as_a_dataset(tmp_path: Path) -> None:
    corpus = Corpus(write_corpus(tmp_path / "written"))
    write_dataset(corpus, tmp_path / "hub")
    read = load_dataset(str(tmp_path / "hub"), split="train", cache_dir=str(tmp_path / "cache"))
    assert [row["text"] for row in read] == [document.text for document in corpus.documents]
    for row, document in zip(read, corpus.documents, strict=True):
        spans = [(e["start"], e["end"], e["label"], e["text"]) for e in row["entities"]]
        assert spans == [(e.start, e.end, e.label, document.mention(e)) for e in document.entities]
        assert [(r["head"], r["tail"], r["label"]) for r in row["relations"]] == [
            (r.head, r.tail, r.label) for r in document.relations
        ]
    assert list(jsonl.read(tmp_path / "hub" / "data" / "train.jsonl")) == list(corpus.documents)
    card = DatasetCard.load(tmp_path / "hub" / "README.md")
    assert card.data.size_categories == ["n<1K"] and "a tag is not closed" in card.text
    with pytest.raises(FileExistsError, match="Remedy"):
        write_dataset(corpus, tmp_path / "hub")


def test_meta_of_any_form_is_kept_as_text(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "written")
    lines = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
    for line, meta in zip(lines, ({"concepts": ["1"]}, {"concepts": 2, "x": None}), strict=True):
        line["meta"] = meta
    (folder / "corpus.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_dataset(Corpus(folder), tmp_path / "hub")
    read = load_dataset(str(tmp_path / "hub"), split="train", cache_dir=str(tmp_path / "cache"))
    assert [json.loads(row["meta"]) for row in read] == [{"concepts": ["1"]}, {"concepts": 2, "x": None}]


def test_real_text_is_not_written_for_sharing(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "annotated")
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "origin": "a language model annotated real text"}))
    with pytest.raises(ValueError, match="holds real text"):
        write_dataset(Corpus(folder), tmp_path / "hub")
    assert not (tmp_path / "hub").exists()


def test_the_head_is_yaml_whatever_is_in_a_name(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "written")
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "task": "a: [b] # c"}))
    write_dataset(Corpus(folder), tmp_path / "hub")
    head = (tmp_path / "hub" / "README.md").read_text().split("---\n")[1]
    assert yaml.safe_load(head)["pretty_name"] == "Synthetic corpus for a: [b] # c"


def test_a_path_of_the_machine_is_not_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("encoders", "private").mkdir(parents=True)
    run = Run(write_run(tmp_path / "run"))
    card = model_card.of_run(run)
    for encoder, base in (
        ("encoders/private", None),
        (str(tmp_path / "gone"), None),
        ("~/encoder", None),
        ("org/model", "org/model"),
        ("offline", "sentence-transformers/all-MiniLM-L6-v2"),
    ):
        facts = [(fact, encoder if fact == "Encoder" else value) for fact, value in card.facts]
        text = model_card_text(replace(card, encoder=encoder, facts=facts), None, [], "m", 128)
        assert ModelCard(text).data.base_model == base
        assert (base or "a folder of the machine") in text and (base == encoder or encoder not in text)

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from clinsynth.reporting.inputs import BundleInput, open_input
from clinsynth.reporting.page import render
from clinsynth_onnx.document import Document, Entity, Relation
from tests.clinsynth.reporting.folders import (
    FOUND,
    GOLD,
    OTHER,
    PAIRS,
    PHRASE,
    curves,
    write_corpus,
    write_run,
)


def words(page: str) -> str:
    """What a person reads."""
    without = re.sub(r"<(style|script|svg)\b.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", without).split())


def test_a_run_tells_all_but_its_texts(tmp_path: Path) -> None:
    page = render([open_input(write_run(tmp_path / "letters" / "1"))])
    read = words(page)
    for part in (
        "Run letters/1",
        "Finds entities (Disease, Drug) in letters of a clinic.",
        "What is wrong &lt;with&gt; the patient.",
        "Not a medical device.",
        "trained on text that a language model wrote",
        "2 training annotations could not be learned exactly: it overlaps.",
        "checkpoint best.ckpt",
        "1" * 64,
        "Exact offsets and label (strict)",
        "Labels taken for others",
        "expected calibration error",
        "3 mentions are right to the character, 3 are not",
        "wrong boundary",
        "lacking before severe 1",
        "found and missed by turns",
    ):
        assert part in read, part
    assert PHRASE not in page and "letter-1" not in page


def test_text_is_shown_when_it_is_asked_for_and_is_never_markup(tmp_path: Path) -> None:
    page = render([open_input(write_run(tmp_path / "run"))], show_text=True)
    assert PHRASE in page and "letter-1" in page
    assert "<b>" not in page and "&lt;b&gt;" in page
    assert "This page shows text of documents" in page
    assert "wrong label: Drug → Disease 0.60" in words(page)


def test_the_page_asks_nothing_of_a_network_and_has_no_id_twice(tmp_path: Path) -> None:
    inputs = [
        open_input(write_run(tmp_path / "a")),
        open_input(write_run(tmp_path / "b")),
        open_input(write_corpus(tmp_path / "corpus")),
    ]
    page = render(inputs, show_text=True)
    addresses = set(re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)""", page))
    assert {address for address in addresses if not address.startswith("#")} == {"data:,"}
    assert not re.search(r"@import|<link(?! rel=\"icon\")|<iframe", page)
    ids = Counter(re.findall(r'\bid="([^"]*)"', page))
    assert [name for name, n in ids.items() if n > 1] == []
    assert {address[1:] for address in addresses if address.startswith("#")} <= set(ids)


def test_several_runs_stand_side_by_side(tmp_path: Path) -> None:
    better = [(gold, replace(gold, entities=gold.entities[:3])) for gold, _ in PAIRS]
    first = write_run(tmp_path / "letters" / "1")
    second = write_run(tmp_path / "letters" / "2", better, epochs=7)
    page = words(render([open_input(first), open_input(second)]))
    assert "2 side by side" in page and "more than the first" in page
    assert re.search(r"letters/2 test-1 2 1\.0000 .*? \+0\.\d{4} \(", page)
    assert "trainer.max_epochs 3 7" in page and "seed_everything 0 0" not in page
    assert "different documents" not in page


def test_other_documents_are_told_and_not_compared(tmp_path: Path) -> None:
    first, second = write_run(tmp_path / "1"), write_run(tmp_path / "2", [PAIRS[0]])
    metrics = second / "checkpoints" / "test-1" / "metrics.json"
    metrics.write_text(metrics.read_text().replace("2" * 64, "4" * 64))
    page = words(render([open_input(first), open_input(second)]))
    assert "tested on different documents" in page
    assert "One document gives no interval" in page


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    untested = write_run(tmp_path / "untested", [])
    assert "This run was not tested" in words(render([open_input(untested)]))
    old = write_run(tmp_path / "old", gold=False)
    page = words(render([open_input(old)], show_text=True))
    assert "Exact offsets and label (strict)" in page and "kept no gold documents" in page
    bare = tmp_path / "bare"
    curves(bare, 0, "epoch,step,train_loss\n")
    page = words(render([open_input(bare)]))
    assert "so there are no curves" in page


def test_relations(tmp_path: Path) -> None:
    pairs = [
        (GOLD, replace(GOLD, relations=(Relation(1, 2, "Treats", 0.7),))),
        (replace(OTHER, relations=(Relation(0, 1, "Treats"),)),) * 2,
    ]
    run = write_run(tmp_path / "run", pairs, relations=True)
    page = words(render([open_input(run)], show_text=True))
    assert "Finds relations (Treats)" in page and "inside a sentence" in page
    assert "missed zorvexin → Treats → Severe gout" in page
    assert "spurious zorvexin → Treats → gout 0.70" in page
    assert "Errors by kind" not in page


def test_a_corpus_beside_a_real_one(tmp_path: Path) -> None:
    real = {"val": [replace(GOLD, id="real")], "test": [Document("Rest.")]}
    corpus = open_input(write_corpus(tmp_path / "corpus"), real)
    page = render([corpus])
    read = words(page)
    for part in (
        "Corpus letters",
        "Written for a test.",
        "tokens not recorded",
        "confidence no",
        "words of a document: median (least to most)",
        "a tag is not closed 1",
        "val 3 1 2",
        "test was not compared: not at hand",
        "What is like the real corpus now",
        "val 1 1 1",
    ):
        assert part in read, part
    assert PHRASE not in page and "hiccups" not in page
    assert "hiccups" in render([corpus], show_text=True)


def test_a_bundle_is_tried_on_documents(tiny_bundle: Path) -> None:
    page = words(render([open_input(tiny_bundle)]))
    assert "Compared with torch" in page and "onnxruntime fp32" in page and "too few to see a loss" in page
    gold = [Document("the gene of cancer and a fever", (Entity(12, 18, "Disease"),), id="a")]
    page = words(render([open_input(tiny_bundle, gold=gold)]))
    assert "these documents" in page and "Errors by kind" in page
    unknown = BundleInput(tiny_bundle, [FOUND.annotated((Entity(0, 3, "DISEASE"),))])
    with pytest.raises(ValueError, match="does not know: 1 DISEASE"):
        render([unknown])


def test_half_a_character_can_be_written(tmp_path: Path) -> None:
    from clinsynth.reporting.page import write

    text = GOLD.text[:-1] + "\ud83d"
    run = write_run(tmp_path / "run", [(replace(GOLD, text=text), replace(FOUND, text=text))])
    write(tmp_path / "page.html", [open_input(run)], show_text=True)
    assert "\\ud83d" in (tmp_path / "page.html").read_text(encoding="utf-8")

from __future__ import annotations

from pathlib import Path

import pytest

from clinsynth.cli.errors import main
from clinsynth.formats import jsonl
from clinsynth_onnx.document import Document, Entity

TEXT = "the gene of cancer and a fever"


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "mine.jsonl"
    jsonl.write(path, [Document(TEXT, (Entity(12, 18, "Disease"), Entity(25, 30, "Disease")), id="a")])
    return path


def test_counts_and_words_without_the_text(
    tiny_bundle: Path, labelled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(tiny_bundle), str(labelled)])
    shown = capsys.readouterr().out
    assert "1 documents" in shown and "missed" in shown and TEXT not in shown
    main([str(tiny_bundle), str(labelled), "--show_text=true"])
    assert TEXT in capsys.readouterr().out


def test_labels_that_the_model_does_not_know_are_told(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.jsonl"
    jsonl.write(path, [Document(TEXT, (Entity(0, 3, "DISEASE"),), id="a")])
    with pytest.raises(ValueError, match="--labels"):
        main([str(tiny_bundle), str(path)])
    main([str(tiny_bundle), str(path), '--labels={"DISEASE": "Disease"}'])
    assert "missed" in capsys.readouterr().out


def test_columns_whose_tags_have_no_type_are_read_with_one(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bare.tsv"
    path.write_text("the\tO\nfever\tB\n", encoding="utf-8")
    with pytest.raises(ValueError, match="--label Disease"):
        main([str(tiny_bundle), str(path)])
    main([str(tiny_bundle), str(path), "--format=iob2", "--label=Disease"])
    assert "1 documents" in capsys.readouterr().out


def test_relations_are_not_its_business(tiny_relation_bundle: Path, labelled: Path) -> None:
    with pytest.raises(ValueError, match="finds no entities"):
        main([str(tiny_relation_bundle), str(labelled)])

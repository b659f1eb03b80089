from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml

from clinsynth.cli.lightning import main
from clinsynth.datamodules.files import Files
from clinsynth.datamodules.ncbi_disease import NCBIDisease
from clinsynth.datamodules.self_training import SelfTraining, annotate
from clinsynth.formats import jsonl
from clinsynth_onnx.bundle import Bundle
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.predictor import Predictor
from clinsynth_onnx.schema import Schema
from tests.test_architecture import MODULES, imports

WORDS = "the gene of cancer and a fever in one caf\u00e9"


def note(name: str, words: str) -> Document:
    """A note of one's own, with a label that must not be looked at."""
    return Document(words, (Entity(0, 3, "Secret"),), id=name)


def student(folder: Path, bundle: Path, schema: Schema, *more: Path) -> SelfTraining:
    """Labelled splits in ``folder``, and notes beside them."""
    for split in ("train", "val", "test"):
        text = f"A {split} text of cancer and nine further words to compare by."
        jsonl.write(folder / f"{split}.jsonl", [Document(text, (Entity(2, 5, "Gene"),), id=split)])
    leak = "As said: a val text of cancer and nine further words to compare by."
    notes = [note("n1", WORDS), note("test", "gene"), note("n2", leak)]
    jsonl.write(folder / "notes.jsonl", notes)
    return SelfTraining(
        schema,
        lambda task: Files(task, *(str(folder / f"{split}.jsonl") for split in ("train", "val", "test"))),
        str(bundle),
        [str(folder / "notes.jsonl"), *map(str, more)],
        folder=str(folder / "kept"),
    )  # fmt: skip


def test_teachers_annotate_what_is_not_tested_on(tmp_path: Path, tiny_bundle: Path, schema: Schema) -> None:
    data = student(tmp_path, tiny_bundle, schema)
    data.prepare(["train", "val"])
    train = data.task_documents("train")
    with Predictor.load(tiny_bundle) as teacher:
        expected = {(e.start, e.end, e.label) for e in teacher(WORDS).entities}
    assert [document.id for document in train] == ["train", "n1"]
    assert {(e.start, e.end, e.label) for e in train[1].entities} == expected
    assert [document.id for document in data.task_documents("test")] == ["test"]
    told = data.record["unlabelled"]
    assert told["left_out"] == {"same id as one of val or test": 1, "overlaps val or test": 1}
    assert told["documents"] == 1 and told["mentions"] == len(expected)
    assert told["teachers"] == {str(tiny_bundle): Bundle.open(tiny_bundle).manifest_sha256}


def test_what_teachers_annotate_says_nothing_of_relations(
    tmp_path: Path, tiny_bundle: Path, schema: Schema
) -> None:
    data = student(tmp_path, tiny_bundle, schema)
    data.prepare(["train"])
    assert [document.states_relations for document in data.task_documents("train")] == [True, False]


def test_what_was_annotated_is_not_annotated_again(
    tmp_path: Path, tiny_bundle: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    student(tmp_path, tiny_bundle, schema).prepare(["train"])
    monkeypatch.setattr(Predictor, "load", None)
    again = student(tmp_path, tiny_bundle, schema)
    again.prepare(["train"])
    assert len(again.task_documents("train")) == 2
    (tmp_path / "more.txt").write_text("A further note.")
    with pytest.raises(TypeError):
        student(tmp_path, tiny_bundle, schema, tmp_path / "more.txt").prepare(["train"])


def test_of_a_corpus_so_much_is_annotated_as_it_gives(
    tmp_path: Path, root: Path, tiny_bundle: Path, schema: Schema
) -> None:
    data = student(tmp_path, tiny_bundle, schema)
    data.corpus = NCBIDisease(schema, root=str(root), few_shot=3)
    data.prepare(["train"])
    assert len(data.task_documents("train")) == 2 + 3
    assert [path.suffix for path in (tmp_path / "kept").iterdir()] == [".jsonl"], "no draft is left"


def test_more_than_half_of_the_teachers_have_to_agree(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = iter([[(0, 3), (4, 8)], [(0, 3), (4, 6)], [(0, 3), (4, 8)]])

    def stream(self: Predictor, texts: list[Document]) -> list[Document]:
        found = tuple(Entity(*span, "Gene", 0.5) for span in next(spans))
        return [text.annotated(found) for text in texts]

    monkeypatch.setattr(Predictor, "stream", stream)
    (found,) = annotate([Document(WORDS)], [tiny_bundle] * 3)
    assert found.entities == (Entity(0, 3, "Gene"), Entity(4, 8, "Gene"))


def test_no_text_leaves_the_machine(
    tmp_path: Path, tiny_bundle: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    data = student(tmp_path, tiny_bundle, schema)
    data.prepare(["train"])
    assert len(data.task_documents("train")) == 2


def test_it_has_no_way_to_a_language_model() -> None:
    reached, ahead = set[str](), ["clinsynth.datamodules.self_training"]
    while ahead:
        module = ahead.pop()
        if module in MODULES and module not in reached:
            reached.add(module)
            ahead += [name for _, name in imports(MODULES[module], set(MODULES))]
    assert len(reached) > 10
    assert not [name for name in reached if name.startswith(("clinsynth.llm", "clinsynth.synthesis"))]


def test_what_is_missing_is_told(tmp_path: Path, tiny_relation_bundle: Path, schema: Schema) -> None:
    with pytest.raises(ValueError, match=r"--data\.teachers"):
        SelfTraining(schema, Files, [], "notes")
    with pytest.raises(ValueError, match=r"--data\.unlabelled"):
        SelfTraining(schema, Files, "bundle")
    with pytest.raises(ValueError, match="finds no entities"):
        student(tmp_path, tiny_relation_bundle, schema).prepare(["train"])


def test_a_teacher_and_a_student_by_two_commands(
    tmp_path: Path, tiny_encoder: str, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    student(tmp_path, tmp_path, schema)
    files = {"class_path": "Files", "init_args": {p: f"{p}.jsonl" for p in ("train", "val", "test")}}
    task = {"name": "tiny", "entities": {"Gene": {}, "Disease": {}}}
    trainer = {"max_epochs": 1, "accelerator": "cpu", "logger": False, "enable_progress_bar": False}
    model = {"class_path": "TokenClassification", "init_args": {"encoder": tiny_encoder}}
    config = {"task": task, "model": model, "data": files, "trainer": trainer}
    Path("teacher.yaml").write_text(yaml.safe_dump(config))
    of = {"labelled": files, "teachers": "teacher", "folder": "kept"}
    config["data"] = {"class_path": "SelfTraining", "init_args": of}
    Path("student.yaml").write_text(yaml.safe_dump(config))
    main(["fit", "--config=teacher.yaml", "--run=teacher", "--export=true"])
    main(["fit", "--config=student.yaml", "--run=student", "--data.unlabelled=notes.jsonl"])
    told = yaml.safe_load(Path("student/data.json").read_text())["unlabelled"]
    assert told["files"] == ["notes.jsonl"] and told["documents"] == 1
    assert len(list(Path("kept").iterdir())) == 1

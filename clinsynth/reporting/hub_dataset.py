"""A written corpus as a folder that the ``datasets`` library loads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clinsynth.reporting.corpus_folder import Corpus
from clinsynth.reporting.hub_cards import dataset_card_text
from clinsynth_onnx.document import Document
from clinsynth_onnx.files import json_line

ORIGIN = "origin"  # what a card has if its texts were given and not written
FILE = "data/train.jsonl"
ENTITY = {"start": "int64", "end": "int64", "label": "string", "text": "string"}
RELATION = {"head": "int64", "tail": "int64", "label": "string"}


def write_dataset(corpus: Corpus, out: Path) -> None:
    """Writes the texts as JSON lines and the card as README.md.

    Each line has ``id``, ``text``, ``entities`` (with the text of each) and ``relations``; where documents
    have ``meta``, it is JSON in a string, because a column of a dataset has one type.

    Raises:
        ValueError: The texts are real ones that a language model annotated: they have owners.
        FileExistsError: There is something at ``out``.
    """
    if ORIGIN in corpus.card:
        raise ValueError(
            f"{corpus.folder} holds real text ({corpus.card[ORIGIN]}). Remedy: share a corpus that was "
            "written, or convert this one (clinsynth corpus convert) once you know that its terms allow it"
        )
    if out.exists():
        raise FileExistsError(f"{out} exists already. Remedy: remove it, or write elsewhere")
    with_meta = any(document.meta for document in corpus.documents)
    path = out / FILE
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(json_line(_row(document, with_meta)) for document in corpus.documents)
    columns = _columns(with_meta)
    columns["splits"] = [
        {"name": "train", "num_bytes": path.stat().st_size, "num_examples": len(corpus.documents)}
    ]
    card = dataset_card_text(corpus, FILE, columns)
    (out / "README.md").write_text(card, encoding="utf-8")


def _row(document: Document, with_meta: bool) -> dict[str, Any]:
    row = document.to_json(mentions=True)
    for annotation in (*row["entities"], *row["relations"]):
        annotation.pop("score", None)  # written text is gold
    meta = row.pop("meta")
    return {**row, "meta": json.dumps(meta, ensure_ascii=False)} if with_meta else row


def _columns(with_meta: bool) -> dict[str, Any]:
    features: list[dict[str, Any]] = [
        {"name": "id", "dtype": "string"},
        {"name": "text", "dtype": "string"},
        {"name": "entities", "list": _fields(ENTITY)},
        {"name": "relations", "list": _fields(RELATION)},
    ]
    return {"features": [*features, *([{"name": "meta", "dtype": "string"}] if with_meta else [])]}


def _fields(types: dict[str, str]) -> Sequence[dict[str, str]]:
    return [{"name": name, "dtype": dtype} for name, dtype in types.items()]

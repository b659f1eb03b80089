"""What a run learned from, and how much of it repeats what is scored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clinsynth.curation.leaks import audit
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Layout, Schema
from clinsynth_onnx.sentences import sentences


def training_texts(run: Path, schema: Schema, relations: bool) -> list[Document]:
    """The documents that a run was trained on, built again from its config.

    Args:
        run: The run folder.
        schema: The task.
        relations: Whether it learned relations, and so nothing of documents that do not state theirs.
    """
    from clinsynth.datamodules.of_run import data_of_run  # imports torch, which takes seconds

    data = data_of_run(run / "config.yaml", schema)
    data.prepare(["train", "val"])
    return [text for text in data.task_documents("train") if text.states_relations or not relations]


def amounts(documents: Iterable[Document], layout: Layout = "prose") -> dict[str, int]:
    """Documents, sentences, mentions and relations."""
    found = {"documents": 0, "sentences": 0, "mentions": 0, "relations": 0}
    for document in documents:
        found["documents"] += 1
        found["sentences"] += len(sentences(document, layout))
        found["mentions"] += len(document.entities)
        found["relations"] += len(document.relations)
    return found


@dataclass
class Overlaps:
    """Which texts repeat what is scored, each looked at once.

    Attributes:
        gold: The documents that are scored.
        layout: How sentences end in these texts.
    """

    gold: Sequence[Document]
    layout: Layout = "prose"
    _judged: dict[str, bool] = field(default_factory=dict)

    def count(self, documents: Iterable[Document]) -> dict[str, Any]:
        """How many of the different texts share eight words in a row, or a sentence, with what is scored."""
        texts = {document.text: document for document in documents}
        fresh = [document for text, document in texts.items() if text not in self._judged]
        leaky = {leak.document for leak in audit(fresh, {"test": self.gold}, layout=self.layout)}
        self._judged |= {document.text: i in leaky for i, document in enumerate(fresh)}
        return {"texts": len(texts), "overlapping": sum(self._judged[text] for text in texts)}

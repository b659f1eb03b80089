"""Letters with mentions in brackets: ``Took [zorvexin|Drug] for her [tremor|Symptom].``"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clinsynth.corpora.base import Split
from clinsynth.datamodules import DocumentDataModule
from clinsynth.formats.lines import read_lines
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import Schema

MENTION = re.compile(r"\[([^|\]]+)\|(\w+)\]")


class Letters(DocumentDataModule):
    """A folder with ``train.txt``, ``val.txt`` and ``test.txt``, a letter a line.

    Args:
        schema: The task.
        folder: Folder of the three files.
        settings: Options that all data modules share.
    """

    def __init__(self, schema: Schema, folder: str, **settings: Any) -> None:
        super().__init__(schema, **settings)
        self.folder = Path(folder)

    def documents(self, split: Split) -> Iterator[Document]:
        for number, line in enumerate(read_lines(self.folder / f"{split}.txt"), 1):
            yield parse(line, f"{split}-{number}")


def parse(line: str, identifier: str) -> Document:
    """The letter without its brackets, and its mentions."""
    text, entities, done = "", [], 0
    for match in MENTION.finditer(line):
        text += line[done : match.start()]
        entities.append(Entity(len(text), len(text) + len(match[1]), match[2]))
        text += match[1]
        done = match.end()
    return Document(text + line[done:], tuple(entities), id=identifier)

"""Where written text comes from: corpus files, recorded replies, or a language model that is asked."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clinsynth.corpora.base import SPLITS, DocumentSource, at_hand
from clinsynth.curation.curate import Curation, curate
from clinsynth.formats import jsonl
from clinsynth.formats.rejects import by_reason
from clinsynth.llm.batch import read_replies
from clinsynth.synthesis.card import CARD
from clinsynth.synthesis.generate import CORPUS, REJECTS, Generation, generate, parse_all
from clinsynth.synthesis.plan import requests_of
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

log = logging.getLogger("clinsynth")


class WrittenText:
    """Text that was written for a task, or is once it is asked for.

    Attributes:
        per_machine: Whether each machine of a cluster prepares it for itself.
        record: What is worth keeping of how it came about, in plain values; filled by the two methods.
    """

    per_machine = True

    def __init__(self) -> None:
        self.record: dict[str, Any] = {}

    def prepare(self, schema: Schema, real: DocumentSource | None, renew: bool) -> None:
        """What has to be done once, before training.

        Args:
            schema: The task.
            real: A real corpus, which the text must not repeat.
            renew: Whether text that is there already is brought up to date.
        """

    def documents(self, schema: Schema, real: DocumentSource | None) -> list[Document]:
        """All of the text."""
        raise TypeError(f"{type(self).__name__} must say where its documents come from")

    def origin(self, schema: Schema) -> str:
        """Where it comes from, for messages."""
        return type(self).__name__


class CorpusFiles(WrittenText):
    """What ``clinsynth generate`` wrote.

    Args:
        files: Corpus files; ``.gz`` too.
    """

    def __init__(self, files: list[str]) -> None:
        super().__init__()
        self.files = files

    def documents(self, schema: Schema, real: DocumentSource | None) -> list[Document]:
        return [document for path in self.files for document in jsonl.read(Path(path))]

    def origin(self, schema: Schema) -> str:
        return f"{', '.join(self.files)} as jsonl"


class RecordedReplies(WrittenText):
    """Replies of a language model that were recorded, without a server.

    Args:
        files: Files of recorded replies; ``.gz`` too.
        curation: Thresholds of what is left out: duplicates and leaks.
    """

    def __init__(self, files: list[str], curation: Curation = Curation()) -> None:  # noqa: B008
        super().__init__()
        self.files = files
        self.curation = curation

    def prepare(self, schema: Schema, real: DocumentSource | None, renew: bool) -> None:
        compared(real, self.curation, fetch=True)

    def documents(self, schema: Schema, real: DocumentSource | None) -> list[Document]:
        replies = (reply for path in self.files for reply in read_replies(Path(path)))
        parsed = parse_all(replies, schema)
        splits, absent = compared(real, self.curation, fetch=False)
        curated = curate(parsed.documents, schema, self.curation, splits)
        rejects = by_reason([*parsed.rejects, *curated.rejects])
        self.record = {"rejected": rejects, "not_compared": absent, **curated.report.to_json()}
        log.info("synthetic text: %d documents; left out: %s", len(curated.documents), rejects or "none")
        return curated.documents

    def origin(self, schema: Schema) -> str:
        return f"{', '.join(self.files)} as recorded replies"


class GeneratedText(WrittenText):
    """What a language model writes when it is asked, before training. What the cache has is not asked again.

    It is asked by one process. On a cluster run ``clinsynth generate`` first, and name the corpus it wrote.

    Args:
        generation: Settings of the requests, of the server and of what is left out.
        folder: Folder that the corpus and its card are written to. Default: runs/TASK/synthetic.
    """

    per_machine = False

    def __init__(self, generation: Generation = Generation(), folder: str | None = None) -> None:  # noqa: B008
        super().__init__()
        self.generation = generation
        self.folder = folder

    def prepare(self, schema: Schema, real: DocumentSource | None, renew: bool) -> None:
        folder = self._folder(schema)
        if not renew and (folder / CORPUS).exists():
            return
        requests = requests_of(schema, self.generation.plan)
        splits, absent = compared(real, self.generation.curation, fetch=True)
        summary = generate(schema, requests, folder, self.generation, splits, absent).summary
        if summary.failures or summary.left:
            log.warning(
                "%d requests failed and %d were not asked%s: training goes on without their texts, see %s",
                len(summary.failures),
                summary.left,
                f" ({summary.stopped})" if summary.stopped else "",
                folder / REJECTS,
            )
        self.record = json.loads((folder / CARD).read_text(encoding="utf-8"))

    def documents(self, schema: Schema, real: DocumentSource | None) -> list[Document]:
        corpus = self._folder(schema) / CORPUS
        if not corpus.stat().st_size:
            raise ValueError(
                f"the language model wrote no text that can be used. Remedy: see {corpus.with_name(REJECTS)}"
            )
        return list(jsonl.read(corpus))

    def origin(self, schema: Schema) -> str:
        return f"{self._folder(schema) / CORPUS} as jsonl"

    def _folder(self, schema: Schema) -> Path:
        return Path(self.folder or f"runs/{schema.name}/synthetic")


def compared(
    real: DocumentSource | None, curation: Curation, fetch: bool
) -> tuple[dict[str, Sequence[Document]], dict[str, str]]:
    """Parts of the real corpus that no training text may repeat, and those that are not at hand."""
    dropped = {"val", "test", *curation.drop_leaks}
    return at_hand(real, [split for split in SPLITS if split in dropped], fetch) if real else ({}, {})

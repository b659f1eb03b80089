"""Text that a language model wrote."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from clinsynth.curation.curate import Curation, curate
from clinsynth.datamodules.base import SPLITS, DocumentDataModule, Split
from clinsynth.datamodules.cuts import hold_out
from clinsynth.formats import jsonl
from clinsynth.formats.rejects import by_reason
from clinsynth.llm.batch import read_replies
from clinsynth.synthesis.card import CARD
from clinsynth.synthesis.generate import CORPUS, REJECTS, Generation, generate, parse_all
from clinsynth.synthesis.plan import requests_of
from clinsynth_onnx.document import Document
from clinsynth_onnx.relation_codec import RelationCodec
from clinsynth_onnx.schema import Schema

log = logging.getLogger("clinsynth")


class Synthetic(DocumentDataModule):
    """Trains on synthetic text: from a corpus file, recorded replies, or a language model that is asked.

    A corpus is asked for on one process, before training. On a cluster run ``clinsynth generate`` first, and
    name the corpus that it wrote.

    Args:
        schema: The task; documents keep the entities that it knows.
        corpus: A corpus file or several, as ``clinsynth generate`` writes them; ``.gz`` too.
        replies: A file of recorded replies or several, read with the curation of ``generation``.
        generation: How to ask a language model, if neither of the others is given.
        folder: Where what was asked for is written.
        real: A real corpus to test on. With ``replies`` or ``generation``, what overlaps those of its
            validation and test parts that are at hand is left out.
        validation: The best checkpoint is chosen on a held-back tenth of the synthetic text, drawn by
            ``seed``, or on the validation part of ``real``.
        batch_tokens: See ``DocumentDataModule``.
        eval_batch_tokens: See ``DocumentDataModule``.
        fraction: See ``DocumentDataModule``.
        few_shot: See ``DocumentDataModule``.
        seed: See ``DocumentDataModule``.
    """

    def __init__(
        self,
        schema: Schema,
        corpus: str | list[str] | None = None,
        replies: str | list[str] | None = None,
        generation: Generation | None = None,
        folder: str | None = None,
        real: Callable[[Schema], DocumentDataModule] | None = None,
        validation: Literal["synthetic", "real"] = "synthetic",
        batch_tokens: int = 1280,
        eval_batch_tokens: int = 2048,
        fraction: float = 1.0,
        few_shot: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(schema, batch_tokens, eval_batch_tokens, fraction, few_shot, seed)
        if corpus and (replies or generation):
            raise ValueError("'corpus' goes without 'replies' and 'generation'")
        if validation == "real" and real is None:
            raise ValueError("validation on real text needs a corpus under 'real'")
        self.corpus = [corpus] if isinstance(corpus, str) else corpus
        self.replies = [replies] if isinstance(replies, str) else replies
        self.generation = generation
        self.folder = Path(folder or f"runs/{schema.name}/synthetic")
        self.real = real(schema) if real else None
        self.validation = validation
        self._written: list[Document] | None = None
        if generation and not replies:
            self.prepare_data_per_node = False  # the model is asked once, not on every machine

    def lacks(self, split: Split) -> bool:
        return self.real is None and (split == "test" or (split == "val" and self.validation == "real"))

    def prepare(self, splits: Iterable[Split]) -> None:
        wanted = set(splits)
        reads = not self.corpus and (
            "train" in wanted or ("val" in wanted and self.validation == "synthetic")
        )
        if self.real is not None:
            validates = "val" in wanted and self.validation == "real"
            needed = {"val": validates, "test": "test" in wanted}
            self.real.prepare([split for split in SPLITS if needed.get(split)])
        if self.replies and reads:
            self._compared(fetch=True)
        elif self.generation and reads and ("train" in wanted or not (self.folder / CORPUS).exists()):
            self._generate(self.generation)

    def documents(self, split: Split) -> Sequence[Document]:
        if split == "test" or (split == "val" and self.validation == "real"):
            if self.real is None:
                raise ValueError("there is nothing to test on. Remedy: name a corpus with --data.real")
            return list(self.real.documents(split))
        if self._written is None:
            self._written = self._usable(self._read())
        if self.validation == "real":
            return self._written
        train, val = hold_out(self._written, 0.1, self.seed)
        if not val:
            raise ValueError(
                f"{len(train)} documents are too few to hold a part of them back. Remedy: write more text"
            )
        return train if split == "train" else val

    def predict_documents(self) -> Iterable[Document]:
        return self.real.predict_documents() if self.real else self.documents("test")

    def _generate(self, settings: Generation) -> None:
        requests = requests_of(self.schema, settings.plan)
        written = generate(self.schema, requests, self.folder, settings, *self._compared(fetch=True))
        summary = written.summary
        if summary.failures or summary.left:
            log.warning(
                "%d requests failed and %d were not asked%s: training goes on without their texts, see %s",
                len(summary.failures),
                summary.left,
                f" ({summary.stopped})" if summary.stopped else "",
                self.folder / REJECTS,
            )
        self.record["synthetic"] = json.loads((self.folder / CARD).read_text(encoding="utf-8"))

    def _read(self) -> list[Document]:
        if self.corpus:
            return [one for path in self.corpus for one in jsonl.read(Path(path))]
        if self.replies:
            parsed = parse_all(
                (reply for path in self.replies for reply in read_replies(Path(path))), self.schema
            )
            real, absent = self._compared(fetch=False)
            curated = curate(parsed.documents, self.schema, self._curation, real)
            rejects = by_reason([*parsed.rejects, *curated.rejects])
            self.record["synthetic"] = {
                "rejected": rejects,
                "not_compared": absent,
                **curated.report.to_json(),
            }
            log.info("synthetic text: %d documents; left out: %s", len(curated.documents), rejects or "none")
            return curated.documents
        if self.generation:
            if not (self.folder / CORPUS).stat().st_size:
                raise ValueError(
                    f"the language model wrote no text that can be used. Remedy: see {self.folder / REJECTS}"
                )
            return list(jsonl.read(self.folder / CORPUS))
        raise ValueError(
            "there is no synthetic text. Remedy: name --data.corpus, --data.replies or --data.generation"
        )

    @property
    def _curation(self) -> Curation:
        return self.generation.curation if self.generation else Curation()

    def _compared(self, fetch: bool) -> tuple[dict[str, list[Document]], dict[str, str]]:
        """Parts of the real corpus that no training text may repeat, and those that are not at hand."""
        dropped = {"val", "test", *self._curation.drop_leaks}
        parts = [split for split in SPLITS if split in dropped]
        return self.real.at_hand(parts, fetch) if self.real else ({}, {})

    def _usable(self, documents: list[Document]) -> list[Document]:
        """For a relation model, those of which it is known which relations they state."""
        if self.trainer is None or not isinstance(self._codec(), RelationCodec):
            return documents
        known = [one for one in documents if one.states_relations]
        if len(known) < len(documents):
            log.warning(
                "%d of %d documents state nothing of relations and are left out",
                len(documents) - len(known),
                len(documents),
            )
        return known

"""A language model that is asked for the annotations themselves: the baseline that needs no training."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from clinsynth.datamodules.batches import DocumentBatch
from clinsynth.formats.rejects import Rejected, write_ledger
from clinsynth.llm.budget import Budget
from clinsynth.llm.cache import CACHE, ReplyCache
from clinsynth.llm.requests import Reply, Request
from clinsynth.llm.runner import RequestRunner
from clinsynth.llm.server import Server
from clinsynth.metrics.metric import ConceptScores, DocumentScores, EntityScores, RelationScores
from clinsynth.models.annotator import DocumentAnnotator
from clinsynth.synthesis.annotation import (
    Annotation,
    AnnotationSettings,
    entity_request,
    read_entities,
    read_relations,
    relation_request,
)
from clinsynth.synthesis.answer_form import MaxTokensField, ResponseFormat
from clinsynth.synthesis.prompts import default_unit
from clinsynth.synthesis.real_text import check_allowed, request_name, settled
from clinsynth_onnx.codec import Features
from clinsynth_onnx.concepts import with_concept_relations
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

log = logging.getLogger("clinsynth")

SENDING = "this model sends the texts of the corpus"
UNSHOWABLE = "mentions overlap, which tags cannot show"


class PlainTexts:
    """What a data module encodes with: texts are sent as they are, so that there are no sequences."""

    def encode(self, documents: Sequence[Document]) -> Features:
        """The documents without any sequences."""
        return Features(tuple(documents), (), (), ())


class ZeroShot(DocumentAnnotator):
    """Asks a language model for the entities, or for the relations between given entities.

    It sends the text of a corpus, as else only ``clinsynth generate annotate`` does, and refuses to unless
    told that it may. Replies are cached, so that a test that was stopped goes on, and its repetition costs
    nothing.

    Args:
        schema: Task whose definitions and guidelines are the prompt.
        llm: Name that the server knows the language model by.
        allow_real_text: Whether the texts of the corpus may be sent to the server.
        finds: What is asked for, entities or relations; relations if the task describes only these.
        server: Server of the language model.
        budget: Limits of tokens and money.
        cache: Folder of replies that were paid for.
        temperature: Temperature of sampling; null leaves it to the server.
        max_tokens: Tokens of an answer, at most; null leaves it to the server.
        max_tokens_field: Name of that limit in requests.
        response_format: Form of answers: json_schema where the server has structured outputs, else
            json_object or none.
    """

    def __init__(
        self,
        schema: Schema,
        llm: str,
        allow_real_text: bool = False,
        finds: Literal["entities", "relations"] | None = None,
        server: Server = Server(),  # noqa: B008
        budget: Budget = Budget(),  # noqa: B008
        cache: Path = CACHE,
        temperature: float | None = 0.0,
        max_tokens: int | None = 4096,
        max_tokens_field: MaxTokensField = "max_tokens",
        response_format: ResponseFormat = "json_schema",
    ) -> None:
        self.finds = finds or ("relations" if default_unit(schema) == "pair" else "entities")
        if self.finds == "relations" and not schema.relations:
            raise ValueError(f"task {schema.name!r} has no relations to find")
        self.monitor = "val_strict_f1" if self.finds == "entities" else "val_f1"
        super().__init__(schema)
        self.codec = PlainTexts()
        self.allow_real_text = allow_real_text
        self.server = server
        self.cache = cache
        self._runner = RequestRunner(server, budget)
        self.asking = AnnotationSettings(llm, temperature, max_tokens, max_tokens_field, response_format)
        self._rejects: list[Rejected] = []

    def build_scores(self) -> DocumentScores:
        if self.finds == "entities":
            return EntityScores(self.schema.entity_labels)
        return (
            RelationScores(self.schema) if default_unit(self.schema) == "pair" else ConceptScores(self.schema)
        )

    def setup(self, stage: str) -> None:
        """Refuses to send text unless that was allowed."""
        check_allowed(self.allow_real_text, SENDING, self.server, "--model.allow_real_text")

    def annotate(self, batch: DocumentBatch) -> list[Document]:
        """Documents as the language model reads them; what it did not annotate usably has nothing."""
        documents = batch.features.documents
        asked: dict[int, Request] = {}
        for place, (index, document) in enumerate(zip(batch.indices, documents, strict=True)):
            request = self._request(document, index)
            if request is not None:
                asked[place] = request
        requests = list(asked.values())
        with ReplyCache(self.cache) as cache:
            summary = self._runner.run(requests, cache)
            best = [cache.reply(request) for request in requests]
        if summary.stopped:
            raise ValueError(f"{summary.stopped}, so that there is no score. Remedy: start again with more")
        found = [with_concept_relations(document, ()) for document in documents]
        for place, reply in zip(asked, settled(requests, best, summary), strict=True):
            annotation = self._read(reply, documents[place])
            self._rejects += annotation.rejects
            found[place] = annotation.document
        return found

    def on_test_end(self) -> None:
        """Tells what could not be used, and keeps it in the run's folder."""
        if self._rejects:
            path = Path(self.trainer.default_root_dir) / f"rejects-{self.global_rank}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_ledger(path, self._rejects)
            reasons = Counter(reject.reason for reject in self._rejects)
            told = ", ".join(f"{reason}: {number}" for reason, number in reasons.most_common())
            log.warning("parts of the answers were of no use and count as nothing found: %s (%s)", told, path)

    def on_validation_end(self) -> None:
        self.on_test_end()

    def on_predict_end(self) -> None:
        self.on_test_end()

    def _request(self, document: Document, index: int) -> Request | None:
        """What to ask; nothing where there is no pair to judge."""
        name = request_name(self.schema.name, self.finds, index)
        if self.finds == "entities":
            return entity_request(name, document.text, self.schema, self.asking)
        if not any(self.schema.candidate_pairs(document)):
            return None
        try:
            return relation_request(name, document, self.schema, self.asking)
        except ValueError as error:
            self._rejects.append(Rejected(UNSHOWABLE, "", document.id, str(error)))
            return None

    def _read(self, reply: Reply, document: Document) -> Annotation:
        return (read_entities if self.finds == "entities" else read_relations)(reply, document, self.schema)

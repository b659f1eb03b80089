"""A training corpus of given texts that a language model annotates; labels they have stay here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clinsynth.curation.balance import balance
from clinsynth.curation.flaws import Flaw, without
from clinsynth.formats import jsonl
from clinsynth.formats.rejects import Rejected, by_reason, write_ledger
from clinsynth.llm.budget import Budget
from clinsynth.llm.cache import CACHE, ReplyCache
from clinsynth.llm.requests import Reply, Request
from clinsynth.llm.runner import RequestRunner
from clinsynth.llm.server import Server
from clinsynth.synthesis import card
from clinsynth.synthesis.annotation import AnnotationSettings, entity_request, read_entities
from clinsynth.synthesis.generate import CORPUS, REJECTS, Written, ask, files_of, paid
from clinsynth.synthesis.real_text import check_allowed, request_name, settled
from clinsynth_onnx.document import RELATIONS_NOT_STATED, Document
from clinsynth_onnx.schema import Layout, Schema

BLANK = "the text is blank"
UNKNOWN = "taken out, as nothing is known of its mentions"


@dataclass(frozen=True)
class TextAnnotation:
    """How given texts are annotated.

    Args:
        allow_real_text: Whether the texts may be sent to the server.
        server: Server of the language model.
        budget: Limits of tokens and money.
        cache: Folder of replies that were paid for.
        notes: Words on the card for users of the corpus.
        replay: Whether to ask nothing and make do with the replies in the cache.
    """

    allow_real_text: bool = False
    server: Server = field(default_factory=Server)
    budget: Budget = field(default_factory=Budget)
    cache: Path = CACHE
    notes: str = ""
    replay: bool = False


@dataclass(frozen=True, slots=True)
class AnnotationAccount:
    """How a corpus of annotated texts came about; holds no text of a document.

    Args:
        task: The task's name.
        exchange: What was asked and answered, as ``card.exchange`` tells it.
        given: Number of texts that were given.
        documents: What became of them.
        rejected: How often each reason of a rejection occurs.
        files: Files to name with their sha256.
        notes: Whatever else a user of the corpus has to know.
        layout: Whether the texts are prose or lines.
    """

    task: str
    exchange: Mapping[str, Any]
    given: int
    documents: Sequence[Document]
    rejected: Mapping[str, int]
    files: Mapping[str, Path]
    notes: str = ""
    layout: Layout = "prose"

    @property
    def title(self) -> str:
        """The heading of the card."""
        return f"Real text annotated by a language model for {self.task}"

    def to_json(self) -> dict[str, Any]:
        """Plain values, in the order in which the card shows them."""
        return {
            "task": self.task,
            "notes": self.notes,
            **({"layout": self.layout} if self.layout != "prose" else {}),
            "origin": "a language model annotated real text; its mentions are no gold labels",
            **self.exchange,
            "texts_given": self.given,
            "rejected": dict(self.rejected),
            "corpus": balance(self.documents, self.layout),
            **card.provenance(self.files),
        }


def requests_for(texts: Sequence[Document], schema: Schema, asking: AnnotationSettings) -> dict[int, Request]:
    """Requests for the entities of texts that are not blank, by the number of the text, from 0.

    They hold the texts and the task, and no label of ``texts``; ``ZeroShot`` asks the same.
    """
    return {
        i: entity_request(request_name(schema.name, "entities", i), document.text, schema, asking)
        for i, document in enumerate(texts)
        if document.text.strip()
    }


def annotate_texts(
    schema: Schema,
    texts: Sequence[Document],
    asking: AnnotationSettings,
    out: Path,
    settings: TextAnnotation,
) -> Written:
    """Writes plan, replies, corpus and rejects as JSON lines, and the card.

    Args:
        schema: Task whose definitions and guidelines are the prompt.
        texts: Documents whose texts are annotated; their labels are neither sent nor kept.
        asking: How the model is asked.
        out: Folder to write to.
        settings: Whether, where and how far to ask.

    Raises:
        ValueError: Text would be sent and that is not allowed; also what ``RequestRunner.run`` raises. What
            was paid for until then is in the cache.
        KeyboardInterrupt: After Ctrl-C, once everything that came is on disk.
    """
    if not settings.replay:
        characters = sum(len(document.text) for document in texts)
        what = f"this sends {len(texts):,} texts of {characters:,} characters, without their labels,"
        check_allowed(settings.allow_real_text, what, settings.server, "--allow_real_text")
    asked_of = requests_for(texts, schema, asking)
    requests = list(asked_of.values())
    out.mkdir(parents=True, exist_ok=True)
    with ReplyCache(settings.cache) as cache:
        runner = RequestRunner(settings.server, settings.budget)
        asked = ask(requests, runner, cache, out, replay=settings.replay)
    replies = settled(requests, asked.answers, asked.summary)
    documents, rejects = read_all(texts, dict(zip(asked_of, replies, strict=True)), schema)
    write_ledger(out / REJECTS, rejects)
    jsonl.write(out / CORPUS, documents)
    card.write(
        out,
        AnnotationAccount(
            schema.name,
            card.exchange(
                requests, [reply for reply in asked.answers if reply], paid([asked], settings.budget)
            ),
            len(texts),
            documents,
            by_reason(rejects),
            files_of(out),
            settings.notes,
            schema.layout,
        ),
    )
    return Written(asked.summary, len(documents))


def read_all(
    texts: Sequence[Document], replies: Mapping[int, Reply], schema: Schema
) -> tuple[list[Document], list[Rejected]]:
    """Texts with what was found, and what could not be used.

    A sentence of which nothing is known is taken out, as it would teach that it has no mentions; so is a
    text without an answer.

    Args:
        texts: What was given.
        replies: By the number of the text; a text without a reply is blank.
        schema: The task.
    """
    found: list[Document] = []
    rejects: list[Rejected] = []
    flaws: list[Flaw] = []
    for i, document in enumerate(texts):
        if i not in replies:
            rejects.append(Rejected(BLANK, document.text, document.id))
            continue
        read = read_entities(replies[i], document, schema)
        rejects += read.rejects
        if read.lost == ((0, len(document.text)),):
            continue
        flaws += [Flaw(len(found), start, end, UNKNOWN) for start, end in read.lost]
        meta = {**read.document.meta, **(RELATIONS_NOT_STATED if schema.relations else {})}
        found.append(replace(read.document, meta=meta))
    kept, taken_out = without(found, flaws, schema.layout)
    return kept, [*rejects, *taken_out]

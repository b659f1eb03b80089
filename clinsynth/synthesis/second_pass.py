"""The second pass: the model annotates blind what it wrote, and what it does not confirm is flawed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clinsynth.curation.flaws import Flaw
from clinsynth.llm.requests import Reply, Request
from clinsynth.synthesis.annotation import (
    Annotation,
    AnnotationSettings,
    entity_request,
    read_entities,
    read_relations,
    relation_request,
)
from clinsynth.synthesis.plan import PlanSettings
from clinsynth_onnx.concepts import concept_relations, oriented
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

UNCHECKED = "the second pass gave no usable annotation"
DISAGREES = "the second pass disagrees"
NO_REPLY = "there is no reply"


def checks(documents: Sequence[Document], schema: Schema, settings: PlanSettings) -> list[Request]:
    """Requests for a blind annotation of every document, of the model that wrote them.

    Args:
        documents: What was written.
        schema: The task.
        settings: How the model was asked to write; it is asked to annotate at the server's temperature.
    """
    asking = asking_as(settings)
    return [
        relation_request(f"{document.id}.check", document, schema, asking)
        if _states_relations(document, schema)
        else entity_request(f"{document.id}.check", document.text, schema, asking)
        for document in documents
    ]


def asking_as(settings: PlanSettings) -> AnnotationSettings:
    """How the model that writes is asked to judge: at the server's temperature."""
    return AnnotationSettings(
        settings.model, None, settings.max_tokens, settings.max_tokens_field, settings.response_format
    )


def read_again(
    documents: Sequence[Document], replies: Sequence[Reply | None], schema: Schema
) -> list[Annotation]:
    """The second annotation of each document, from the replies to their ``checks``, one for each."""
    return [
        (read_relations if _states_relations(document, schema) else read_entities)(
            reply or Reply(f"{document.id}.check", 0, {}, NO_REPLY), document, schema
        )
        for document, reply in zip(documents, replies, strict=True)
    ]


def compared(document: Document, second: Annotation, schema: Schema) -> Document:
    """The document without what the second annotation says nothing of, which counts as the same in both."""
    if _states_relations(document, schema):
        return second.document if second.lost else document
    return _outside(document, second.lost)


def unconfirmed(
    documents: Sequence[Document], annotations: Sequence[Annotation], schema: Schema
) -> list[Flaw]:
    """Where the second annotation differs from the first, or there is none.

    Args:
        documents: Documents as they were written.
        annotations: Their second annotations, as ``read_again`` has them.
        schema: The task.
    """
    flaws: list[Flaw] = []
    for index, (document, second) in enumerate(zip(documents, annotations, strict=True)):
        flaws += [Flaw(index, start, end, UNCHECKED) for start, end in second.lost]
        flaws += disagreements(index, compared(document, second, schema), second.document, schema)
    return flaws


def disagreements(index: int, document: Document, second: Document, schema: Schema) -> Iterator[Flaw]:
    """A flaw for each mention that only one of the two has, or if their relations differ.

    Args:
        index: Number of the document, from 0.
        document: The text as it was written.
        second: The same text, annotated without knowledge of the first annotation.
        schema: The task, which says which relations have no direction.
    """
    for entity in sorted(set(document.entities) ^ set(second.entities), key=lambda e: (e.start, e.end)):
        which = "first" if entity in document.entities else "second"
        detail = f"only the {which} pass has {entity.label} at [{entity.start}, {entity.end})"
        yield Flaw(index, entity.start, entity.end, DISAGREES, detail)
    stated, again = (set(oriented(concept_relations(each), schema)) for each in (document, second))
    if stated != again:
        yield Flaw(index, 0, len(document.text), DISAGREES, "the relations differ")


def _states_relations(document: Document, schema: Schema) -> bool:
    return bool(schema.relations) and document.states_relations


def _outside(document: Document, lost: Sequence[tuple[int, int]]) -> Document:
    """The document without the mentions of which the second pass says nothing."""
    return document.annotated(
        tuple(
            entity
            for entity in document.entities
            if not any(start < entity.end and entity.start < end for start, end in lost)
        )
    )

"""The shapes of requests and answers, as the OpenAPI page shows them.

``clinsynth.serving.requests`` does the checking: it takes its field names from here.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

TEXT = "Two sisters had Wilson disease, but no liver failure."


class Shape(BaseModel):
    """An object without other fields than its own."""

    model_config = ConfigDict(extra="forbid")


class EntityModel(Shape):
    """A labelled half-open span. Offsets count Unicode code points, not bytes or UTF-16 units."""

    start: int = Field(ge=0, description="The first character's offset into the text.")
    end: int = Field(ge=1, description="The offset after the last character.")
    label: str = Field(min_length=1)
    text: str | None = Field(None, description="What stands there; a request may leave it out.")
    score: float = Field(1.0, ge=0, le=1, description="How sure the network is; 1 if absent.")


class RelationModel(Shape):
    """A labelled, directed pair of entities, by their places in the list of entities, from 0."""

    head: int = Field(ge=0)
    tail: int = Field(ge=0)
    label: str = Field(min_length=1)
    score: float = Field(1.0, ge=0, le=1, description="How sure the network is; 1 if absent.")


class DocumentModel(Shape):
    """A text with its annotations. An answer may be sent to another server as it is.

    What a bundle finds replaces what a request says of the sort: an entity bundle all entities and
    relations, a relation bundle all relations.
    """

    text: str
    id: str = Field("", description="Comes back as it is.")
    entities: list[EntityModel] = []
    relations: list[RelationModel] = []
    meta: dict[str, Any] = Field({}, description="Comes back as it is, but for what is about old entities.")


class RequestModel(Shape):
    """Either documents or one text."""

    documents: list[DocumentModel | str] | None = Field(
        None, description="A string is short for a document that is only a text."
    )
    text: str | None = None


class AnswerModel(Shape):
    """The documents of the request, annotated, in the same order."""

    documents: list[DocumentModel]


class ErrorModel(Shape):
    """Why there is no other answer. It never holds any text of the request."""

    error: str = Field(description="What is wrong, and what to do about it.")
    where: str = Field("", description="The place in the body; empty where it is the whole.")


class BundleModel(Shape):
    """A bundle that the server uses."""

    task: str
    engine: str = Field(description="What computes it, in words.")
    manifest_sha256: str = Field(description="Tells bundles apart: the manifest has the hash of each file.")
    entity_labels: list[str]
    relation_labels: list[str]


class HealthModel(Shape):
    """Whether requests are accepted, and what answers them."""

    status: str = Field(description="ok or stopping")
    bundles: list[BundleModel]


EXAMPLES: dict[str, Any] = {
    "one text": {"value": {"text": TEXT}},
    "documents": {"value": {"documents": [{"id": "1", "text": TEXT}, "No fever."]}},
    "given entities (for a relation bundle)": {
        "value": {
            "documents": [
                {
                    "text": "ATP7B is mutated in Wilson disease.",
                    "entities": [
                        {"start": 0, "end": 5, "label": "Gene"},
                        {"start": 20, "end": 34, "label": "Disease"},
                    ],
                }
            ]
        }
    },
}
ANSWER: dict[str, Any] = {
    "documents": [
        {
            "id": "1",
            "text": TEXT,
            "entities": [
                {"start": 16, "end": 30, "label": "Disease", "text": "Wilson disease", "score": 0.98}
            ],
            "relations": [],
            "meta": {},
        }
    ]
}
ERROR: dict[str, Any] = {
    "error": "its end 60 is after the text, which has 53 characters",
    "where": "documents[0].entities[0]",
}

"""A language model annotates a text that is given: the zero-shot baseline and the blind second pass."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from clinsynth.curation.density import pieces
from clinsynth.formats.rejects import Rejected
from clinsynth.llm.requests import Reply, Request
from clinsynth.synthesis import answer_form, prompts
from clinsynth.synthesis.answer_form import MaxTokensField, ResponseFormat
from clinsynth.synthesis.items import ALIEN
from clinsynth.synthesis.lenient_json import Partial, values
from clinsynth.synthesis.numbering import concept_numbers, relation_of_numbers, single_numbers
from clinsynth.synthesis.parse import FAILED, NOTHING, REFUSED, relations_stated
from clinsynth.synthesis.tagged import HOLLOW, Tagged, read_tagged, render
from clinsynth_onnx.concepts import with_concept_relations
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import Schema

CHANGED = "a sentence was not repeated as it is"
MISSING = "a sentence was left out"

ENTITIES = """\
You annotate texts for a text-mining task. The genre is {genre}. You get the sentences of a text as a JSON \
object. Repeat each sentence, character by character, with every mention tagged inline, by these rules:
{rules}

{tagging}

Answer with one JSON object and nothing else, with the same number of sentences in the same order:
{{"sentences": ["... <{label}>...</{label}> ...", ...]}}"""
RELATIONS = """\
You annotate texts for a text-mining task. The genre is {genre}. The mentions of a text are tagged and \
numbered. Names may be masked, as in @{mask}$. State which relations the text claims between which mentions:
{rules}

Answer with one JSON object and nothing else; the list is empty if there is no relation:
{{"relations": [{{"label": "{label}", "head": "1", "tail": "2"}}, ...]}}"""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a model found in a text.

    Args:
        document: The text with what was found; for relations, between the given entities.
        rejects: What could not be used.
        lost: Spans of the text that nothing is known of because of that.
    """

    document: Document
    rejects: tuple[Rejected, ...] = ()
    lost: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class AnnotationSettings:
    """How a model is asked to annotate.

    Args:
        model: The name that the server knows the model by.
        temperature: Freedom with which the model draws its words; null leaves it to the server.
        max_tokens: Tokens of an answer at most; null leaves it to the server.
        max_tokens_field: Name of that limit at the server.
        response_format: json_schema where the server has structured outputs, else json_object or none.
    """

    model: str
    temperature: float | None = 0.0
    max_tokens: int | None = 4096
    max_tokens_field: MaxTokensField = "max_tokens"
    response_format: ResponseFormat = "json_schema"


def entity_request(custom_id: str, text: str, schema: Schema, settings: AnnotationSettings) -> Request:
    """Asks for the entities of a text."""
    system = ENTITIES.format(
        genre=schema.genre or "not known",
        rules=prompts.entity_rules(schema),
        tagging=prompts.TAGGING,
        label=schema.entity_labels[0],
    )
    sentences = [render(Document(text[start:end].strip()), schema) for start, end in _sentences(text, schema)]
    form = answer_form.answer_schema(schema, "sentence")
    return asking_request(
        custom_id, system, json.dumps({"sentences": sentences}, ensure_ascii=False), form, settings
    )


def relation_request(
    custom_id: str, document: Document, schema: Schema, settings: AnnotationSettings
) -> Request:
    """Asks for the relations between a document's entities. Raises ``ValueError`` if these overlap."""
    label = schema.relation_labels[0]
    system = RELATIONS.format(
        genre=schema.genre or "not known",
        rules=prompts.relation_rules(schema),
        label=label,
        mask=schema.relations[label].head[0].upper(),
    )
    bare = with_concept_relations(document, ())
    form = answer_form.relation_answer(schema)
    return asking_request(custom_id, system, render(bare, schema, ids=True), form, settings)


def read_entities(reply: Reply, document: Document, schema: Schema) -> Annotation:
    """The document with the entities of the reply instead of its own; never raises.

    A sentence of the reply counts if it is, but for tags and white space, a sentence of the text that
    comes after those found before it. Nothing else is taken to be one.
    """
    problem = _unusable(reply, document)
    if problem:
        return Annotation(document.annotated(()), (problem,), ((0, len(document.text)),))
    waiting = _sentences(document.text, schema)
    keys = [_squeezed(document.text[start:end]) for start, end in waiting]
    found: list[Entity] = []
    rejects: list[Rejected] = []
    missing: list[int] = []
    place = 0
    for value in values(reply.text, schema.entity_labels, reply.outcome == "truncated"):
        for piece in _strings(value):
            read = piece if isinstance(piece, Rejected) else read_tagged(piece, schema.entity_labels)
            if isinstance(read, Rejected):
                rejects.append(replace(read, source=document.id))
                continue
            key = _squeezed(read.text)
            here = next((i for i in range(place, len(keys)) if keys[i] == key), None)
            if here is None:
                rejects.append(Rejected(CHANGED, str(piece), document.id))
                continue
            missing += range(place, here)
            for entity in _placed(read, document.text, *waiting[here]):
                if isinstance(entity, Entity):
                    found.append(entity)
                else:
                    rejects.append(replace(entity, source=document.id))
            place = here + 1
    missing += range(place, len(keys))
    rejects += [Rejected(MISSING, document.text[slice(*waiting[i])], document.id) for i in missing]
    return Annotation(document.annotated(tuple(found)), tuple(rejects), tuple(waiting[i] for i in missing))


def read_relations(reply: Reply, document: Document, schema: Schema) -> Annotation:
    """The document with the relations of the reply instead of its own; never raises."""
    bare = with_concept_relations(document, ())
    problem = _unusable(reply, document)
    if problem:
        return Annotation(bare, (problem,), ((0, len(document.text)),))
    rejects: list[Rejected] = []
    stated: list[Any] = []
    answered = False
    for value in values(reply.text, schema.entity_labels, reply.outcome == "truncated"):
        fields = value.value if isinstance(value, Partial) else value
        of = fields.get("relations") if isinstance(fields, dict) else None
        if isinstance(value, Rejected):
            rejects.append(replace(value, source=document.id))
        elif isinstance(of, list | Partial):
            answered = True
            stated += of.value if isinstance(of, Partial) else of
        else:
            rejects.append(Rejected(ALIEN, reply.text, document.id))
    if not answered:
        rejects.append(Rejected(NOTHING, reply.text, document.id))
    triples, problems = relations_stated(stated, concept_numbers(bare), bare.entities, schema)
    rejects += [Rejected(reason, detail, document.id) for reason, detail in problems]
    found = with_concept_relations(bare, map(relation_of_numbers, single_numbers(triples)))
    lost = ((0, len(document.text)),) if rejects else ()
    return Annotation(found, tuple(rejects), lost)


def asking_request(
    custom_id: str, system: str, user: str, form: dict[str, Any], settings: AnnotationSettings
) -> Request:
    """A call of the model with these two messages, whose answer has the JSON schema ``form``."""
    sampling = {"temperature": settings.temperature, settings.max_tokens_field: settings.max_tokens}
    return Request(
        custom_id,
        {
            "model": settings.model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
            **{key: value for key, value in sampling.items() if value is not None},
            **answer_form.response_format(settings.response_format, form),
        },
    )


def _unusable(reply: Reply, document: Document) -> Rejected | None:
    if reply.outcome == "failed":
        return Rejected(FAILED, reply.text, document.id, reply.reason)
    if reply.outcome == "refused":
        return Rejected(REFUSED, reply.text, document.id, reply.reason)
    return None


def _sentences(text: str, schema: Schema) -> list[tuple[int, int]]:
    """The sentences of a text, or its lines where the task's texts are lines."""
    return pieces(Document(text), schema.layout)


def _strings(value: Any) -> Iterator[str | Rejected]:
    if isinstance(value, Partial):
        value = value.value
    if isinstance(value, str | Rejected):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _placed(read: Tagged, text: str, start: int, end: int) -> Iterator[Entity | Rejected]:
    """The entities of a repeated sentence where the text has them; white space may differ."""
    places = [i for i in range(start, end) if not text[i].isspace()]
    rank, ranks = 0, []
    for character in read.text:
        ranks.append(rank)
        rank += not character.isspace()
    for entity in read.entities:
        solid = [ranks[i] for i in range(entity.start, entity.end) if not read.text[i].isspace()]
        if solid:
            yield Entity(places[solid[0]], places[solid[-1]] + 1, entity.label)
        else:
            yield Rejected(HOLLOW, read.text)

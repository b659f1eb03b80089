"""A task becomes requests."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from clinsynth.formats import jsonl
from clinsynth.llm import batch
from clinsynth.llm.requests import Request, fingerprint, numbered
from clinsynth.synthesis import answer_form, prompts
from clinsynth.synthesis.answer_form import MaxTokensField, ResponseFormat, Unit
from clinsynth.synthesis.seed_names import names_for, read_seeds
from clinsynth_onnx.schema import Schema

T = TypeVar("T")

PER_REQUEST: dict[Unit, int] = {"sentence": 20, "document": 1, "pair": 20}
LENGTHS = {"prose": (6, 10), "lines": (8, 20)}


@dataclass(frozen=True)
class PlanSettings:
    """What to ask for, and of which model.

    Args:
        model: The name that the server knows the model by.
        size: Number of texts to ask for; a larger size keeps the requests of a smaller one.
        unit: What a text is: document (an abstract, a note), sentence, or pair (a sentence in which one pair
            of mentions is judged). Default: pair for relations between entities without guidelines, else
            document.
        per_request: Texts in one answer. Default: 1 document, 20 sentences or pairs.
        shortest: Sentences of a document at least, or lines in a task whose layout is lines. Default: 6
            sentences, 8 lines.
        longest: Sentences of a document at most, or lines. Default: 10 sentences, 20 lines.
        untagged: Share of sentences or lines that have nothing to tag, from 0 to 1.
        relations: Whether documents also state the relations of the task.
        temperature: Freedom with which the model draws its words; null leaves it to the server.
        max_tokens: Tokens of an answer at most; null leaves it to the server.
        max_tokens_field: Name of that limit at the server; OpenAI's newer models want max_completion_tokens.
        seed: Number that decides the order of topics and what is drawn from seeds and examples; it is sent
            as the sampling seed of the first request, plus one for each further one; null sends none, and
            draws as 0 does.
        response_format: json_schema where the server has structured outputs, else json_object or none.
        seeds: A file of names to work in, by subject and entity type (clinsynth generate seeds writes one).
        seeds_per_request: Names of each type in a request.
        examples: Texts that you wrote and tagged, as JSONL; they are sent to the server. No real text.
        examples_per_request: Examples in a request.
    """

    model: str = "gpt-4.1-mini"
    size: int = 100
    unit: Unit | None = None
    per_request: int | None = None
    shortest: int | None = None
    longest: int | None = None
    untagged: float = 0.2
    relations: bool = False
    temperature: float | None = 1.0
    max_tokens: int | None = 4096
    max_tokens_field: MaxTokensField = "max_tokens"
    seed: int | None = 0
    response_format: ResponseFormat = "json_schema"
    seeds: Path | None = None
    seeds_per_request: int = 4
    examples: Path | None = None
    examples_per_request: int = 3

    def __post_init__(self) -> None:
        counts = ("size", "per_request", "shortest", "longest", "max_tokens")
        for name in (*counts, "seeds_per_request", "examples_per_request"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name!r} must be 1 or more, not {value}")
        if not 0 <= self.untagged <= 1:
            raise ValueError(f"'untagged' must be from 0 to 1, not {self.untagged}")


def requests_of(schema: Schema, settings: PlanSettings, plans: Sequence[Path] = ()) -> list[Request]:
    """The requests of plan files one after the other, or of the settings if there are none."""
    return batch.read_plans(plans) if plans else plan(schema, settings)


def plan(schema: Schema, settings: PlanSettings) -> list[Request]:
    """The requests for ``settings.size`` texts, topics crossed with emphases in an order drawn by the seed.

    Raises ``ValueError`` if task and settings do not go together, ``CorpusError`` on a bad file.
    """
    unit = settings.unit or prompts.default_unit(schema)
    if (unit == "pair" or settings.relations) and not schema.relations:
        raise ValueError(
            f"task {schema.name!r} has no relations to ask for. "
            "Remedy: add some to the task file, or ask for documents without them"
        )
    if unit == "pair" and (both := prompts.same_type(schema)):
        raise ValueError(
            f"relation {both!r} of task {schema.name!r} joins mentions of one type: a marked pair does not "
            "say which is the head. Remedy: --plan.unit document --plan.relations true"
        )
    if unit == "pair" and schema.symmetric_labels:
        raise ValueError(
            f"relation {schema.symmetric_labels[0]!r} of task {schema.name!r} is symmetric, and a marked "
            "pair has a head and a tail. Remedy: --plan.unit document --plan.relations true"
        )
    relations = settings.relations and unit == "document"
    count = settings.per_request or PER_REQUEST[unit]
    seeds = read_seeds(settings.seeds, schema) if settings.seeds else {}
    examples = list(jsonl.read(settings.examples)) if settings.examples else []
    answers = answer_form.answer_schema(schema, unit, relations)
    form = answer_form.response_format(settings.response_format, answers)
    amounts = _amounts(schema, settings, count)
    cells = subjects(schema, settings.seed or 0)

    def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
        for i in range(-(-settings.size // count)):
            # a generator of its own for each request, so that growing a plan changes none of it
            chance = random.Random(f"{settings.seed or 0} {i}")
            shown = draw(chance, examples, settings.examples_per_request)
            topic, emphasis = cells[i % len(cells)]
            names = {
                label: draw(chance, known, settings.seeds_per_request)
                for label, known in names_for(topic, seeds).items()
            }
            messages = [
                _message("system", prompts.system_prompt(schema, unit, amounts, relations, shown)),
                _message("user", prompts.user_prompt(topic, emphasis, names)),
            ]
            made = body(settings, messages, form, i)
            # the digest keeps replies to an older plan from being taken for replies to this one
            digest = fingerprint(made)[:8]
            yield f"{schema.name}-{unit}-{i:05d}-{digest}", made

    return list(numbered(bodies()))


def subjects(schema: Schema, seed: int) -> list[tuple[str, str]]:
    """Topics crossed with emphases, in an order drawn by the seed."""
    cells = list(product(schema.topics or [""], schema.emphases or [""]))
    random.Random(seed).shuffle(cells)
    return cells


def draw(chance: random.Random, values: Sequence[T], count: int) -> list[T]:
    """``count`` of the values, or all if there are fewer."""
    return chance.sample(values, min(count, len(values)))


def body(
    settings: PlanSettings, messages: list[dict[str, str]], form: Mapping[str, Any], number: int
) -> dict[str, Any]:
    """The JSON body of a call."""
    sampling = {
        "temperature": settings.temperature,
        settings.max_tokens_field: settings.max_tokens,
        "seed": None if settings.seed is None else settings.seed + number,
    }
    given = {key: value for key, value in sampling.items() if value is not None}
    return {"model": settings.model, "messages": messages, **given, **form}


def asked_of_documents(schema: Schema, settings: PlanSettings) -> prompts.Amounts | None:
    """What a plan asks of its texts, or ``None`` if they are single sentences or pairs."""
    whole = (settings.unit or prompts.default_unit(schema)) == "document"
    return _amounts(schema, settings, settings.per_request or PER_REQUEST["document"]) if whole else None


def _amounts(schema: Schema, settings: PlanSettings, count: int) -> prompts.Amounts:
    shortest, longest = LENGTHS[schema.layout]
    shortest = settings.shortest or min(shortest, settings.longest or shortest)
    longest = settings.longest or max(longest, shortest)
    if longest < shortest:
        raise ValueError(f"'longest' ({longest}) must not be below 'shortest' ({shortest})")
    return prompts.Amounts(count, shortest, longest, settings.untagged)


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}

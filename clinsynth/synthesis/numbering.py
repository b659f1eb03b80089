"""Numbers for what a document speaks of, as tags carry them: ``<Chemical id="1">``."""

from __future__ import annotations

from collections.abc import Sequence

from clinsynth.formats.concepts import relations_between
from clinsynth_onnx.document import Document

NO_CONCEPT = frozenset({"", "-1", "-"})  # what corpora write for a mention without a concept


def concept_numbers(document: Document) -> tuple[str, ...]:
    """A number for each entity, counted in the order of the text.

    Mentions of one concept share theirs, if ``meta["concepts"]`` has concepts that give the document
    its relations (``relations_between``); else each mention has its own. A mention of several
    concepts has several numbers, joined by ``|``.
    """
    order = sorted(range(len(document.entities)), key=lambda i: (document.entities[i].start, i))
    single = {i: str(n) for n, i in enumerate(order, 1)}
    numbers = tuple(single[i] for i in range(len(order)))
    given = document.meta.get("concepts")
    if not isinstance(given, list) or len(given) != len(order):
        return numbers
    seen: dict[str, str] = {}
    shared = dict(single)
    for i in order:
        concepts = [name for name in str(given[i] or "").split("|") if name not in NO_CONCEPT]
        concepts = concepts or [f"mention {i}"]
        shared[i] = "|".join(seen.setdefault(name, str(len(seen) + 1)) for name in concepts)
    grouped = tuple(shared[i] for i in range(len(order)))
    triples = stated_relations(document, grouped)
    if set(relations_between(document.entities, grouped, triples)) != set(document.relations):
        return numbers
    return grouped


def stated_relations(document: Document, numbers: Sequence[str]) -> list[tuple[str, str, str]]:
    """The relations as (label, number of the head, number of the tail), each once.

    A mention that has several numbers goes by the one whose first mention it is.
    """
    first: dict[str, int] = {}
    for i in sorted(range(len(numbers)), key=lambda i: (document.entities[i].start, i)):
        for number in numbers[i].split("|"):
            first.setdefault(number, i)

    def number_of(i: int) -> str:
        return next((number for number in numbers[i].split("|") if first[number] == i), numbers[i])

    triples = ((r.label, number_of(r.head), number_of(r.tail)) for r in document.relations)
    return list(dict.fromkeys(triples))

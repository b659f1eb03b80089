"""How far another way of running a model finds the same entities, and why not where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from clinsynth_onnx.document import Document


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the pipeline of ``transformers`` finds beside a bundle, in the same documents.

    Attributes:
        how: What one text of the pipeline was.
        documents: How many documents were read.
        documents_equal: Documents with exactly the same entities.
        entities: Entities that the bundle finds.
        found: Entities that the pipeline finds.
        both: Entities that both find, with the same offsets and label.
        causes: Entities that come or go with each thing that the pipeline does otherwise, one by one.
    """

    how: str
    documents: int
    documents_equal: int
    entities: int
    found: int
    both: int
    causes: Mapping[str, int]

    @property
    def explained(self) -> str:
        """The causes in words; empty where nothing differs."""
        return ", ".join(f"{n} by {cause}" for cause, n in self.causes.items() if n)


def agreement(
    how: str, bundle: Sequence[Document], steps: Sequence[tuple[str, Sequence[Document]]]
) -> Agreement:
    """Compares a bundle's documents with those of the last step.

    Args:
        how: What one text of the pipeline was.
        bundle: What the bundle finds.
        steps: From the bundle's way to the pipeline's, one change each: what changes, and what is found then.
    """
    causes, before = {}, bundle
    for cause, found in steps:
        causes[cause] = sum(len(a ^ b) for a, b in zip(_sets(before), _sets(found), strict=True))
        before = found
    pairs = list(zip(_sets(bundle), _sets(before), strict=True))
    return Agreement(
        how,
        len(pairs),
        sum(a == b for a, b in pairs),
        sum(len(a) for a, _ in pairs),
        sum(len(b) for _, b in pairs),
        sum(len(a & b) for a, b in pairs),
        causes,
    )


def table(found: Iterable[Agreement]) -> Table:
    """The agreement for people."""
    grid = Table(title="the pipeline of transformers beside the bundle", title_justify="left", box=None)
    for column in ("one text is", "documents the same", "entities", "pipeline", "in both", "what differs"):
        grid.add_column(column)
    for each in found:
        same = f"{each.documents_equal}/{each.documents}"
        numbers = map(str, (each.entities, each.found, each.both))
        grid.add_row(each.how, same, *numbers, each.explained or "nothing")
    return grid


def _sets(documents: Iterable[Document]) -> list[set[object]]:
    return [set(document.entities) for document in documents]

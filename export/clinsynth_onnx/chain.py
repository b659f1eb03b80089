"""One bundle, or an entity bundle and a relation bundle in a row, as one step with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor

MAX_PAIR_CHARACTERS = 5_000_000
# what a pair takes beside its copy of the text, as if it were characters: short texts have many pairs too
PAIR_COST = 512


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document that was not annotated.

    Attributes:
        reason: Why, in words that hold nothing of its text.
        ours: Whether it may be the fault of program or machine instead of the document's.
    """

    reason: str
    ours: bool = False


Outcome = Document | Refusal


class Chain:
    """Entities, then the relations between them; or one of the two alone.

    A relation bundle reads a copy of the text for each pair of entities, so a long text with many
    entities would take all memory there is. Such a document is refused, the others are annotated.
    It may be called from several threads at once.

    Args:
        first: An entity bundle, or a relation bundle if documents come with entities.
        relations: A relation bundle for what ``first`` finds.
        max_pair_characters: Candidate pairs of a document, times the characters of its text and ``PAIR_COST``
            more, at most.

    Raises ``ValueError`` if a bundle is in the wrong place.
    """

    def __init__(
        self,
        first: Predictor,
        relations: Predictor | None,
        max_pair_characters: int = MAX_PAIR_CHARACTERS,
    ) -> None:
        if relations is not None:
            for predictor, task in ((first, "token-classification"), (relations, "relation-extraction")):
                if predictor.bundle.task != task:
                    raise ValueError(
                        f"{predictor.bundle.path} is for {predictor.bundle.task}, but its place is that of a "
                        f"bundle for {task}. Remedy: name the entity bundle first, the relation bundle second"
                    )
        alone = first.bundle.task == "relation-extraction"
        self.tag = None if alone else first
        self.relate = first if alone else relations
        self.max_pair_characters = max_pair_characters

    @property
    def predictors(self) -> tuple[Predictor, ...]:
        """In the order of their use."""
        return tuple(one for one in (self.tag, self.relate) if one is not None)

    @property
    def can_relate(self) -> bool:
        """Whether some pair that the relation bundle relates may consist of what the entity bundle finds."""
        if self.tag is None or self.relate is None:
            return True
        found = set(self.tag.schema.entity_labels)
        return any({head, tail} <= found for head, tail in self.relate.schema.joined_types)

    def __call__(self, documents: Sequence[Document]) -> list[Outcome]:
        """What became of each document, in order; raises what a predictor raises."""
        return self.related(self.tag(documents) if self.tag is not None else documents)

    def related(self, tagged: Sequence[Document]) -> list[Outcome]:
        """The second step alone, for who takes the first one by ``tag.submit``."""
        if self.relate is None:
            return list(tagged)
        outcomes: list[Outcome] = []
        for group in self._groups(tagged):
            if self._weight(group[0]) > self.max_pair_characters:
                outcomes.append(Refusal(self._too_heavy(group[0])))
            else:
                outcomes += self.relate(group)
        return outcomes

    def _groups(self, documents: Sequence[Document]) -> Iterator[list[Document]]:
        """Runs of documents that together weigh no more than one may; one that is heavier is alone."""
        group: list[Document] = []
        total = 0
        for document in documents:
            weight = self._weight(document)
            if group and total + weight > self.max_pair_characters:
                yield group
                group, total = [], 0
            group.append(document)
            total += weight
        if group:
            yield group

    def _weight(self, document: Document) -> int:
        assert self.relate is not None
        return self.relate.schema.count_pairs(document) * (len(document.text) + PAIR_COST)

    def _too_heavy(self, document: Document) -> str:
        assert self.relate is not None
        return (
            f"{self.relate.schema.count_pairs(document)} candidate pairs in {len(document.text)} characters are "
            f"too many, pairs times (characters + {PAIR_COST}) may be {self.max_pair_characters}. Remedy: "
            "cut the text into shorter ones, e.g. paragraphs"
        )

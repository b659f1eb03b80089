"""One bundle, or an entity bundle and a relation bundle in a row, as one step with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from clinsynth_onnx.bundle import Task
from clinsynth_onnx.document import Document
from clinsynth_onnx.engines import EngineChoice
from clinsynth_onnx.predictor import Pending, Predictor

MAX_PAIR_CHARACTERS = 5_000_000
# what a pair takes beside its copy of the text, as if it were characters: short texts have many pairs too
PAIR_COST = 512


RELATING: frozenset[Task] = frozenset({"relation-extraction", "concept-relation-extraction"})
# what tokenizer and codecs raise on a document that they cannot take, e.g. one with half a character
DOCUMENT_ERRORS = (ValueError, TypeError)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document that was not annotated.

    Attributes:
        reason: Why, in words that hold nothing of its text.
        error: What was raised, if it was that; its message may quote the text.
    """

    reason: str
    error: Exception | None = field(default=None, compare=False, repr=False)

    @property
    def ours(self) -> bool:
        """Whether it may be the fault of program or machine instead of the document's."""
        return self.error is not None and not isinstance(self.error, DOCUMENT_ERRORS)


Outcome = Document | Refusal


def together_else_alone(
    annotate: Callable[[Sequence[Document]], list[Outcome]], documents: Sequence[Document]
) -> list[Outcome]:
    """Annotates documents at once; where that fails each alone, so that none fails for another.

    Never raises for a document: whatever ``annotate`` raises on one alone becomes its ``Refusal``.
    """
    try:
        return annotate(documents)
    except Exception as error:
        if len(documents) == 1:
            return [Refusal(f"it cannot be annotated ({type(error).__name__})", error)]
        return [outcome for document in documents for outcome in together_else_alone(annotate, [document])]


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Documents on their way through a chain.

    Attributes:
        chain: The chain that they go through.
        documents: The documents as they came.
        tagged: Their way through the entity bundle, or ``None`` if it is not begun.
    """

    chain: Chain
    documents: Sequence[Document]
    tagged: Pending | None

    def outcomes(self) -> list[Outcome]:
        """Waits for them; never raises for a document."""
        if self.tagged is not None:
            try:
                return self.chain.related(self.tagged.result())
            except Exception:  # of some document, which is found by trying again
                pass
        return self.chain.outcomes(self.documents)


class Chain:
    """Entities, then the relations between them; or one of the two alone.

    A bundle for relations of concepts groups the mentions that are one thing and reads each text once. One
    for relations of mentions reads a copy of the text for each pair of entities, so a long text with many
    entities would take all memory there is. Such a document is refused, the others are annotated.
    It may be called from several threads at once.

    Args:
        first: An entity bundle, or a relation bundle if documents come with entities.
        relations: A relation bundle for what ``first`` finds.
        max_pair_characters: Where relations are of mentions, candidate pairs of a document, times the
            characters of its text and ``PAIR_COST`` more, at most.

    Raises ``ValueError`` if a bundle is in the wrong place.
    """

    def __init__(
        self,
        first: Predictor,
        relations: Predictor | None,
        max_pair_characters: int = MAX_PAIR_CHARACTERS,
    ) -> None:
        if relations is not None:
            for predictor, place in ((first, "token-classification"), (relations, "relation-extraction")):
                task = predictor.bundle.task
                if place != ("relation-extraction" if task in RELATING else task):
                    raise ValueError(
                        f"{predictor.bundle.path} is for {task}, but its place is that of a bundle for "
                        f"{place}. Remedy: name the entity bundle first, the relation bundle second"
                    )
        alone = first.bundle.task in RELATING
        self.tag = None if alone else first
        self.relate = first if alone else relations
        self.max_pair_characters = max_pair_characters

    @classmethod
    def load(
        cls,
        bundle: str | Path,
        relations: str | Path | None = None,
        *,
        engine: EngineChoice = "auto",
        variant: str = "auto",
        workers: int | None = None,
        threads: int = 1,
        max_pair_characters: int = MAX_PAIR_CHARACTERS,
    ) -> Chain:
        """Opens one or two bundles. Raises ``BundleError``, and ``ValueError`` on one in the wrong place.

        Args:
            bundle: An entity bundle, or a relation bundle if documents come with entities.
            relations: A relation bundle for the entities that ``bundle`` finds.
            engine: Engine that computes the networks; ``auto`` for the fastest that is fit.
            variant: A network of the bundles, or ``auto``.
            workers: Runs at the same time; by default one for each core that ``threads`` leaves.
            threads: Cores of one run.
            max_pair_characters: Where relations are of mentions, candidate pairs of a document, times the
                characters of its text and ``PAIR_COST`` more, at most.
        """
        with ExitStack() as opened:
            predictors = [
                opened.enter_context(
                    Predictor.load(path, engine=engine, variant=variant, workers=workers, threads=threads)
                )
                for path in (bundle, relations)
                if path is not None
            ]
            chain = cls(predictors[0], predictors[1] if relations is not None else None, max_pair_characters)
            opened.pop_all()
        return chain

    def close(self) -> None:
        """Ends the predictors' threads; what they have not begun is dropped."""
        for predictor in self.predictors:
            predictor.close()

    def __enter__(self) -> Chain:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def about(self) -> str:
        """What runs where, for a log."""
        return " / ".join(predictor.about for predictor in self.predictors)

    @property
    def predictors(self) -> tuple[Predictor, ...]:
        """In the order of their use."""
        return tuple(predictor for predictor in (self.tag, self.relate) if predictor is not None)

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

    def outcomes(self, documents: Sequence[Document]) -> list[Outcome]:
        """The annotated documents; what is raised for a document becomes its ``Refusal``."""
        return together_else_alone(self, documents)

    def submit(self, documents: Sequence[Document]) -> UnderWay:
        """Begins with documents and returns at once."""
        pending = None
        if self.tag is not None:
            try:
                pending = self.tag.submit(documents)
            except Exception:  # of some document, which is found when the outcomes are asked for
                pending = None
        return UnderWay(self, documents, pending)

    def related(self, tagged: Sequence[Document]) -> list[Outcome]:
        """The second step alone."""
        if self.relate is None:
            return list(tagged)
        if self.relate.bundle.task != "relation-extraction":
            return list(self.relate(tagged))
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
        pairs = self.relate.schema.count_pairs(document)
        return (
            f"{pairs} candidate pairs in {len(document.text)} characters are "
            f"too many, pairs times (characters + {PAIR_COST}) may be {self.max_pair_characters}. Remedy: "
            "cut the text into shorter ones, e.g. paragraphs"
        )

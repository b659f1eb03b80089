"""How well names alone tell which mentions are one thing, against the concepts of a corpus.

    python benchmarks/grouping.py CORPUS [CORPUS ...]

CORPUS is an annotated file of any format with concepts, e.g. the development part of BC5CDR or BioRED. Its
own mentions are grouped; mentions that it gives no concept are left out of the figures, and a mention with
several ids is of another thing than one with one of them. Pairwise precision and recall are over pairs of
mentions of one document, B-cubed over mentions (Bagga and Baldwin 1998). Last, the best that relations
between groups can get: scores of a reader who knows what each group is and how it is related. Never choose
rules by a test split.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from clinsynth.formats import registry
from clinsynth.metrics.concept_counts import matched
from clinsynth.metrics.metric import ConceptScores
from clinsynth.metrics.scores import Result
from clinsynth_onnx.concept_fields import fields, ids, stated
from clinsynth_onnx.concepts import concept_relations, concepts, with_concept_relations
from clinsynth_onnx.document import Document
from clinsynth_onnx.grouping import grouped, same_things
from clinsynth_onnx.schema import EntityType, RelationType, Schema

Rule = Callable[[Document], Sequence[Hashable]]

RULES: dict[str, Rule] = {
    "the same characters": lambda document: [(e.label, document.mention(e)) for e in document.entities],
    "+ case": lambda document: [(e.label, document.mention(e).lower()) for e in document.entities],
    "+ plural, hyphens, spaces": lambda document: same_things(document, abbreviations=False),
    "+ abbreviations": same_things,
}


def pairs(counts: Counter[Hashable]) -> int:
    """Pairs of mentions that are in one group."""
    return sum(n * (n - 1) // 2 for n in counts.values())


def figures(documents: Sequence[Document], rule: Rule) -> tuple[float, ...]:
    """Precision, recall and F1 over pairs, then B-cubed."""
    right = found = stated = mentions = 0
    precision = recall = 0.0
    for document in documents:
        gold: dict[int, Hashable] = {
            i: (document.entities[i].label, frozenset(ids(field)))
            for i, field in enumerate(fields(document))
            if ids(field)
        }
        of = rule(document)
        groups = Counter[Hashable](of[i] for i in gold)
        things = Counter[Hashable](gold.values())
        both = Counter[Hashable]((of[i], gold[i]) for i in gold)
        right, found, stated = right + pairs(both), found + pairs(groups), stated + pairs(things)
        mentions += len(gold)
        precision += sum(both[of[i], gold[i]] / groups[of[i]] for i in gold)
        recall += sum(both[of[i], gold[i]] / things[gold[i]] for i in gold)
    over_pairs = right / found, right / stated, 2 * right / (found + stated)
    p, r = precision / mentions, recall / mentions
    return *over_pairs, p, r, 2 * p * r / (p + r)


def perfect(documents: Sequence[Document]) -> Result:
    """Scores of all relations of gold, between groups of its mentions."""
    types = {entity.label: EntityType() for document in documents for entity in document.entities}
    labels = {label for document in documents for (label, *_), _ in stated(document.meta)}
    schema = Schema("any", types, {label: RelationType([*types], [*types]) for label in sorted(labels)})
    scores = ConceptScores(schema)
    for index, document in enumerate(documents):
        bare = grouped(document.annotated(document.entities))
        of = matched(bare, concepts(bare), document, concepts(document))
        relations = [
            replace(relation, head=head, tail=tail)
            for relation in concept_relations(document)
            for head, tail in product(range(len(of)), repeat=2)
            if (of[head], of[tail]) == (relation.head, relation.tail)
        ]
        scores.update([with_concept_relations(bare, relations)], [document], [index])
    return scores.result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpus", type=Path, nargs="+")
    for corpus in parser.parse_args().corpus:
        documents = list(registry.read(corpus))
        bare = [document.annotated(document.entities) for document in documents]
        start = time.perf_counter()
        for document in bare:
            grouped(document)
        cost = (time.perf_counter() - start) / len(bare) * 1e6
        print(f"\n{corpus.name}, {len(documents)} documents, {cost:.0f} us a document\n")
        print("| | pairs: precision | recall | F1 | B-cubed: precision | recall | F1 |")
        print("|---|---|---|---|---|---|---|")
        for name, rule in RULES.items():
            print(f"| {name} | {' | '.join(f'{figure:.4f}' for figure in figures(documents, rule))} |")
        if any(stated(document.meta) for document in documents):
            best = perfect(documents).flat()
            told = ", ".join(f"{name} {best[name]:.4f}" for name in ("precision", "recall", "f1"))
            print(f"\nRelations between groups can get {told}.")


if __name__ == "__main__":
    main()

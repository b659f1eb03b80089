"""Relations between things that were found, not given: entities, groups, relations, against what people
marked.

    python benchmarks/end_to_end.py ENTITY_RUN RELATION_RUN [--corpus BC5CDR] [--split val]

ENTITY_RUN is a run of ``configs/bc5cdr.yaml``, say, and RELATION_RUN one of
``configs/bc5cdr_relations.yaml``. Both checkpoints run in torch, one after the other, as their bundles do
in a chain. Printed are the scores of the relation model with given mentions and with found ones.
"""

from __future__ import annotations

import argparse

from rich.console import Console

from clinsynth import datamodules
from clinsynth.datamodules.base import DocumentDataModule
from clinsynth.metrics.report import table
from clinsynth.models.loading import load_model
from clinsynth.runs.folder import best_of
from clinsynth_onnx.concepts import with_concept_relations
from clinsynth_onnx.grouping import grouped


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("entities", help="a run folder or a checkpoint")
    parser.add_argument("relations", help="a run folder or a checkpoint")
    parser.add_argument("--corpus", choices=["BC5CDR", "BioRED"], default="BC5CDR")
    parser.add_argument("--split", choices=["val", "test"], default="val")
    settings = parser.parse_args()
    tag, relate = load_model(best_of(settings.entities)), load_model(best_of(settings.relations))
    data: DocumentDataModule = getattr(datamodules, settings.corpus)(relate.schema)
    gold = data.task_documents(settings.split)
    found = [
        grouped(with_concept_relations(document, ()))
        for document in tag.read([document.annotated(()) for document in gold])
    ]
    for title, given in (("Given mentions", gold), ("Found mentions", found)):
        scores = relate.build_scores()
        scores.update(relate.read(given), gold, range(len(gold)))
        Console().print(title, table(scores.result()), sep="\n")


if __name__ == "__main__":
    main()

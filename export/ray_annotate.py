"""Annotates a Parquet dataset on a Ray cluster, with a bundle and without torch.

    pip install 'clinsynth[ray]'
    python ray_annotate.py ner.bundle notes/ annotated/ --actors 8 --cpus 4

Each row of the output has the ``id`` and the ``text`` of a row of the input, and one of

- ``document``: the annotated document as JSON, what ``clinsynth_onnx.document.Document.from_json`` reads. It
  is JSON in a string and no nested columns, because it comes back to an equal Document, ``meta`` and scores
  included, and because each file of a dataset has the same schema, also one in which nothing was found.
- ``rejected``: why there is none, e.g. ``no text``. No row is lost.

Files are written as blocks are done, in no particular order: join by id.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pyarrow as pa
import ray
import ray.data
from jsonargparse import auto_cli

from clinsynth.annotating.parquet import Unreadable, values
from clinsynth_onnx.bundle import Bundle
from clinsynth_onnx.chain import Chain, Refusal
from clinsynth_onnx.document import Document
from clinsynth_onnx.engines import EngineChoice

ROWS = 512  # that an actor gets at once: few enough that all have work, enough of each length of sequence
ROWS_PER_FILE = 65_536  # at least, but for the last file
NO_TEXT = "no text"


class Annotator:
    """What an actor keeps between batches: the bundles, loaded once.

    Args:
        bundle: An entity bundle, at a path that each node has.
        relations: A relation bundle for the entities that ``bundle`` finds.
        engine: Engine that computes the networks; auto for the fastest that is installed and fit.
        variant: Network of the bundles; auto for the fastest that is fit.
        workers: Runs at the same time.
        threads: Cores of one run.
    """

    def __init__(
        self,
        bundle: str,
        relations: str | None,
        engine: EngineChoice,
        variant: str,
        workers: int,
        threads: int,
    ) -> None:
        self._chain = Chain.load(
            bundle, relations, engine=engine, variant=variant, workers=workers, threads=threads
        )

    def __call__(self, table: pa.Table) -> pa.Table:
        """Annotates the rows of a table with the columns ``id`` and ``text``."""
        texts, names = values(table["text"]), values(table["id"])
        rejected = [_problem(text, name) for text, name in zip(texts, names, strict=True)]
        kept = [i for i, problem in enumerate(rejected) if problem is None]
        outcomes = self._chain.outcomes(
            [Document(texts[i], id="" if names[i] is None else str(names[i])) for i in kept]
        )
        documents: list[str | None] = [None] * len(texts)
        for i, outcome in zip(kept, outcomes, strict=True):
            if isinstance(outcome, Refusal):
                if outcome.error is not None and outcome.ours:
                    raise outcome.error
                rejected[i] = outcome.reason
            else:
                documents[i] = json.dumps(outcome.to_json(), ensure_ascii=False)
        return pa.table(
            {
                "id": table["id"],
                "text": table["text"],
                "document": pa.array(documents, pa.large_string()),
                "rejected": pa.array(rejected, pa.large_string()),
            }
        )


def _problem(text: Any, name: Any) -> str | None:
    """Why a row cannot be annotated, if so."""
    for value, what in ((text, "text"), (name, "id")):
        if isinstance(value, Unreadable):
            return f"its {what} cannot be read: {value.problem}"
    return None if text is not None and text.strip() else NO_TEXT


def annotate(
    bundle: str,
    source: str,
    target: str,
    relations: str | None = None,
    id_column: str = "id",
    text_column: str = "text",
    actors: int = 1,
    cpus: int = 1,
    gpus: float = 0,
    threads: int = 1,
    engine: EngineChoice = "auto",
    variant: str = "auto",
) -> None:
    """Annotates a Parquet dataset on the Ray cluster that RAY_ADDRESS names, or on this machine.

    Args:
        bundle: An entity bundle, at a path that each node has: a folder or a zip file.
        source: Parquet files, a folder or a URL that Ray reads.
        target: The folder to write to; must not exist, or be empty.
        relations: A relation bundle for the entities that ``bundle`` finds.
        id_column: Column that tells rows apart; of any type, kept as it is.
        text_column: Column of the texts to annotate.
        actors: Processes that annotate.
        cpus: Cores of each process.
        gpus: GPUs of each process, for --engine cuda.
        threads: Cores of one run of the network; there are cpus / threads runs at the same time.
        engine: Engine that computes the network; auto for the fastest that is installed and fit.
        variant: Network of the bundles, e.g. fp32 or int8; auto for the fastest that is fit.

    Raises ``ValueError`` if the bundles, the columns or the numbers do not fit.
    """
    if min(actors, cpus, threads) < 1 or threads > cpus:
        raise ValueError("actors, cpus and threads must be 1 or more. Remedy: at most --threads = --cpus")
    task = Bundle.open(bundle).task
    if task != "token-classification":
        raise ValueError(f"{bundle} is for {task}. Remedy: name an entity bundle, this one with --relations")
    if not ray.is_initialized():
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would tell its makers of this use of it
        ray.init(include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    # actors hold their cores until the end: reading and writing that need one would wait for good
    rows = ray.data.read_parquet(source, num_cpus=0)
    _check_columns(rows, source, id_column, text_column)
    settings: dict[str, Any] = {
        "bundle": bundle,
        "relations": relations,
        "engine": engine,
        "variant": variant,
        "workers": cpus // threads,
        "threads": threads,
    }
    notes = rows.select_columns([id_column, text_column]).rename_columns(["id", "text"])
    notes.repartition(target_num_rows_per_block=ROWS).map_batches(
        Annotator,
        fn_constructor_kwargs=settings,
        compute=ray.data.ActorPoolStrategy(size=actors),
        batch_size=ROWS,
        batch_format="pyarrow",
        num_cpus=cpus,
        num_gpus=gpus,
    ).write_parquet(
        target,
        mode=ray.data.SaveMode.ERROR,
        min_rows_per_file=ROWS_PER_FILE,
        ray_remote_args={"num_cpus": 0},
    )


def _check_columns(rows: Any, source: str, id_column: str, text_column: str) -> None:
    schema = rows.schema()
    columns = dict(zip(schema.names, schema.types, strict=True)) if schema else {}
    for option, column in (("--id_column", id_column), ("--text_column", text_column)):
        if column not in columns:
            raise ValueError(
                f"{source} has no column {column!r}. Remedy: name one of {', '.join(columns)} with {option}"
            )
    kind = columns[text_column]
    if kind not in (pa.string(), pa.large_string(), pa.string_view()):
        raise ValueError(f"{source}: the column {text_column!r} has {kind}, not text. Remedy: name another")


if __name__ == "__main__":
    auto_cli(annotate)

"""``clinsynth corpus``: count what is in corpora, convert between formats, or share a written one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from clinsynth import corpora
from clinsynth.cli.run import run
from clinsynth.corpora.base import SPLITS
from clinsynth.corpora.published import PublishedCorpus
from clinsynth.formats import registry
from clinsynth.formats.counts import Counts
from clinsynth.formats.counts import count as count_documents
from clinsynth.formats.options import ReadingOptions
from clinsynth.formats.registry import FormatName, WritableName


def count(
    path: str,
    format: FormatName | None = None,
    **reading: Any,
) -> None:
    """Counts documents, mentions and relations of a corpus.

    Args:
        path: File or folder to read.
        format: Format of ``path``; told from it if not given.
        reading: Options of ``ReadingOptions``.
    """
    counts = count_documents(registry.read(Path(path), format, ReadingOptions(**reading)))
    _show([_row(path, "", counts, {})])


def published(root: str | None = None) -> None:
    """Counts each split of the published corpora, and compares with the published counts.

    Args:
        root: Folder of the corpora. Default: the variable CLINSYNTH_DATA, else "data".
    """
    _show(row for reader in _published() for row in _published_rows(reader(root)))


def convert(
    source: str,
    target: str,
    to: WritableName,
    source_format: FormatName | None = None,
    **reading: Any,
) -> None:
    """Writes a corpus in another format. What was written is read back and compared before it stays.

    Args:
        source: File or folder to read.
        target: File or folder to write; must not exist.
        to: Format to write.
        source_format: Format of ``source``; told from it if not given.
        reading: Options of ``ReadingOptions``.
    """
    options = ReadingOptions(**reading)
    documents = list(registry.read(Path(source), source_format, options))
    changed = registry.write(Path(target), documents, to)
    print(f"{len(documents)} documents are in {target}")
    if changed:
        print(
            f"{to} has no place for some facts beyond text, mentions and relations (concepts, passages...) "
            f"of {len(changed)} documents, e.g. {changed[0]}; jsonl keeps them"
        )


def hub(source: Path, folder: Path) -> None:
    """Writes a corpus that generate wrote as a folder for the datasets library, with its card as README.md.

    Args:
        source: A folder that generate wrote.
        folder: The folder to write; must not exist.
    """
    from clinsynth.reporting.corpus_folder import Corpus, is_corpus
    from clinsynth.reporting.hub_dataset import write_dataset

    if not is_corpus(source):
        raise ValueError(f"there is no corpus.jsonl in {source}. Remedy: name a folder that generate wrote")
    write_dataset(Corpus(source), folder)
    print(f'The dataset is in {folder}; datasets.load_dataset("{folder}") loads it')


def _published() -> list[type[PublishedCorpus]]:
    """The readers of published corpora by name."""
    readers = [getattr(corpora, name) for name in corpora.__all__]
    return sorted((r for r in readers if issubclass(r, PublishedCorpus)), key=lambda reader: reader.folder)


def _published_rows(corpus: PublishedCorpus) -> Iterator[tuple[str, ...]]:
    name = corpus.folder
    for split in SPLITS:
        try:
            counts = count_documents(corpus.documents(split))
        except FileNotFoundError as error:
            yield name, split, "not at hand", "", "", str(error).split(" is missing")[0]
        else:
            yield _row(name, split, counts, corpus.published.get(split, {}))


def _show(rows: Iterable[tuple[str, ...]]) -> None:
    table = Table()
    for name in ("corpus", "split", "documents", "mentions", "relations", "published"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _row(name: str, split: str, counts: Counts, published: Mapping[str, int]) -> tuple[str, ...]:
    repeated = counts.documents - counts.distinct
    documents = f"{counts.documents}" + (f" ({repeated} twice)" if repeated else "")
    relations = "\n".join(
        f"{counts.relations.get(label, 0)} {label}"
        + (f" ({counts.concept_relations[label]} between concepts)" if counts.concept_relations else "")
        for label in counts.concept_relations or counts.relations
    )
    if counts.unmentioned:
        relations += f"\n({counts.unmentioned} of concepts without mention)"
    found = _numbers(counts)
    differences = [
        f"{n} {label}, not {found.get(label, 0)}"
        for label, n in published.items()
        if found.get(label, 0) != n
    ]
    verdict = "" if not published else "\n".join(differences) or "the same"
    mentions = _lines(counts.entities.items())
    if counts.unplaced:
        mentions += "".join(f"\n({n} {label} without a place)" for label, n in counts.unplaced.items())
    return name, split, documents, mentions, relations, verdict


def _numbers(counts: Counts) -> dict[str, int]:
    """What authors may have counted, by name; relations between concepts where there are any."""
    return {
        "documents": counts.documents,
        **counts.entities,
        **counts.relations,
        **counts.concept_relations,
    }


def _lines(pairs: Iterable[tuple[str, int]]) -> str:
    return "\n".join(f"{n} {label}" for label, n in pairs)


def main(arguments: list[str]) -> None:
    """Runs the command."""
    run([count, published, convert, hub], arguments, "clinsynth corpus")

"""A BioC document, as BioC JSON spells it, to a ``Document``.

An annotation's label is its infon ``type``; its concept the infon ``identifier``, or ``MESH`` and the
like. Relations: see ``clinsynth.formats.bioc_relations``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clinsynth.formats.bioc_offsets import BYTES, CHARACTERS, CODE_UNITS, Layout, OffsetError
from clinsynth.formats.bioc_relations import RelationReader
from clinsynth.formats.bioc_values import Json, Values
from clinsynth.formats.errors import CorpusError
from clinsynth_onnx.document import Document, Entity

log = logging.getLogger("clinsynth")

CONCEPT_INFONS = ("identifier", "MESH", "NCBI Gene", "OMIM", "concept")
PARTS = "parts"  # ours: the single mentions of a composite one
PLAIN = "passage"


def read_document(path: Path, source: Json) -> tuple[Document, str]:
    """The document, and what its offsets count: characters, unless only something else is right.

    Its ``meta`` has ``passages`` ([start, end, type]), ``fragments`` and ``parts`` (by entity index), what
    ``clinsynth_onnx.concept_fields`` names, ``unplaced`` (annotations about the document, without a place),
    and the infons that are not read: ``infons`` of the document and its passages, ``entity_infons``,
    ``relation_infons`` and ``concept_relation_infons``, by index. Raises ``CorpusError``.
    """
    try:
        return _Reader(path, source, CHARACTERS).document(), CHARACTERS
    except OffsetError as error:
        for unit in (BYTES, CODE_UNITS):
            try:
                return _Reader(path, source, unit).document(), unit
            except OffsetError:
                continue
        raise CorpusError(
            path,
            None,
            f"document {source.get('id')!r}: {error.problem}",
            f"{error.remedy}; offsets count characters, or all of a document's {BYTES} or {CODE_UNITS}",
        ) from error


class _Reader:
    """One document, with offsets in one unit."""

    def __init__(self, path: Path, source: Json, unit: str) -> None:
        self._values = Values(path, source)
        self._source = source
        self._layout = Layout(unit)
        self._passages: list[list[Any]] = []
        self._infons: dict[str, Any] = {}
        # what has annotations and relations, with the number of the passage that it is in
        self._holders: list[tuple[int | None, Json]] = [(None, source)]
        passage_infons = {}
        for i, passage in enumerate(self._values.objects(source, "passages")):
            pieces = [passage, *self._values.objects(passage, "sentences")]
            self._holders += [(i, piece) for piece in pieces]
            infons = dict(self._values.infons(passage))
            kind = self._values.infon(infons, ("type",)) or PLAIN
            infons.pop("type", None)
            self._passages.append([*self._laid_out(pieces), kind])
            if infons:
                passage_infons[str(i)] = infons
        about = {"document": dict(self._values.infons(source)), "passages": passage_infons}
        self._infons = {name: infons for name, infons in about.items() if infons}

    def document(self) -> Document:
        values = self._values
        entities: list[Entity] = []
        concepts: list[str | None] = []
        fragments: dict[str, list[list[int]]] = {}
        single_mentions: dict[str, str] = {}
        entity_infons: dict[str, Json] = {}
        relations = RelationReader(values)
        placed, unplaced = self._annotations()
        for i, (passage, annotation) in enumerate(placed):
            parts = self._parts(annotation)
            infons = dict(values.infons(annotation))
            label = values.infon(infons, ("type",))
            if not label:
                problem = f"annotation {annotation.get('id')!r} has no type"
                raise values.error(problem, "give it an infon 'type'")
            entities.append(Entity(parts[0][0], max(end for _, end in parts), label))
            concepts.append(values.infon(infons, CONCEPT_INFONS))
            single = values.infon(infons, (PARTS,))
            if single is not None:
                single_mentions[str(i)] = single
            read = {
                "type",
                PARTS,
                *[name for name in CONCEPT_INFONS if isinstance(infons.get(name), str)][:1],
            }
            if len(parts) > 1:
                fragments[str(i)] = parts
            if infons.keys() - read:
                entity_infons[str(i)] = {k: v for k, v in infons.items() if k not in read}
            relations.place(annotation, passage, i)
        for passage, holder in self._holders:
            for relation in values.objects(holder, "relations"):
                relations.add(relation, passage)
        meta: dict[str, Any] = {
            "passages": [] if self._is_plain() else self._passages,
            "concepts": concepts if any(concept is not None for concept in concepts) else [],
            "fragments": fragments,
            PARTS: single_mentions,
            "unplaced": [
                {
                    "passage": passage,
                    "id": values.identifier(annotation, "id"),
                    "infons": dict(values.infons(annotation)),
                    "text": values.string(annotation, "text"),
                }
                for passage, annotation in unplaced
            ],
            "infons": self._infons,
            "entity_infons": entity_infons,
            **relations.meta(),
        }
        return Document(
            self._layout.text,
            tuple(entities),
            relations.between(entities, concepts),
            values.string(self._source, "id") or "",
            {name: value for name, value in meta.items() if value},
        )

    def _is_plain(self) -> bool:
        """Whether the text is all that there is to say of the passages."""
        return not self._passages or [[start, kind] for start, _, kind in self._passages] == [[0, PLAIN]]

    def _laid_out(self, pieces: Sequence[Json]) -> tuple[int, int]:
        """Start and end of a passage that consists of a text, or of sentences."""
        texts = [self._values.string(piece, "text") or "" for piece in pieces]
        spans = [
            self._layout.add(self._values.number(piece, "offset"), text)
            for i, (piece, text) in enumerate(zip(pieces, texts, strict=True))
            if i or text or len(pieces) == 1
        ]
        return spans[0][0], spans[-1][1]

    def _annotations(self) -> tuple[list[tuple[int | None, Json]], list[tuple[int | None, Json]]]:
        """Those with a place and those without; in the order of the ids T1, T2, ... if all have such."""
        annotations = [
            (passage, annotation)
            for passage, holder in self._holders
            for annotation in self._values.objects(holder, "annotations")
        ]
        placed = [found for found in annotations if self._values.objects(found[1], "locations")]
        order = {f"T{i}": i for i in range(1, len(placed) + 1)}
        if order.keys() == {self._values.identifier(annotation, "id") for _, annotation in placed}:
            placed.sort(key=lambda found: order[found[1]["id"]])
        unplaced = [found for found in annotations if not self._values.objects(found[1], "locations")]
        return placed, unplaced

    def _parts(self, annotation: Json) -> list[list[int]]:
        values, name = self._values, annotation.get("id")
        locations = values.objects(annotation, "locations")
        try:
            parts = self._layout.spans(
                (values.number(each, "offset"), values.number(each, "length")) for each in locations
            )
        except OffsetError as error:
            raise OffsetError(f"annotation {name!r} {error.problem}", error.remedy) from None
        there = " ".join(self._layout.text[a:b] for a, b in parts)
        whole = self._layout.text[parts[0][0] : max(end for _, end in parts)]
        says = values.string(annotation, "text")
        if says is None or says in (there, whole):
            return parts
        if says.split() not in (there.split(), whole.split()):
            problem = f"annotation {name!r} says {says!r}, the text at {parts} is {there!r}"
            raise OffsetError(problem, "correct its location")
        log.warning(
            "document %r: annotation %r and the text at its offsets differ in white space; the offsets hold",
            self._source.get("id"),
            name,
        )
        return parts

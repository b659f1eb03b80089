"""Relations of a BioC document: between annotations by nodes, or between concepts by infons.

Concepts are named by the infons ``entity1`` and ``entity2`` (BioRED), ``role1`` and ``role2`` (PubTator 3,
whose nodes say nothing more), ``head`` and ``tail``, or any two (BC5CDR). The head comes first unless a
node's role says ``tail``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clinsynth.formats.bioc_values import Json, Values
from clinsynth_onnx.concept_fields import Triple, about_relations
from clinsynth_onnx.concepts import relations_between
from clinsynth_onnx.document import Entity, Relation

LABELS = ("relation", "type")
NOVELTY = "novel"
ROLES = ("role1", "role2")
ENDS = (("entity1", "entity2"), ("head", "tail"))


class RelationReader:
    """Collects the relations of one document, after all its annotations have their place."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._places: dict[str, list[tuple[int | None, int]]] = {}
        self._relations: list[Relation] = []
        self._concept_relations: list[tuple[Triple, str | None]] = []
        self._infons: dict[str, Json] = {}
        self._concept_infons: dict[str, Json] = {}

    def place(self, annotation: Json, passage: int | None, entity: int) -> None:
        """Says which entity an annotation has become."""
        name = self._values.identifier(annotation, "id")
        if name is not None:
            self._places.setdefault(name, []).append((passage, entity))

    def add(self, relation: Json, passage: int | None) -> None:
        """Reads a relation of the document, or of one of its passages. Raises ``CorpusError``."""
        values = self._values
        infons = values.infons(relation)
        nodes = sorted(values.objects(relation, "nodes"), key=lambda node: node.get("role") == "tail")
        others = {name: infons[name] for name in infons if name not in (*LABELS, NOVELTY)}
        label = values.infon(infons, LABELS)
        ends = self._ends(others, bool(nodes))
        refids = [values.identifier(node, "refid") for node in nodes]
        if label and ends:
            head, tail = (self._concept(others[name]) for name in ends)
            index, kept = len(self._concept_relations), self._concept_infons
            self._concept_relations.append(((label, head, tail), values.string(infons, NOVELTY)))
            others = {name: value for name, value in others.items() if name not in ends}
        elif label and len(refids) == 2 and refids[0] != refids[1]:
            index, kept = len(self._relations), self._infons
            first, second = (self._entity(name, passage) for name in refids)
            self._relations.append(Relation(first, second, label))
            others = {name: infons[name] for name in infons if name not in LABELS}
        else:
            raise values.error(
                f"relation {relation.get('id')!r} has no type, or not two different nodes or two concepts",
                "give it an infon 'type', and two nodes or the infons 'entity1' and 'entity2'",
            )
        if others:
            kept[str(index)] = others

    def between(self, entities: Sequence[Entity], concepts: Sequence[str | None]) -> tuple[Relation, ...]:
        """Those between annotations, and those that concepts bring to mentions."""
        triples = [triple for triple, _ in self._concept_relations]
        return (*self._relations, *relations_between(entities, concepts, triples))

    def meta(self) -> dict[str, Any]:
        """What of the relations a document's ``meta`` keeps."""
        return {
            **about_relations(self._concept_relations),
            "relation_infons": self._infons,
            "concept_relation_infons": self._concept_infons,
        }

    def _ends(self, infons: Json, has_nodes: bool) -> Sequence[str]:
        """The infons that name head and tail, if any do."""
        pairs = [ROLES] if has_nodes else [*ENDS, ROLES]
        for pair in pairs:
            if all(self._concept(infons.get(name)) for name in pair):
                return pair
        if has_nodes or len(infons) != 2 or not all(map(self._concept, infons.values())):
            return ()
        return tuple(infons)

    def _concept(self, value: Any) -> str:
        """The concept that an infon names; PubTator 3 has an object, whose concept may have a name only."""
        if isinstance(value, dict):
            value = value.get("identifier") or value.get("name")
        return value if isinstance(value, str) else ""

    def _entity(self, name: str | None, passage: int | None) -> int:
        """The entity with this id: in the same passage, where ids begin anew in each; else in all of them."""
        places = self._places.get(name or "", [])
        near = [entity for where, entity in places if where == passage and passage is not None]
        found = near or [entity for _, entity in places]
        if not found:
            raise self._values.error(
                f"a relation names {name!r}, which is not an annotation", "add it, or correct it"
            )
        if len(found) > 1:
            raise self._values.error(
                f"a relation names {name!r}, and two annotations have this id", "make ids different"
            )
        return found[0]

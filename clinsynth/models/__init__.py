"""LightningModules for the two tasks."""

from clinsynth.models.concept_relations import ConceptRelations
from clinsynth.models.relation_extraction import RelationExtraction
from clinsynth.models.token_classification import TokenClassification

__all__ = ["ConceptRelations", "RelationExtraction", "TokenClassification"]

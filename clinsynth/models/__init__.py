"""LightningModules for the two tasks, and a baseline for both."""

from clinsynth.models.relation_extraction import RelationExtraction
from clinsynth.models.token_classification import TokenClassification
from clinsynth.models.zero_shot import ZeroShot

__all__ = ["RelationExtraction", "TokenClassification", "ZeroShot"]

"""LightningDataModules: published corpora, files of any known format, synthetic text, and mixtures."""

from clinsynth.datamodules.base import DocumentDataModule
from clinsynth.datamodules.bc5cdr import BC5CDR
from clinsynth.datamodules.biored import BioRED
from clinsynth.datamodules.euadr import EUADR
from clinsynth.datamodules.files import Files
from clinsynth.datamodules.gad import GAD
from clinsynth.datamodules.mixture import Mixture
from clinsynth.datamodules.ncbi_disease import NCBIDisease
from clinsynth.datamodules.self_training import SelfTraining
from clinsynth.datamodules.synthetic import Synthetic

__all__ = [
    "BC5CDR",
    "EUADR",
    "GAD",
    "BioRED",
    "DocumentDataModule",
    "Files",
    "Mixture",
    "NCBIDisease",
    "SelfTraining",
    "Synthetic",
]

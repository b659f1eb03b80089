"""Readers of corpora: published ones, and files of any known format. They need no task and no torch."""

from clinsynth.corpora.base import Corpus
from clinsynth.corpora.bc5cdr import BC5CDR
from clinsynth.corpora.biored import BioRED
from clinsynth.corpora.euadr import EUADR
from clinsynth.corpora.files import Files
from clinsynth.corpora.gad import GAD
from clinsynth.corpora.ncbi_disease import NCBIDisease

__all__ = ["BC5CDR", "EUADR", "GAD", "BioRED", "Corpus", "Files", "NCBIDisease"]

"""The corpus made from the Genetic Association Database (Bravo et al. 2015)."""

from __future__ import annotations

from clinsynth.corpora.folds import FoldedCorpus


class GAD(FoldedCorpus):
    """Whether a sentence associates a gene with a disease; labels come from a database, not from reading."""

    folder = "gad"
    archived_as = "GAD"

"""The EU-ADR corpus of relations between targets and diseases (van Mulligen et al. 2012)."""

from __future__ import annotations

from clinsynth.corpora.folds import FoldedCorpus


class EUADR(FoldedCorpus):
    """Whether a sentence relates a gene or protein to a disease, as three annotators judged it."""

    folder = "euadr"
    archived_as = "euadr"

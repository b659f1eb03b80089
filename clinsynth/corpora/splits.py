"""Seeded cuts of a list of documents; the order of what is kept stays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clinsynth.corpora.base import Split
from clinsynth_onnx.document import Document


def draw(documents: Sequence[Document], size: int, seed: int) -> list[Document]:
    """``size`` documents, drawn without replacement."""
    drawn = np.random.default_rng(seed).permutation(len(documents))[:size]
    return [documents[i] for i in sorted(drawn.tolist())]


def hold_out(
    documents: Sequence[Document], fraction: float, seed: int
) -> tuple[list[Document], list[Document]]:
    """The documents without and with a held-out share, which has as many with relations as the rest.

    Documents of the same text are held out together, so that none is both learned and tested. Of a few
    documents at least one is held out, unless all have the same text.
    """
    rng = np.random.default_rng(seed)
    texts: dict[str, bool] = {}
    for document in documents:
        texts[document.text] = texts.get(document.text, False) or bool(document.relations)
    held: set[str] = set()
    for related in (False, True):
        stratum = [text for text, has in texts.items() if has == related]
        chosen = rng.permutation(len(stratum))[: round(fraction * len(stratum))]
        held.update(stratum[i] for i in chosen.tolist())
    if not held and len(texts) > 1:
        held.add(list(texts)[int(rng.integers(len(texts)))])
    return [d for d in documents if d.text not in held], [d for d in documents if d.text in held]


def cut_training_split(
    documents: Sequence[Document], split: Split, fraction: float, seed: int
) -> list[Document]:
    """What is left for training of documents that are to serve for both, or with ``val`` what is held out."""
    train, val = hold_out(documents, fraction, seed)
    return train if split == "train" else val

"""Seeded cuts of a list of documents; the order of what is kept stays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

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
    documents at least one is held out. Raises ``ValueError`` if all have the same text.
    """
    rng = np.random.default_rng(seed)
    texts: dict[str, bool] = {}
    for document in documents:
        texts[document.text] = texts.get(document.text, False) or bool(document.relations)
    if len(texts) < 2:
        raise ValueError(
            f"{len(documents)} documents are too few to hold a part of them back. Remedy: write more text"
        )
    held: set[str] = set()
    for related in (False, True):
        stratum = [text for text, has in texts.items() if has == related]
        chosen = rng.permutation(len(stratum))[: round(fraction * len(stratum))]
        held.update(stratum[i] for i in chosen.tolist())
    held = held or {list(texts)[int(rng.integers(len(texts)))]}
    return [d for d in documents if d.text not in held], [d for d in documents if d.text in held]

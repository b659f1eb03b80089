"""Labels that a model trained on the rest contradicts (confident learning, Northcutt et al. 2021)."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from cleanlab.filter import find_label_issues
from cleanlab.token_classification.filter import find_label_issues as find_token_issues
from lightning import Trainer, seed_everything
from lightning.pytorch.utilities.seed import isolate_rng

from clinsynth.corpora.base import Split
from clinsynth.curation.curate import ConfidenceFilter
from clinsynth.curation.flaws import Flaw
from clinsynth.datamodules.base import DocumentDataModule
from clinsynth.models.encoder_model import EncoderModel
from clinsynth.models.optimization import Optimization
from clinsynth.models.relation_extraction import RelationExtraction
from clinsynth.models.token_classification import TokenClassification
from clinsynth.runs.seed import GLOBAL_SEED
from clinsynth_onnx.codec import IGNORE, Features, FloatArray, probabilities
from clinsynth_onnx.concepts import concepts
from clinsynth_onnx.document import Document
from clinsynth_onnx.schema import Schema

REASON = "a model trained on the rest contradicts a label"
BATCH_TOKENS = 2048

log = logging.getLogger("clinsynth")


class _Lists(DocumentDataModule):
    """Documents that are at hand."""

    def __init__(self, schema: Schema, train: Sequence[Document], batch_tokens: int) -> None:
        super().__init__(schema, batch_tokens)
        self._train = train

    def documents(self, split: Split) -> Iterable[Document]:
        return self._train


@dataclass(frozen=True)
class ConfidentLearning:
    """The filter by confidence: labels of relations where all documents state them, else of entities.

    Relations are judged mention by mention, so only where they have a direction and a thing is mentioned
    once: of others, most pairs of mentions of two related things have no relation of their own.

    Args:
        settings: How the models are trained.
    """

    settings: ConfidenceFilter

    def __call__(self, documents: Sequence[Document], schema: Schema) -> list[Flaw]:
        """The labels that are in doubt."""
        relations = bool(schema.relations) and all(document.states_relations for document in documents)
        again = any(len(thing.mentions) > 1 for each in documents for thing in concepts(each))
        if relations and (again or schema.symmetric_labels):
            log.warning(
                "filter by confidence: relations are symmetric, or join things that are mentioned more than "
                "once, so labels of entities are judged, and relations are not"
            )
            relations = False
        how = self.settings
        return contradicted(documents, schema, relations, how.encoder, how.folds, how.epochs, how.seed)


def contradicted(
    documents: Sequence[Document],
    schema: Schema,
    relations: bool,
    encoder: str = "offline",
    folds: int = 5,
    epochs: int = 10,
    seed: int = 0,
    optimization: Optimization | None = None,
    batch_tokens: int = 1280,
) -> list[Flaw]:
    """Trains on all folds but one and compares with the labels of that one, for each fold.

    Args:
        documents: Documents to judge, one for each fold at least.
        schema: Task of the documents.
        relations: Whether relations are judged, else entities.
        encoder: Hub id or folder of a pretrained encoder, or ``offline``.
        folds: Number of folds, and of models that are trained.
        epochs: Epochs of each training.
        seed: Random seed of folds and trainings.
        optimization: Settings of each training's optimizer.
        batch_tokens: Padded tokens of one step of a training, at most.

    Raises:
        ValueError: There are fewer documents than folds.
    """
    if len(documents) < folds:
        raise ValueError(
            f"{len(documents)} documents cannot be cut into {folds} folds. "
            "Remedy: write more text, or leave the filter by confidence off"
        )
    if not _is_judged(documents, schema, relations):
        log.info("filter by confidence: all labels are the same, so none can be in doubt")
        return []
    fold_of = np.random.default_rng(seed).permutation(len(documents)) % folds
    options = optimization or Optimization()
    found: list[Flaw] = []
    all_labels: list[list[int]] = []
    all_scores: list[FloatArray] = []
    places: list[tuple[int, list[tuple[int, int]]]] = []
    for fold in range(folds):
        log.info("filter by confidence: training %d of %d", fold + 1, folds)
        rest = [document for document, its in zip(documents, fold_of, strict=True) if its != fold]
        with _seeded(seed):
            model: EncoderModel
            kind = RelationExtraction if relations else TokenClassification
            model = kind(schema, encoder, optimization=options)
            _fit(model, _Lists(schema, rest, batch_tokens), epochs)
        held = np.flatnonzero(fold_of == fold).tolist()
        features = model.codec.encode([documents[i] for i in held])
        with torch.inference_mode():
            logits = model.logits(features.examples, BATCH_TOKENS)
        for example, scores in zip(features.examples, logits, strict=True):
            use = np.flatnonzero(example.labels != IGNORE)
            rows = probabilities(scores if scores.ndim == 2 else scores[None])[use]
            if len(use):
                all_labels.append(example.labels[use].tolist())
                all_scores.append(rows)
                places.append(
                    (held[example.document], _spans(features, example.document, example.origin, len(use)))
                )
    if relations:
        wrong = np.flatnonzero(
            find_label_issues(np.concatenate(all_labels), np.concatenate(all_scores), n_jobs=1)
        )
        issues = [(int(i), 0) for i in wrong]
    else:
        issues = find_token_issues(all_labels, all_scores, n_jobs=1)
    for i, j in issues:
        document, spans = places[i]
        confidence = f"confidence in the label: {all_scores[i][j][all_labels[i][j]]:.2f}"
        found.append(Flaw(document, *spans[j], REASON, confidence))
    return found


def _is_judged(documents: Sequence[Document], schema: Schema, relations: bool) -> bool:
    """Whether there are labels of more than one class."""
    if not relations:
        return any(document.entities for document in documents)
    found = {relation.label for document in documents for relation in document.relations}
    pairs = sum(1 for document in documents for _ in schema.candidate_pairs(document))
    return len(found) > 1 or 0 < sum(len(document.relations) for document in documents) < pairs


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """All randomness comes from the seed, and that of a training around this one is left alone."""
    before = os.environ.get(GLOBAL_SEED)
    with isolate_rng():
        try:
            seed_everything(seed, verbose=False)
            yield
        finally:
            os.environ.pop(GLOBAL_SEED, None)
            if before is not None:
                os.environ[GLOBAL_SEED] = before


def _fit(model: EncoderModel, data: _Lists, epochs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            max_epochs=epochs,
            accelerator="auto",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            limit_val_batches=0,
            default_root_dir=folder,
            gradient_clip_val=1.0,
        )
        trainer.fit(model, datamodule=data)
    model.eval()


def _spans(features: Features, document: int, origin: tuple[int, int], labels: int) -> list[tuple[int, int]]:
    """The characters that each label of an example is about."""
    if not features.tokens:
        return [(0, len(features.documents[document].text))]
    offsets = features.tokens[document].offsets[origin[0] : origin[1]]
    offsets = offsets[offsets[:, 0] < offsets[:, 1]]  # a token of white space has no label
    assert len(offsets) == labels
    return [(int(start), int(end)) for start, end in offsets]

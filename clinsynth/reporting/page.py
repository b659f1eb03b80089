"""The page: one HTML file that opens from disk and asks nothing of a network."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from clinsynth.reporting import charts, model_card
from clinsynth.reporting.comparison import Comparison, comparison, distinct
from clinsynth.reporting.corpus_folder import Corpus
from clinsynth.reporting.evaluation import Evaluation
from clinsynth.reporting.inputs import BundleInput, Input
from clinsynth.reporting.model_card import counted
from clinsynth.reporting.run_folder import Run
from clinsynth.reporting.sections import CorpusSection, EvaluationSection, corpus_section, evaluation_section
from clinsynth.reporting.viewer import OUTCOMES


@dataclass(frozen=True, slots=True)
class Part:
    """What a page shows of one run, corpus or bundle.

    Attributes:
        kind: Which template it is for.
        id: What its ids begin with.
        name: Its heading.
        of: The run, corpus or bundle.
        card: What a model is; none for a corpus.
        evaluation: What it scored, if it was tested.
        section: Tables and charts of the evaluation.
        charts: Learning curves.
        corpus: Tables and charts of a corpus.
    """

    kind: str
    id: str
    name: str
    of: Input
    card: model_card.ModelCard | None = None
    evaluation: Evaluation | None = None
    section: EvaluationSection | None = None
    charts: Sequence[charts.Chart] = ()
    corpus: CorpusSection | None = None

    @property
    def contents(self) -> Sequence[tuple[str, str]]:
        """Ids and headings of its sections."""
        found = [("card", "What it is")]
        if self.kind == "corpus":
            return [*found, ("like", "What its texts are like"), ("left-out", "What was left out")]
        if self.section:
            found.append(("scores", "Scores"))
        if self.kind == "run":
            found.append(("curves", "Learning curves"))
        if isinstance(self.of, BundleInput) and self.of.manifest.get("gate"):
            found.append(("gate", "Compared with torch"))
        if self.section:
            found += [("confusion", "Labels taken for others"), ("confidence", "Confidence")]
            found += [("errors", "Errors by kind")] if self.section.kinds else []
            found += [("viewer", "Gold against found")]
        return found


def render(inputs: Sequence[Input], show_text: bool = False) -> str:
    """The page of runs, corpora and bundles, in the order given.

    Args:
        inputs: What to show; the bundle of a run follows it.
        show_text: Whether text of documents is shown; else there are counts and single words of errors.
    """
    names = distinct([each.name for each in inputs])
    parts = [_part(i, *each, show_text) for i, each in enumerate(zip(names, inputs, strict=True), 1)]
    models = [each for each in inputs if not isinstance(each, Corpus)]
    compared: Comparison | None = comparison(models) if len(models) > 1 else None
    files = resources.files("clinsynth.reporting").joinpath("templates")
    return (
        _templates()
        .get_template("page.html")
        .render(
            parts=parts,
            compared=compared,
            show_text=show_text,
            outcomes=OUTCOMES,
            version=metadata.version("clinsynth"),
            made=datetime.date.today().isoformat(),
            style=Markup(files.joinpath("style.css").read_text(encoding="utf-8")),
            script=Markup(files.joinpath("viewer.js").read_text(encoding="utf-8")),
        )
    )


def write(path: Path, inputs: Sequence[Input], show_text: bool = False) -> None:
    """Writes the page, whole or not at all."""
    text = render(inputs, show_text)
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, encoding="utf-8", errors="backslashreplace")  # half a character is no UTF-8
    draft.replace(path)


def _part(number: int, name: str, of: Input, show_text: bool) -> Part:
    identifier = f"p{number}"
    if isinstance(of, Corpus):
        return Part("corpus", identifier, name, of, corpus=corpus_section(identifier, of))
    evaluation = of.evaluation
    section = evaluation_section(identifier, evaluation, show_text) if evaluation else None
    if isinstance(of, Run):
        pictures = list(charts.learning(identifier, of.curves))
        return Part("run", identifier, name, of, model_card.of_run(of), evaluation, section, pictures)
    return Part("bundle", identifier, name, of, model_card.of_bundle(of), evaluation, section)


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("clinsynth.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "figure": figure,
        "interval": interval,
        "share": share,
        "named": named,
        "counted": counted,
    }
    return environment


def figure(value: float | None) -> str:
    """A share with four digits."""
    return "" if value is None else f"{value:.4f}"


def interval(score: Mapping[str, float | None]) -> str:
    """The interval of a score in brackets; nothing if it has none."""
    if score["low"] is None or score["high"] is None:
        return ""
    return f"({score['low']:.2f}\N{EN DASH}{score['high']:.2f})"


def share(value: float) -> str:
    """A share as percentage."""
    return f"{value:.1%}"


def named(key: str) -> str:
    """A key of a card as words."""
    return key.replace("_", " ")

"""``clinsynth generate``: asks, parses, curates, and writes a corpus."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

from clinsynth.cli.generate.asking import interruptible, tell, tell_forecast
from clinsynth.cli.generate.paths import Paths, paths
from clinsynth.cli.generate.real import Real, real_parts
from clinsynth.curation.curate import ConfidenceFilter, Curation, Doubts
from clinsynth.formats.tasks import read_task
from clinsynth.llm.budget import Budget
from clinsynth.llm.cache import CACHE
from clinsynth.llm.server import Server
from clinsynth.synthesis.generate import Generation
from clinsynth.synthesis.generate import generate as write_corpus
from clinsynth.synthesis.plan import PlanSettings, asked_of_documents, requests_of


def generate(
    task: Path,
    out: Path,
    plan_file: Paths | None = None,
    plan: PlanSettings = PlanSettings(),  # noqa: B008
    server: Server = Server(),  # noqa: B008
    budget: Budget = Budget(),  # noqa: B008
    curation: Curation = Curation(),  # noqa: B008
    second_pass: bool = False,
    critic: bool = False,
    confidence: bool = False,
    confidence_filter: ConfidenceFilter = ConfidenceFilter(),  # noqa: B008
    real: Real | None = None,
    cache: Path = CACHE,
    notes: str = "",
    replay: bool = False,
    dry_run: bool = False,
) -> None:
    """Writes a corpus: asks a language model, parses, curates. Start it again to go on where it stopped.

    Also: clinsynth generate plan, import, explain, forget, audit, seeds, annotate; each has its own --help.

    The folder gets plan.jsonl, replies.jsonl, corpus.jsonl, rejects.jsonl (what could not be used, and why),
    leaks.jsonl and a card. Every reply is kept in the cache before it is used, and none is paid for twice.
    The exit code is 0 if every request has a whole answer, 3 if some have none or the corpus is empty, 130
    after Ctrl-C.

    Args:
        task: The task: a task.yaml.
        out: The folder to write to.
        plan_file: A plan to ask instead of one made from the task, .gz too, or several: [a.jsonl, b.jsonl].
        plan: What to ask for.
        server: Where the language model is.
        budget: Where to stop.
        curation: What to leave out.
        second_pass: Whether the model annotates what it wrote once more, without seeing its tags; what it
            does not confirm is left out. Costs about as much again.
        critic: Whether the model says of each mention that the second pass does not confirm which rule of the
            task decides it; the card counts them by rule, to tell which guideline to mend.
        confidence: Whether labels are taken out that models trained on the other texts contradict; takes a
            training for each fold.
        confidence_filter: How these models are trained.
        real: A real corpus to compare with, e.g. NCBIDisease; it is read here and sent nowhere.
        cache: The folder of replies that were paid for.
        notes: What a user of the corpus has to know; written on its card.
        replay: Whether to ask nothing and make do with the replies in the cache.
        dry_run: Whether only to say what it would cost.
    """
    schema = read_task(task)
    requests = requests_of(schema, plan, paths(plan_file))
    models = {str(request.body.get("model")) for request in requests}
    if plan_file and len(models) == 1:
        plan = replace(plan, model=models.pop())  # who wrote also judges
    if dry_run:
        tell_forecast(requests, cache, server.attempts, budget)
        if second_pass:
            print("the second pass costs about as much again")
        if critic:
            print("the critic asks once more of each text whose mentions the second pass does not confirm")
        return
    doubts = confident_learning(confidence_filter) if confidence else None
    parts, absent = real_parts(real, schema) if real else ({}, {})
    settings = Generation(plan, server, budget, curation, second_pass, critic, cache, notes, replay)
    # a plan that comes as a file does not say in numbers what it asks for
    amounts = None if plan_file else asked_of_documents(schema, plan)
    with interruptible():
        written = write_corpus(schema, requests, out, settings, parts, absent, doubts, amounts)
    tell(written, out)


def confident_learning(settings: ConfidenceFilter) -> Doubts:
    """The filter by confidence. Raises ``ValueError`` where its library is not installed."""
    if importlib.util.find_spec("cleanlab") is None:
        raise ValueError(
            "'confidence' needs cleanlab, which is not installed. Remedy: pip install 'clinsynth[curate]'"
        )
    from clinsynth.models.confidence import ConfidentLearning  # torch takes seconds to import

    return ConfidentLearning(settings)

"""``clinsynth generate annotate``: a training corpus of given texts that a language model annotates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clinsynth.cli.generate.asking import interruptible, tell, tell_forecast
from clinsynth.cli.generate.paths import Paths, paths
from clinsynth.formats import registry
from clinsynth.formats.options import ReadingOptions
from clinsynth.formats.registry import FormatName
from clinsynth.formats.tasks import read_task
from clinsynth.llm.budget import Budget
from clinsynth.llm.cache import CACHE
from clinsynth.llm.server import Server
from clinsynth.synthesis.annotate_texts import TextAnnotation, annotate_texts, requests_for
from clinsynth.synthesis.annotation import AnnotationSettings


def annotate(
    task: Path,
    texts: Paths,
    out: Path,
    llm: AnnotationSettings,
    allow_real_text: bool = False,
    format: FormatName | None = None,
    server: Server = Server(),  # noqa: B008
    budget: Budget = Budget(),  # noqa: B008
    cache: Path = CACHE,
    notes: str = "",
    replay: bool = False,
    dry_run: bool = False,
    **reading: Any,
) -> None:
    """Sends texts that are public to a language model and writes the entities that it finds as a corpus.

    It asks what the model ZeroShot asks, so that both use the same replies. Labels that the texts have
    are never sent, and none is kept. The folder gets plan.jsonl, replies.jsonl, corpus.jsonl,
    rejects.jsonl (what could not be used, and why) and a card. Start it again to go on where it stopped.
    Exit codes are those of clinsynth generate.

    Args:
        task: Task file, a task.yaml.
        texts: File or folder of texts in any format, or several: [a.jsonl, b.txt].
        out: Folder to write to.
        llm: Language model, and how it is asked.
        allow_real_text: Whether the texts may be sent to the server, as they are.
        format: Format of the texts; by default the one that they seem to be in.
        server: Server of the language model.
        budget: Limits of tokens and money.
        cache: Folder of replies that were paid for.
        notes: Words on the card for users of the corpus.
        replay: Whether to ask nothing and make do with the replies in the cache; sends no text.
        dry_run: Whether only to say what it would cost; sends no text.
        reading: Options of ``ReadingOptions``.
    """
    schema = read_task(task)
    options = ReadingOptions(**reading)
    documents = [document for path in paths(texts) for document in registry.read(path, format, options)]
    if dry_run:
        requests = list(requests_for(documents, schema, llm).values())
        tell_forecast(requests, cache, server.attempts, budget)
        return
    settings = TextAnnotation(allow_real_text, server, budget, cache, notes, replay)
    with interruptible():
        written = annotate_texts(schema, documents, llm, out, settings)
    tell(written, out, "--llm.max_tokens")

"""Annotated documents as one HTML page: highlights, a legend, no script, nothing fetched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from html import escape
from pathlib import Path

from clinsynth_onnx.document import Document, Entity

HUES = 137.5  # degrees between neighbouring labels: the golden angle, so that colours stay apart

HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Annotated documents</title><style>
:root { color-scheme: light dark; }
body { font: 1rem/1.7 system-ui, sans-serif; max-width: 55rem; margin: 2rem auto; padding: 0 1rem; }
article { border-top: 1px solid #8886; padding: .5rem 0; }
h2 { font-size: .9rem; opacity: .7; margin: .3rem 0; }
p { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; }
mark { color: inherit; border-radius: .25em; padding: .1em .2em; }
mark small { font-size: .65em; font-weight: 600; opacity: .8; margin-left: .3em; }
"""


def write(path: Path, documents: Callable[[], Iterable[Document]]) -> None:
    """Writes the page. ``documents`` is called twice: to count for the legend, and to show."""
    counts = Counter[str]()
    total = 0
    for document in documents():
        total += 1
        counts.update(entity.label for entity in document.entities)
    labels = sorted(counts)
    with path.open("w", encoding="utf-8", errors="xmlcharrefreplace", newline="\n") as stream:
        stream.write(HEAD)
        for i in range(len(labels)):
            hue = round(i * HUES + 45) % 360
            stream.write(f".e{i} {{ background: light-dark(hsl({hue} 85% 80%), hsl({hue} 50% 30%)); }}\n")
        stream.write(f"</style></head><body>\n<p>{total} documents. ")
        for i, label in enumerate(labels):
            stream.write(f'<mark class="e{i}">{_text(label)}</mark> {counts[label]} ')
        stream.write("</p>\n")
        for document in documents():
            stream.writelines(_article(document, labels))
        stream.write("</body></html>\n")


def _article(document: Document, labels: list[str]) -> Iterator[str]:
    yield f"<article><h2>{_text(document.id)}</h2><p>"
    done = 0
    nested = []
    for entity in sorted(document.entities, key=lambda e: (e.start, -e.end)):
        if entity.start < done:
            nested.append(entity)  # lies within a mention that is highlighted already
            continue
        yield _text(document.text[done : entity.start])
        yield (
            f'<mark class="e{labels.index(entity.label)}" title="{_text(_title(entity))}">'
            f"{_text(document.mention(entity))}<small>{_text(entity.label)}</small></mark>"
        )
        done = entity.end
    yield _text(document.text[done:]) + "</p>"
    items = [f"{document.mention(entity)}: {_title(entity)}, overlapping" for entity in nested]
    for relation in document.relations:
        head, tail = (document.mention(document.entities[i]) for i in (relation.head, relation.tail))
        items.append(
            f"{head} \N{RIGHTWARDS ARROW} {relation.label} \N{RIGHTWARDS ARROW} {tail} ({relation.score:.2f})"
        )
    if items:
        yield "<ul>" + "".join(f"<li>{_text(item)}</li>" for item in items) + "</ul>"
    yield "</article>\n"


def _title(entity: Entity) -> str:
    return f"{entity.label} [{entity.start}, {entity.end}) {entity.score:.2f}"


def _text(text: str) -> str:
    """Escaped; halves of characters, which UTF-8 cannot hold, are shown as what they are."""
    return escape(text.encode("utf-8", "backslashreplace").decode("utf-8"))

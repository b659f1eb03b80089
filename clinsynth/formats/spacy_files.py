"""spaCy's ``DocBin`` (``.spacy``): documents as tokens with entities or groups of spans.

See https://spacy.io/api/docbin. Entities that overlap are in a group of spans, as spaCy's entities cannot.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth.formats.tool_values import identifier, portable_meta
from clinsynth_onnx.document import Document, Entity

GROUP = "sc"  # the name that spaCy's span categorizer has for its group
BROKEN = (LookupError, TypeError, ValueError, AttributeError, AssertionError, OSError)


def read(path: Path, layer: str | None = None) -> Iterator[Document]:
    """Documents in file order.

    Args:
        path: The file.
        layer: Name of the group of spans that are mentions. The entities if not given, or where no document
            has any, the only group that the file has.

    ``meta["concepts"]`` has the ``kb_id`` of each mention. Raises ``CorpusError``.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise CorpusError(path, None, "there is no such file", "check the path") from error
    try:
        docs = list(DocBin().from_bytes(data).get_docs(Vocab()))
    except BROKEN as error:
        raise CorpusError(
            path,
            None,
            f"it is not a DocBin of spaCy ({type(error).__name__})",
            "is the file cut off? write it again with DocBin.to_disk",
        ) from error
    mentions = _mentions(path, docs, layer)
    for number, doc in enumerate(docs, 1):
        spans = mentions(doc)
        unlabelled = next((span for span in spans if not span.label_ or not len(span)), None)
        if unlabelled is not None:
            raise CorpusError(
                path, None, f"document {number}: the span at {unlabelled.start_char} has no label", "label it"
            )
        entities = tuple(Entity(span.start_char, span.end_char, span.label_) for span in spans)
        concepts = [span.kb_id_ or None for span in spans]
        meta = _meta(doc) | ({"concepts": concepts} if any(concepts) else {})
        yield Document(doc.text, entities, (), identifier([doc.user_data.get("id")], number), meta)


def _mentions(path: Path, docs: Sequence[Doc], layer: str | None) -> Callable[[Doc], Sequence[Any]]:
    groups = sorted({name for doc in docs for name, spans in doc.spans.items() if len(spans)})
    if layer is None and (not groups or any(doc.ents for doc in docs)):
        return lambda doc: list(doc.ents)
    if layer is None and len(groups) == 1:
        layer = groups[0]
    if layer not in groups:
        problem = f"it has no group of spans {layer!r}" if layer else "it has several groups of spans"
        names = ", ".join(groups) or "there is none"
        raise CorpusError(path, None, problem, f"name a group with --layer: {names}")
    return lambda doc: list(doc.spans.get(layer, ()))


def _meta(doc: Doc) -> dict[str, Any]:
    try:
        meta = json.loads(doc.user_data.get("meta", "{}"))
    except (TypeError, ValueError):
        return {}  # of another program, which calls something else so
    return meta if isinstance(meta, dict) else {}


def write(path: Path, documents: Iterable[Document]) -> None:
    """A file that spaCy trains on. Raises ``UnwritableError`` on relations and halves of characters."""
    documents = list(documents)
    flat = all(before.end <= after.start for d in documents for before, after in pairwise(d.entities))
    docs = DocBin(store_user_data=True)
    for document in documents:
        docs.add(_doc(document, flat))
    path.write_bytes(docs.to_bytes())


@cache
def _language() -> Any:
    return spacy.blank("xx")  # of any language: its tokens are words and punctuation


def _doc(document: Document, flat: bool) -> Doc:
    """A document whose mentions are entities if in no document of the file they overlap: ``flat``."""
    if document.relations:
        raise UnwritableError(document.id, "spaCy has no place for relations")
    meta = json.dumps(portable_meta(document), ensure_ascii=False)
    for text in (document.text, document.id, meta, *(entity.label for entity in document.entities)):
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise UnwritableError(document.id, "spaCy cannot hold halves of characters (lone surrogates)")
    words, spaces = _tokens(document)
    doc = Doc(_language().vocab, words=words, spaces=spaces)
    doc.user_data |= {"id": document.id, "meta": meta}
    concepts = document.meta.get("concepts") or [None] * len(document.entities)
    spans = []
    for entity, concept in zip(document.entities, concepts, strict=True):
        span = doc.char_span(entity.start, entity.end, entity.label, concept or "")
        if span is None:
            raise UnwritableError(document.id, f"spaCy has no tokens at [{entity.start}, {entity.end})")
        spans.append(span)
    if flat:
        doc.set_ents(spans)
    else:
        doc.spans[GROUP] = spans
    return doc


def _tokens(document: Document) -> tuple[list[str], list[bool]]:
    """Words, and whether a space follows each; a word is cut where a mention begins or ends in it."""
    starts = {entity.start for entity in document.entities}
    ends = {entity.end for entity in document.entities}
    words: list[str] = []
    spaces: list[bool] = []
    for token in _language().make_doc(document.text):
        start, end = token.idx, token.idx + len(token.text)
        cuts = [start, *sorted(cut for cut in starts | ends if start < cut < end), end]
        words += [document.text[a:b] for a, b in pairwise(cuts)]
        spaces += [False] * (len(cuts) - 1)
        if token.whitespace_:
            if end in starts or end + 1 in ends:  # the space is part of a mention
                words.append(token.whitespace_)
                spaces.append(False)
            else:
                spaces[-1] = True
    return words, spaces

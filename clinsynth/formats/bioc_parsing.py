"""BioC XML and JSON to the documents in them, as BioC JSON spells them.

JSON comes as a collection, as a list of collections (the PMC web API), as documents under another name
(``{"PubTator3": [...]}``), or as several of these after one another, such as one document a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clinsynth.formats.errors import CorpusError
from clinsynth.formats.safe_xml import CUT_OFF, root_of

SPACE = re.compile(r"[ \t\n\r]*")
NAME_IT = "check the format, or name another"


def json_documents(path: Path, text: str) -> Iterator[dict[str, Any]]:
    """The documents of all JSON values in ``text``. Raises ``CorpusError``."""
    decoder, at = json.JSONDecoder(), _after_space(text, 0)
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            problem = f"the JSON is broken ({error.msg})"
            raise CorpusError(path, error.lineno, problem, CUT_OFF) from error
        except RecursionError as error:
            raise CorpusError(path, None, "the JSON is nested too deeply", NAME_IT) from error
        found = _documents_in(value)
        if found is None:
            line = text.count("\n", 0, at) + 1 if at else None
            raise CorpusError(path, line, "this is not a BioC collection", NAME_IT)
        yield from found
        at = _after_space(text, end)


def _after_space(text: str, at: int) -> int:
    return SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too


def _documents_in(value: Any) -> list[dict[str, Any]] | None:
    """The documents of a collection, of a list, or of what a web API wraps around them."""
    if isinstance(value, dict):
        if "passages" in value:
            return [value]
        inner = value.get("documents", next(iter(value.values())) if len(value) == 1 else None)
        return _documents_in(inner) if isinstance(inner, list) else None
    if not isinstance(value, list):
        return None
    found: list[dict[str, Any]] = []
    for each in value:
        documents = _documents_in(each) if isinstance(each, dict) else None
        if documents is None:
            return None
        found += documents
    return found


def xml_documents(path: Path, text: str) -> Iterator[dict[str, Any]]:
    """The documents of a BioC XML collection. Raises ``CorpusError``.

    Entities are neither expanded nor fetched, and a comment does not end a text.
    """
    root = root_of(path, text)
    if root.tag != "collection":
        problem = f"this is not a BioC collection but <{root.tag}>"
        raise CorpusError(path, None, problem, NAME_IT)
    for node in root.iter("id", "infon", "offset", "text"):
        if len(node):  # what follows the inner element would be left out
            problem = f"<{node.tag}> holds <{node[0].tag}>"
            raise CorpusError(path, node.sourceline, problem, "leave only text in it")
    for document in root.iterfind("document"):
        yield {
            "id": document.findtext("id"),
            "infons": _infons(document),
            "passages": [_passage(path, passage) for passage in document.iterfind("passage")],
            **_annotations_and_relations(path, document),
        }


def _passage(path: Path, node: Any) -> dict[str, Any]:
    """A passage, or a sentence of one."""
    return {
        "offset": _number(path, node, "its offset", node.findtext("offset")),
        "infons": _infons(node),
        "text": node.findtext("text"),
        "sentences": [_passage(path, sentence) for sentence in node.iterfind("sentence")],
        **_annotations_and_relations(path, node),
    }


def _annotations_and_relations(path: Path, node: Any) -> dict[str, Any]:
    annotations = [
        {
            "id": annotation.get("id"),
            "infons": _infons(annotation),
            "text": annotation.findtext("text"),
            "locations": [
                {name: _number(path, place, f"its {name}", place.get(name)) for name in ("offset", "length")}
                for place in annotation.iterfind("location")
            ],
        }
        for annotation in node.iterfind("annotation")
    ]
    relations = [
        {
            "id": relation.get("id"),
            "infons": _infons(relation),
            "nodes": [
                {"refid": n.get("refid"), "role": n.get("role", "")} for n in relation.iterfind("node")
            ],
        }
        for relation in node.iterfind("relation")
    ]
    return {"annotations": annotations, "relations": relations}


def _infons(node: Any) -> dict[str, str | None]:
    return {infon.get("key", ""): infon.text for infon in node.iterfind("infon")}


def _number(path: Path, node: Any, what: str, value: str | None) -> int:
    try:
        return int(value or "")
    except ValueError as error:
        problem = f"<{node.tag}>: {what} is {value!r}"
        raise CorpusError(path, node.sourceline, problem, "write a whole number instead") from error

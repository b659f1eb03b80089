"""BioC XML and JSON files (Comeau et al. 2013, "BioC").

Passages lie at their offsets, gaps between them are spaces. The ``bioc`` library writes; reading is more
lenient than it, as files that people have are.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bioc import biocjson
from bioc.biocxml.encoder import encode_document
from lxml import etree

from clinsynth.formats.bioc_offsets import CHARACTERS
from clinsynth.formats.bioc_parsing import json_documents, xml_documents
from clinsynth.formats.bioc_reader import read_document
from clinsynth.formats.bioc_writer import json_document, xml_document
from clinsynth.formats.errors import CorpusError
from clinsynth.formats.lines import read_text
from clinsynth_onnx.document import Document

log = logging.getLogger("clinsynth")


def read_xml(path: Path) -> Iterator[Document]:
    """Documents of a BioC XML file. Raises ``CorpusError``."""
    return _read(path, xml_documents)


def read_json(path: Path) -> Iterator[Document]:
    """Documents of a BioC JSON file, or of what web APIs make of it. Raises ``CorpusError``."""
    return _read(path, json_documents)


def _read(path: Path, parse: Callable[[Path, str], Iterator[dict[str, Any]]]) -> Iterator[Document]:
    text = read_text(path).removeprefix("\ufeff")
    if not text.strip():
        raise CorpusError(path, None, "the file is empty", "get it again, or leave it out")
    told: Counter[str] = Counter()
    for source in parse(path, text):
        document, unit = read_document(path, source)
        told[unit] += 1
        told["unplaced"] += len(document.meta.get("unplaced", ()))
        yield document
    unplaced = told.pop("unplaced", 0)
    if unplaced:
        log.warning("%s: %d annotations without a place are kept in meta, not as entities", path, unplaced)
    for unit in told.keys() - {CHARACTERS}:
        log.warning("%s: offsets of %d documents are right as %s only and read so", path, told[unit], unit)


def dumps_xml(document: Document) -> str:
    """A document in BioC XML, without the collection around it. Raises ``UnwritableError``."""
    node = encode_document(xml_document(document))
    return str(etree.tostring(node, encoding="unicode", pretty_print=True))


def dumps_json(document: Document) -> str:
    """A document in BioC JSON, without the collection around it. Raises ``UnwritableError``."""
    return str(biocjson.dumps(json_document(document), ensure_ascii=False))

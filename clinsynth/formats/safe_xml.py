"""XML that comes from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree

from clinsynth.formats.errors import CorpusError

CUT_OFF = "is the file cut off? get it again"


def root_of(path: Path, text: str) -> Any:
    """The root of the XML in ``text``. Raises ``CorpusError``.

    Entities are neither expanded nor fetched, and a comment does not end a text.
    """
    parser = etree.XMLParser(  # takes the text for what it was read as, whatever its declaration says
        encoding="utf-8", resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except etree.XMLSyntaxError as error:
        raise CorpusError(path, error.lineno, f"the XML is broken ({error.msg})", CUT_OFF) from error
    dtd = root.getroottree().docinfo.internalDTD
    defined = dtd is not None and any(True for _ in dtd.iterentities())
    if defined or any(isinstance(node, etree._Entity) for node in root.iter()):
        raise CorpusError(path, None, "the XML defines entities", "write the text itself instead")
    return root

"""What is wrong with a reply as a whole."""

from __future__ import annotations

from clinsynth.formats.rejects import Rejected
from clinsynth.llm.requests import Reply
from clinsynth.synthesis.parse import parse_reply
from clinsynth_onnx.schema import Schema


def complaints(reply: Reply, schema: Schema) -> list[str]:
    """Why a reply is not whole, or why it holds no document; empty for one that is good.

    A whole reply that holds a document is good, whatever of its other parts could not be used.
    """
    if reply.outcome != "complete":
        return [reply.reason]
    found = parse_reply(reply, schema)
    rejects = [part for part in found if isinstance(part, Rejected)]
    return sorted({reject.reason for reject in rejects}) if len(rejects) == len(found) else []

"""Small tasks, and replies as a server would send them."""

from __future__ import annotations

import json
from typing import Any

from clinsynth.llm.requests import Reply
from clinsynth_onnx.schema import EntityType, RelationType, Schema

ENTITIES = {"Gene": EntityType("A gene."), "Disease": EntityType("A disease.", "- Not symptoms.", ["gout"])}
ENTITY_TASK = Schema("letters", ENTITIES, genre="letters", topics=["a", "b", "c"], emphases=["x", "y"])
RELATION_TASK = Schema(
    "pairs", ENTITIES, {"Association": RelationType(["Gene"], ["Disease"], none_label="NoAssociation")}
)


def reply(answer: Any, finish: str = "stop", custom_id: str = "r1") -> Reply:
    """A reply whose answer is a text, or a JSON value."""
    content = answer if isinstance(answer, str) else json.dumps(answer)
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    return Reply(custom_id, 200, {"model": "m", "choices": [choice]})

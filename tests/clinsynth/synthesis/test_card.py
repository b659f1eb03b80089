from __future__ import annotations

import json
from pathlib import Path

from clinsynth.curation.curate import Curation, curate
from clinsynth.formats.rejects import by_reason
from clinsynth.llm.requests import Reply
from clinsynth.synthesis import card
from clinsynth.synthesis.plan import PlanSettings, plan
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.files import sha256_of
from tests.clinsynth.synthesis.tasks import ENTITY_TASK, reply

CANARY = "zebrafish"
TEXT = f"The {CANARY} had gout and nothing else at all."
DOCUMENTS = [Document(TEXT, (Entity(18, 22, "Disease"),), id=name) for name in "ab"]


def test_a_card_tells_all_but_the_text(tmp_path: Path) -> None:
    curated = curate(DOCUMENTS, ENTITY_TASK, Curation(), {"test": [Document("Gout came.", id="r")]})
    file = tmp_path / "corpus.jsonl"
    file.write_text("x")
    requests = plan(ENTITY_TASK, PlanSettings(size=2))
    replies = [reply(CANARY, custom_id=requests[0].custom_id)]
    account = card.Account(
        "letters", requests, replies, card.paid(zip(requests, [replies], strict=False), {}), 2,
        by_reason(curated.rejects), curated.report, not_compared={"val": "not at hand"},
        files={"corpus.jsonl": file}, notes="Written by hand.",
    )  # fmt: skip
    card.write(tmp_path, account)
    shown, read = (tmp_path / "card.md").read_text(), json.loads((tmp_path / "card.json").read_text())
    assert CANARY not in shown + json.dumps(read)
    assert "| words a document: lowest, quarter, median, three quarters, highest | 9, 9, 9, 9, 9 |" in shown
    assert "Written by hand." in shown and "not recorded" in shown
    assert read["answered_by"] == {"m": 1} and read["files"] == {"corpus.jsonl": sha256_of(file)}
    assert read["rejected"]["exact duplicate"] == 1 and read["curation"]["leak_ngram"] == 8
    assert read["leaks"]["not_compared"] == {"val": "not at hand"} and not read["curation"]["second_pass"]


def test_every_reply_is_paid_for_and_a_request_that_occurs_twice_once() -> None:
    (request,) = plan(ENTITY_TASK, PlanSettings(size=1))
    body = {**reply("x").body, "usage": {"prompt_tokens": 10, "completion_tokens": 3}}
    replies = [Reply(request.custom_id, 200, body)] * 2
    cost = card.paid([(request, replies), (request, replies)], {})
    assert cost == card.Paid({"prompt": 20, "answer": 6, "replies_counted": 2}, None)

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from clinsynth.curation.curate import Curation, curate
from clinsynth.curation.flaws import without
from clinsynth.formats.rejects import by_reason
from clinsynth.synthesis import card
from clinsynth.synthesis.agreement import DISAGREES, disagreements
from clinsynth.synthesis.plan import PlanSettings, plan
from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.files import sha256_of
from tests.clinsynth.synthesis.tasks import ENTITY_TASK, reply

CANARY = "zebrafish"
DOCUMENTS = [
    Document(f"The {CANARY} had gout and nothing else at all.", (Entity(18, 22, "Disease"),), id="a"),
    Document(f"The {CANARY} had gout and nothing else at all.", (Entity(18, 22, "Disease"),), id="b"),
    Document("It was said before that all went well in the end.", id="c"),
]
REAL = {
    "test": [
        Document("It was said before that all went well. Gout came.", (Entity(39, 43, "Disease"),), id="r")
    ]
}


def test_what_is_left_and_why() -> None:
    curated = curate(DOCUMENTS, ENTITY_TASK, Curation(), REAL)
    assert curated.documents == DOCUMENTS[:1]
    assert by_reason(curated.rejects) == {"exact duplicate": 1, "overlaps the test part of a real corpus": 1}
    assert curated.report["leaks"]["found"]["test"]["ngram"] == 1
    assert curated.report["corpus"]["mentions"] == {"Disease": 1}
    assert curated.report["vocabulary"]["test"]["mentions of Disease"] == 1.0
    assert curate(curated.documents, ENTITY_TASK, Curation(), REAL).documents == curated.documents


def test_a_card_tells_all_but_the_text(tmp_path: Path) -> None:
    curated = curate(DOCUMENTS, ENTITY_TASK, Curation(), REAL)
    file = tmp_path / "corpus.jsonl"
    file.write_text("x")
    requests = plan(ENTITY_TASK, PlanSettings(size=2))
    replies = [reply(CANARY, custom_id=requests[0].custom_id)]
    value = card.card(
        "letters", requests, replies, card.paid(zip(requests, [replies], strict=False), {}),
        {"rejected": by_reason(curated.rejects), **curated.report}, {"corpus.jsonl": file},
        "Written by hand.",
    )  # fmt: skip
    card.write(tmp_path, value)
    shown, read = (tmp_path / "card.md").read_text(), json.loads((tmp_path / "card.json").read_text())
    assert CANARY not in shown + json.dumps(read)
    assert "Written by hand." in shown and "not recorded" in shown
    assert read["answered_by"] == {"m": 1} and read["files"] == {"corpus.jsonl": sha256_of(file)}
    assert read["rejected"]["exact duplicate"] == 1 and read["curation"]["leak_ngram"] == 8


def test_the_second_pass_takes_out_what_it_does_not_confirm() -> None:
    first = Document("Has gout. Has mumps.", (Entity(4, 8, "Disease"), Entity(14, 19, "Disease")))
    second = Document(first.text, (Entity(4, 8, "Disease"),))
    kept, (reject,) = without([first], disagreements(0, first, second))
    assert [one.text for one in kept] == ["Has gout. "]
    assert (reject.reason, reject.detail) == (DISAGREES, "only the first pass has Disease at [14, 19)")
    assert list(disagreements(0, first, first)) == []


def test_a_relation_of_another_mention_of_the_concept_is_the_same() -> None:
    spans = [Entity(0, 2, "Gene"), Entity(6, 10, "Disease"), Entity(15, 17, "Gene")]
    text = Document(
        "A1 in gout and A1.", tuple(spans), (Relation(0, 1, "R"),), meta={"concepts": ["1", "2", "1"]}
    )
    again = replace(text, relations=(Relation(2, 1, "R"),))
    assert list(disagreements(0, text, again)) == []
    assert len(list(disagreements(0, replace(text, meta={}), replace(again, meta={})))) == 1


@pytest.mark.parametrize("settings", [{"near_duplicates": 0.0}, {"leak_ngram": 1}, {"drop_leaks": ["dev"]}])
def test_settings_are_checked(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="curation"):
        Curation(**settings)  # type: ignore[arg-type]

from __future__ import annotations

from collections.abc import Sequence

import pytest

from clinsynth.curation.curate import ConfidenceFilter, Curation, curate
from clinsynth.curation.flaws import Flaw
from clinsynth.formats.rejects import by_reason
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import Schema
from tests.clinsynth.synthesis.tasks import ENTITY_TASK

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
    assert curated.report.leaks is not None and curated.report.leaks["test"]["ngram"] == 1
    assert curated.report.corpus["mentions"] == {"Disease": 1}
    assert curated.report.to_json()["vocabulary"]["test"]["mentions of Disease"] == 1.0
    assert curate(curated.documents, ENTITY_TASK, Curation(), REAL).documents == curated.documents


@pytest.mark.parametrize("settings", [{"near_duplicates": 0.0}, {"leak_ngram": 1}, {"drop_leaks": ["dev"]}])
def test_settings_are_checked(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="curation"):
        Curation(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [{"folds": 1}, {"epochs": 0}])
def test_settings_of_the_filter_by_confidence_are_checked(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 2 folds and 1 epoch"):
        ConfidenceFilter(**settings)  # type: ignore[arg-type]


def test_labels_in_doubt_are_taken_out() -> None:
    class Doubtful:
        settings = ConfidenceFilter(folds=3)

        def __call__(self, documents: Sequence[Document], schema: Schema) -> list[Flaw]:
            return [Flaw(0, 18, 22, "in doubt")]

    curated = curate(DOCUMENTS[1:], ENTITY_TASK, Curation(), doubts=Doubtful())
    assert curated.documents == DOCUMENTS[2:] and by_reason(curated.rejects) == {"in doubt": 1}
    assert curated.report.to_json()["curation"]["confidence"]["folds"] == 3
    assert curate(DOCUMENTS, ENTITY_TASK, Curation()).report.to_json()["curation"]["confidence"] is False

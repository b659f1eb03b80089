from __future__ import annotations

import pytest

from clinsynth.formats.unplaced import unplaced_annotations


@pytest.mark.parametrize("given", [None, 3, {"a": 1}, [3], [{"infons": 3}]])
def test_other_meta_of_this_name_is_left_alone(given: object) -> None:
    assert unplaced_annotations({"unplaced": given}) == []


def test_annotations_are_found() -> None:
    annotation = {"passage": 0, "id": "M1", "infons": {"type": "Indexing"}, "text": ""}
    assert unplaced_annotations({"unplaced": [annotation]}) == [annotation]

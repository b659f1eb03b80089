from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.formats.rejects import Rejected
from clinsynth.synthesis import tagged
from clinsynth.synthesis.tagged import read_tagged, render
from clinsynth_onnx.document import Document, Entity
from clinsynth_onnx.schema import EntityType, Schema
from tests.clinsynth.synthesis.strategies import documents, markup
from tests.clinsynth.synthesis.tasks import ENTITY_TASK

LABELS = ENTITY_TASK.entity_labels


def read(text: str, labels: Sequence[str]) -> Document | Rejected:
    """The document of a tagged text, or why it is none."""
    found = read_tagged(text, labels)
    return found if isinstance(found, Rejected) else Document(found.text, found.entities)


@given(documents())
def test_a_rendered_document_reads_back(document: Document) -> None:
    assert read(render(document, ENTITY_TASK), LABELS) == document


@given(documents())
def test_ids_do_not_disturb(document: Document) -> None:
    found = read_tagged(render(document, ENTITY_TASK, ids=True), LABELS)
    assert not isinstance(found, Rejected)
    assert (found.text, found.entities) == (document.text, document.entities)
    assert found.ids == tuple(str(i) for i in range(1, len(document.entities) + 1))


@given(st.one_of(markup, st.text()), st.booleans())
def test_no_text_makes_it_fail_or_gives_an_empty_mention(text: str, masks: bool) -> None:
    found = read_tagged(text, LABELS, masks)
    if not isinstance(found, Rejected):
        document = Document(found.text, found.entities)  # checks the offsets
        assert all(document.mention(entity) for entity in document.entities)
        again = read_tagged(render(document, ENTITY_TASK), LABELS, masks)
        assert not isinstance(again, Rejected) and again.text == found.text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<Disease>gout", tagged.UNCLOSED),
        ("gout</Disease>", tagged.UNOPENED),
        ("<Disease><Gene>VHL</Gene> disease</Disease>", tagged.NESTED),
        ("<Disease>gout</Gene>", tagged.CROSSED),
        ("<Drug>salt</Drug>", tagged.UNKNOWN),
        ("no <Disease> </Disease>", tagged.HOLLOW),
        ("<Disease gout", tagged.MALFORMED),
        ("  ", tagged.EMPTY),
        ("half \ud800", tagged.SURROGATE),
    ],
)
def test_what_leaves_a_doubt_is_refused(text: str, reason: str) -> None:
    found = read(text, LABELS)
    assert isinstance(found, Rejected)
    assert (found.reason, found.raw) == (reason, text)


@pytest.mark.parametrize(
    "text",
    [
        "has <disease>gout</DISEASE>.",
        "has &lt;Disease&gt;gout&lt;/Disease&gt;.",
        "has < Disease >gout</ Disease >.",
        'has <Disease type="x">gout</Disease>.',
        "has <Disease> gout</Disease>.",
    ],
)
def test_what_models_make_of_tags_is_taken(text: str) -> None:
    found = read(text, LABELS)
    assert isinstance(found, Document)
    assert [found.mention(e) for e in found.entities] == ["gout"]


def test_a_reference_is_the_character_it_names() -> None:
    assert read("p &lt; 0.05 &amp; more", LABELS) == Document("p < 0.05 & more")


def test_labels_of_several_words() -> None:
    schema = Schema("t", {"Adverse event": EntityType(), "ADE_type-2": EntityType()})
    document = Document("rash, itch", (Entity(0, 4, "Adverse event"), Entity(6, 10, "ADE_type-2")))
    assert read(render(document, schema), schema.entity_labels) == document


def test_overlap_and_unknown_labels_cannot_be_rendered() -> None:
    with pytest.raises(ValueError, match="overlap"):
        render(Document("abc", (Entity(0, 2, "Gene"), Entity(1, 3, "Gene"))), ENTITY_TASK)
    with pytest.raises(ValueError, match="does not know"):
        render(Document("abc", (Entity(0, 2, "Drug"),)), ENTITY_TASK)


def test_reading_is_linear() -> None:
    begin = time.perf_counter()
    for piece in ("<Disease ", "&lt;", '<Disease a="', "<Disease a=b ", "@Gene", "< / "):
        read(piece * 20_000, LABELS)
    assert time.perf_counter() - begin < 20  # quadratic matching would take hours

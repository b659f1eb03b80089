"""Columns of tokens and tags in each scheme, and what can be wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.formats import conll, registry
from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth_onnx.document import Document, Entity, Relation
from tests.clinsynth_onnx.strategies import documents

WORDS = ["No", "fever", "or", "severe", "pain", "after", "zorvexin", "."]
SCHEMES = {
    "iob1": ["O", "I-S", "O", "I-S", "I-S", "O", "I-D", "O"],
    "iob2": ["O", "B-S", "O", "B-S", "I-S", "O", "B-D", "O"],
    "iobes": ["O", "S-S", "O", "B-S", "E-S", "O", "S-D", "O"],
    "bilou": ["O", "U-S", "O", "B-S", "L-S", "O", "U-D", "O"],
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("columns", ["{}\t{}\n", "{} NN x {}\n"])
def test_all_schemes_say_the_same(tmp_path: Path, scheme: str, columns: str) -> None:
    path = tmp_path / "x.conll"
    path.write_text("".join(columns.format(w, t) for w, t in zip(WORDS, SCHEMES[scheme], strict=True)))
    (document,) = conll.read(path)
    assert document.text == "No fever or severe pain after zorvexin ."
    assert [(document.mention(e), e.label) for e in document.entities] == [
        ("fever", "S"),
        ("severe pain", "S"),
        ("zorvexin", "D"),
    ]


@pytest.mark.parametrize(
    ("tags", "mentions"),
    [
        (["B-S", "B-S", "I-S"], ["a", "b c"]),
        (["I-S", "B-S", "I-S"], ["a", "b c"]),
        (["I-S", "I-D", "O"], ["a", "b"]),
        (["S-S", "B-S", "E-S"], ["a", "b c"]),
    ],
)
def test_neighbouring_mentions_stay_apart(tmp_path: Path, tags: list[str], mentions: list[str]) -> None:
    path = tmp_path / "x.conll"
    path.write_text("".join(f"{word} {tag}\n" for word, tag in zip("abc", tags, strict=True)))
    (document,) = conll.read(path)
    assert [document.mention(e) for e in document.entities] == mentions


def test_sentences_are_documents_unless_documents_are_marked(tmp_path: Path) -> None:
    path = tmp_path / "x.conll"
    path.write_text("a O\n\n\nb O\nc B-S\n")
    assert [(d.id, d.text) for d in conll.read(path)] == [("1", "a"), ("2", "b c")]
    path.write_text("-DOCSTART- -X- O O\n# id = first\n\na O\n\nb O\n\n-DOCSTART- O\n\nc O\n")
    assert [(d.id, d.text) for d in conll.read(path)] == [("first", "a\nb"), ("2", "c")]


def test_numbers_are_offsets_only_between_tabs(tmp_path: Path) -> None:
    path = tmp_path / "x.conll"
    path.write_text("a 5 6 O\nb 8 9 O\n")
    assert [d.text for d in conll.read(path)] == ["a b"]
    path.write_text("a\t1\t2\tO\nb\t4\t5\tO\n")
    assert [d.text for d in conll.read(path)] == [" a  b"]


@st.composite
def plain_documents(draw: st.DrawFn) -> Document:
    """Text and mentions that columns can hold."""
    words = draw(st.lists(st.sampled_from(["fever", "E. coli.", "caf\u00e9", "x-1", "The", ")", "\u7ef4"])))
    text = "  ".join(["Start", *words])
    entities, done = [], 0
    for start in draw(st.lists(st.integers(0, len(text) - 1), max_size=6).map(sorted)):
        end = draw(st.integers(start + 1, min(len(text), start + 12)))
        if start >= done and text[start] != " " and text[end - 1] != " ":
            entities.append(Entity(start, end, draw(st.sampled_from(["S", "D"]))))
            done = end
    return Document(text, tuple(entities), id=draw(st.sampled_from(["", "7", "a b"])))


@given(
    drawn=st.lists(plain_documents(), min_size=1, max_size=3),
    scheme=st.sampled_from(["iob1", "iob2", "iobes"]),
)
def test_what_columns_can_hold_is_read_back(
    drawn: list[Document], scheme: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("conll") / "x.conll"
    assert registry.write(path, drawn, scheme) == []
    assert list(registry.read(path)) == drawn


@given(document=documents(), scheme=st.sampled_from(["iob1", "iob2", "iobes"]))
def test_any_other_document_is_kept_or_refused(
    document: Document, scheme: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("conll") / "x.conll"
    try:
        registry.write(path, [document], scheme)
    except UnwritableError:
        assert not path.exists()
    else:
        assert list(registry.read(path)) == [document]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (Document("ab", (Entity(0, 1, "S"), Entity(1, 2, "D")), (Relation(0, 1, "R"),)), "relations"),
        (Document("a\tb"), "white space"),
        (Document("ab", (Entity(0, 2, "S"), Entity(1, 2, "S"))), "overlap"),
        (Document("ab", (Entity(1, 2, "S"), Entity(0, 1, "S"))), "order"),
        (Document("a b", (Entity(0, 2, "S"),)), "end with a space"),
        (Document("ab "), "spaces at the end"),
        (Document(""), "empty text"),
        (Document("ab", id="1\n2"), "line break"),
        (Document("ab", (Entity(0, 1, "a b"),)), "label"),
        (Document("a\ud800"), "surrogates"),
    ],
)
def test_what_columns_cannot_hold_is_named(tmp_path: Path, document: Document, says: str) -> None:
    with pytest.raises(UnwritableError, match=says):
        conll.write(tmp_path / "x", [document])


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("a O\nb\n", 2, "1 columns"),
        ("a O\nb X-S\n", 2, "'X-S'"),
        ("a O\nb B-\n", 2, "'B-'"),
        ("a B-S\nb E-D\n", 2, "has no end"),
        ("a O\nb E-S\n", 2, "no mention is open"),
        ("a S-S\nb B-S\n\nc O\n", 2, "has no end"),
        ("a\t0\t1\tO\nbc\t1\t2\tO\n", 2, "do not fit"),
        ("a\t0\t1\tO\nb\t0\t1\tO\n", 2, "do not fit"),
        ("a\t0\t1\tO\nb\t99999999999\t100000000000\tO\n", 2, "do not fit"),
        ("a O\n-DOCSTART- O\n\nb O\n", 1, "before the first"),
        ("a O\r\nb O\r\n", 1, "carriage return"),
        ("a O\nb\xfc O\n", 2, "not UTF-8"),
        ("", None, "empty"),
    ],
)
def test_a_malformed_file_is_told_with_its_line(
    tmp_path: Path, content: str, line: int | None, says: str
) -> None:
    path = tmp_path / "bad.conll"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(CorpusError, match=r"bad\.conll.*Remedy") as caught:
        list(conll.read(path))
    assert says in str(caught.value) and caught.value.line == line

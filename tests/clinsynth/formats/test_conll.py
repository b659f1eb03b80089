"""Columns of tokens and tags in each scheme, and what can be wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.formats import conll, registry
from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth.formats.options import ReadingOptions
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


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "###MEDLINE:95000001\n\na\tO\nb\tB-S\n\nc\tO\n\n###MEDLINE:7\n\nd\tO\n",
            [("95000001", "a b\nc"), ("7", "d")],
        ),
        ("# id = x 1\na O\n\n# id = y\nb O\n", [("x 1", "a"), ("y", "b")]),
        ("# id 1-a\tdomain=en\na _ _ O\n\n# id 2-b\tdomain=en\nb _ _ O\n", [("1-a", "a"), ("2-b", "b")]),
        ("# newdoc id = x\n# sent_id = 1\n# text = vitamin B\na O\n\n# sent_id = 2\nb O\n", [("x", "a\nb")]),
        (
            "# doc_id = x\n# id = 1\na\tO\n\n# doc_id = x\nb\tO\n\n# doc_id = y\nc\tO\n",
            [("x", "a\nb"), ("y", "c")],
        ),
        ("-DOCSTART- (1 EU)\n\na O\n# id = no name\n\nb O\n", [("1 EU", "a\nb")]),
        ("# 5 O\n#1 O\n", [("1", "# #1")]),
        ("#\tO\n##\tO\n", [("1", "# ##")]),
    ],
)
def test_marks_of_documents_and_comments(
    tmp_path: Path, content: str, expected: list[tuple[str, str]]
) -> None:
    path = tmp_path / "x.conll"
    path.write_text(content)
    assert [(d.id, d.text) for d in conll.read(path)] == expected


def test_tags_without_a_type_are_named(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    path.write_text("a\tB\nb\tI\nc\tO\nd\tB\n")
    assert registry.detect(path) == "iob2"
    (document,) = registry.read(path, options=ReadingOptions(label="Disease"))
    assert document.entities == (Entity(0, 3, "Disease"), Entity(6, 7, "Disease"))
    with pytest.raises(CorpusError, match=r"train\.tsv:1: .*'B'.*--label Disease"):
        list(registry.read(path))
    path.write_text("a\tS\nb\tB\nc\tE\n")
    (document,) = conll.read(path, label="D")
    assert document.entities == (Entity(0, 1, "D"), Entity(2, 5, "D"))


def test_spaces_are_text_where_tabs_separate(tmp_path: Path) -> None:
    path = tmp_path / "x.conll"
    path.write_text("vitamin D\tB-S\n5 mg\tO\n")
    (document,) = conll.read(path)
    assert document.text == "vitamin D 5 mg" and document.entities == (Entity(0, 9, "S"),)
    path.write_text("1\u00a0mg  O \n")
    assert [d.text for d in conll.read(path)] == ["1\u00a0mg"]
    path.write_text("a\tO\nb O\n")
    with pytest.raises(CorpusError, match=r"conll:2: the line has 1 columns, separated by tabs"):
        list(conll.read(path))


def test_columns_are_chosen_by_number(tmp_path: Path) -> None:
    path = tmp_path / "x.conll"
    path.write_text("1\tfever\tB-S\tB-NP\n2\tand\tO\tO\n")
    options = ReadingOptions(token_column=2, tag_column=3)
    (document,) = registry.read(path, "iob2", options)
    assert document.text == "fever and" and document.entities == (Entity(0, 5, "S"),)
    with pytest.raises(CorpusError, match=r"conll:1: the line has 4 columns.*chosen"):
        list(conll.read(path, tag_column=5))
    with pytest.raises(ValueError, match="counted from 1"):
        list(conll.read(path, tag_column=0))
    with pytest.raises(CorpusError, match=r"'2'|'1'.*--tag_column"):
        list(conll.read(path, tag_column=1))


def test_an_option_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "a"}\n')
    with pytest.raises(ValueError, match=r"read as jsonl, where the option label means nothing.*iob2"):
        list(registry.read(path, options=ReadingOptions(label="D")))


def test_an_empty_line_inside_a_mention_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.iobes"
    path.write_text("B\tB-cell\n\nline\tE-cell\n")
    with pytest.raises(CorpusError, match=r"iobes:1: .*has no end.*empty line inside"):
        list(registry.read(path))


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
    return Document(text, tuple(entities), id=draw(st.sampled_from(["", "7", "a b", " B", "= x", "\t#"])))


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
        registry.get_format("iob2").writing.write(tmp_path / "x", [document])


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

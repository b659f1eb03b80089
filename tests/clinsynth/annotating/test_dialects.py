"""CSV and TSV as spreadsheets and scripts write them: every row is read or told, none takes another."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import pytest

from clinsynth.annotating import sources
from clinsynth.annotating.rows import Columns

WANTED = [("1", "She has asthma."), ("2", "Gout; no fever.")]
PLAIN = b"id,text\n1,She has asthma.\n2,Gout; no fever.\n"
PACKED = gzip.compress(PLAIN, mtime=0)
TABBED = PLAIN.replace(b",", b"\t")
SEMICOLONS = b'id;text\n1;She has asthma.\n2;"Gout; no fever."\n'


def in_encoding(content: bytes, name: str) -> bytes:
    return content.decode("ascii").encode(name)


def read(path: Path, content: str | bytes, columns: Columns | None = None) -> list[tuple[str, str]]:
    """Of each row its id and text; of a bad one what is wrong and what it holds."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    columns = columns or Columns()
    rows = sources.read(str(path), sources.format_of(str(path), None, columns), columns)
    return [
        (row.document.id, row.document.text) if row.document else (f"bad: {row.problem}", row.raw)
        for row in rows
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("in.csv", PLAIN),
        ("in.csv", SEMICOLONS),
        ("in.csv", b"sep=;\r\n" + SEMICOLONS.replace(b"\n", b"\r\n")),
        ("in.csv", b'"sep=|"\n' + PLAIN.replace(b",", b"|")),
        ("in.csv", codecs.BOM_UTF8 + b"sep=,\r\n" + PLAIN),
        ("in.csv", TABBED),
        ("in.tsv", PLAIN),
        ("in.tab", TABBED),
        ("in.txt", in_encoding(TABBED.replace(b"\n", b"\r\n"), "utf-16")),  # "Unicode text" of Excel
        ("in.csv", in_encoding(PLAIN.replace(b"\n", b"\r\n"), "utf-16")),
        ("in.tsv", in_encoding(TABBED, "utf-16-le")),  # without a mark
        ("in.csv", in_encoding(PLAIN, "utf-16-be")),
        ("in.csv", in_encoding(PLAIN, "utf-32")),
        ("in.csv", codecs.BOM_UTF8 + PLAIN),
        ("in.csv", codecs.BOM_UTF8 + PLAIN.replace(b"id,text", b'"id","text"')),
        ("in.csv", PLAIN.replace(b"\n", b"\r")),
        ("in.csv", PLAIN.replace(b"\n", b"\r", 1)),
        ("in.csv", b"\n\r\n" + PLAIN.replace(b"\n", b"\n\n") + b"\n"),
        ("in.csv", PLAIN.rstrip(b"\n")),
        ("in.csv.gz", PACKED),
    ],
)
def test_dialects_are_told_apart(name: str, content: str | bytes, tmp_path: Path) -> None:
    assert read(tmp_path / name, content) == WANTED


def test_quotation_marks_are_text_where_tabs_separate(tmp_path: Path) -> None:
    content = 'id\ttext\n1\t"Wilson disease is rare.\n2\tGout is not."\n3\t"gout"\n4\tcalled "gout"\n5\t\n'
    texts = ['"Wilson disease is rare.', 'Gout is not."', '"gout"', 'called "gout"', ""]
    assert [text for _, text in read(tmp_path / "in.tsv", content)] == texts


def test_tabs_with_quoted_fields_are_read_when_asked_for(tmp_path: Path) -> None:
    content = 'id\ttext\n1\t"two\nlines"\n2\t"a ""b"""\n'
    (first, second, _) = read(tmp_path / "in.tsv", content)
    assert first == ("1", '"two') and second[1] == 'lines"'
    assert second[0].endswith("if its fields stand in quotation marks, say --quoted true")
    assert read(tmp_path / "in.tsv", content, Columns(quoted=True)) == [("1", "two\nlines"), ("2", 'a "b"')]
    with pytest.raises(ValueError, match=r"quotation marks, .* Remedy: say --quoted true"):
        read(tmp_path / "in.tsv", content.replace("id\ttext", '"id"\t"text"'))


@pytest.mark.parametrize(
    "ids",
    [
        ("1", "2", "3"),
        ("30771892", "30771895", "28114269"),
        ("PMC12", "PMC9", "PMC40"),
        ("a1b2c3d4-00aa", "ffffffff-12ab", "00000000-0000"),
        ("2024-01-02", "2024-03-01", "2024-03-02"),
    ],
)
def test_a_row_is_not_taken_by_the_one_before(ids: tuple[str, str, str], tmp_path: Path) -> None:
    """The quotation mark that opens in the first row is closed at the end of the second."""
    content = f'id,text\n{ids[0]},"Wilson disease is rare.\n{ids[1]},Gout is not."\n{ids[2]},No fever.\n'
    first, second, third = read(tmp_path / "in.csv", content)
    assert first[0].startswith("bad: its quotation mark is closed in what seems to be another row")
    assert first[1] == f'{ids[0]},"Wilson disease is rare.'
    assert second == (ids[1], 'Gout is not."') and third == (ids[2], "No fever.")


def test_rows_after_one_with_too_many_fields_are_read(tmp_path: Path) -> None:
    content = 'id,text\na,"Gout, he said.\nb,No fever.\nc,Pain",he said.\nd,Itis.\n'
    rows = read(tmp_path / "in.csv", content)
    assert [row for row in rows if not row[0].startswith("bad")] == [("b", "No fever."), ("d", "Itis.")]
    assert [row[1] for row in rows if row[0].startswith("bad")] == ['a,"Gout, he said.', 'c,Pain",he said.']


def test_a_text_of_several_lines_is_one_row(tmp_path: Path) -> None:
    note = "Plan:\n1, rest\n3, aspirin 100 mg\n\n2019, stroke\nDiagnoses, old: none"
    content = f'id,text\n7,"{note}"\n8,"{note}"\n'
    assert read(tmp_path / "in.csv", content) == [("7", note), ("8", note)]


def test_numbers_of_rows_stand_for_ids_that_are_not_there(tmp_path: Path) -> None:
    assert read(tmp_path / "in.csv", "text\nfever\n\npain\n") == [("1", "fever"), ("2", "pain")]
    assert read(tmp_path / "in.csv", "id,text\n,fever\nb,pain\n") == [("1", "fever"), ("b", "pain")]


NOTES = b"note,pmid\nfever,1\n"
MANY = b'{"note": "fever", "pmid": 1}\n' * 30
KEY = Columns("note", "key")


@pytest.mark.parametrize(
    ("name", "content", "columns", "message"),
    [
        (
            "in.csv",
            NOTES,
            Columns(),
            r"no column 'text'; its columns are: note, pmid\. Remedy: .*--text_column",
        ),
        ("in.csv", NOTES, KEY, r"no column 'key'; its columns are: note, pmid\. Remedy: .*--id_column"),
        ("in.csv", b"id; text\n1;x\n", Columns(), r"its columns are: id, ' text'\. Remedy"),
        ("in.jsonl", MANY, Columns(), r"no column 'text'; its columns are: note, pmid\. .*--text_column"),
        ("in.jsonl", MANY, KEY, r"no column 'key'; its columns are: note, pmid\. .*--id_column"),
        ("in.csv", b"", Columns(), r"its columns are: none\."),
        ("in.csv", b"text,text\nx,y\n", Columns(), r"two columns 'text'\. Remedy"),
        ("in.csv", b"gr\xf6\xdfe,text\n1,x\n", Columns(), r"first line has bytes .*Remedy: .* CSV UTF-8"),
        ("in.csv", b'"id,text\n1,x\n', Columns(), r"its first line, which names the columns, is not CSV"),
        ("in.tsv", in_encoding(TABBED, "utf-16")[:-1], Columns(), r"not UTF-16.* to its end .*Remedy"),
        (
            "in.csv.gz",
            PACKED[:-9],
            Columns(),
            r"cannot be unpacked to its end\. Remedy",
        ),
        ("in.xlsx", b"PK", Columns(), r"is a spreadsheet, which is not read\. Remedy: save it as CSV UTF-8"),
        ("in.docx", b"PK", Columns(), r"tells no format\. Remedy: .*--input_format: .*csv, tsv, parquet"),
    ],
)
def test_what_is_no_such_table_is_told_once(
    name: str, content: bytes, columns: Columns, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path / name, content, columns)


def test_a_row_in_another_encoding_says_how_to_mend_it(tmp_path: Path) -> None:
    (good, bad) = read(tmp_path / "in.csv", "id,text\n1,fever\n2,Müdigkeit\n".encode("cp1252"))
    assert good == ("1", "fever")
    assert bad == (
        "bad: it has bytes that are not UTF-8. Remedy: save the table as UTF-8, in Excel as CSV UTF-8",
        "2,M\udcfcdigkeit",
    )


def test_a_note_is_not_taken_for_a_table(tmp_path: Path) -> None:
    note = "Plan of text\tand tabs\nfever"
    assert read(tmp_path / "in.txt", note) == [("in", note)]


def test_other_columns_are_kept(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(",text,ward,relations\n0,fever,A,none\n")
    (row,) = sources.read(str(tmp_path / "in.csv"), "csv", Columns())
    assert row.document is not None
    # "relations" means something in ``Document.meta``, and the index that pandas writes has no name
    assert row.document.meta == {"column 1": "0", "ward": "A", "relations_": "none"}

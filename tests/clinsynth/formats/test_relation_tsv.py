"""The tsv of masked pairs, with and without its header."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinsynth.formats import registry, relation_tsv
from clinsynth.formats.errors import CorpusError, UnwritableError
from clinsynth_onnx.document import Document, Entity, Relation

TRAIN = '@GENE$ is raised in @DISEASE$ "of the old".\t1\nNo @DISEASE$ without @GENE$.\t0\n'


def test_rows_become_documents_with_a_pair(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    path.write_text(TRAIN, encoding="utf-8")
    first, second = relation_tsv.read(path)
    assert [(first.mention(e), e.label) for e in first.entities] == [
        ("@GENE$", "Gene"),
        ("@DISEASE$", "Disease"),
    ]
    assert first.relations == (Relation(0, 1, "Association"),)
    assert [e.label for e in second.entities] == ["Disease", "Gene"] and not second.relations
    assert (first.id, second.id) == ("0", "1")


@given(
    drawn=st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r"), max_size=20),
            st.booleans(),
            st.booleans(),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_is_read_back(
    drawn: list[tuple[str, bool, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    written = []
    for i, (between, related, swapped) in enumerate(drawn):
        masks = ["@GENE$", "@DISEASE$"][:: -1 if swapped else 1]
        text = f"{masks[0]}{between}{masks[1]}."
        entities = (
            Entity(0, len(masks[0]), "Disease" if swapped else "Gene"),
            Entity(len(text) - len(masks[1]) - 1, len(text) - 1, "Gene" if swapped else "Disease"),
        )
        pair = (Relation(int(swapped), int(not swapped), "Association"),) if related else ()
        written.append(Document(text, entities, pair, str(i)))
    path = tmp_path_factory.mktemp("tsv") / "test.tsv"
    registry.get_format("relation-tsv").writing.write(path, written)
    assert list(relation_tsv.read(path)) == written


@pytest.mark.parametrize(
    "document",
    [
        Document("no mask", id="1"),
        Document("@GENE$ @DISEASE$", id="1"),
        Document("@GENE$\t@DISEASE$", (Entity(0, 6, "Gene"), Entity(7, 16, "Disease")), id="1"),
        Document(
            "@GENE$ @DISEASE$",
            (Entity(0, 6, "Gene"), Entity(7, 16, "Disease")),
            (Relation(1, 0, "Association"),),
            id="1",
        ),
    ],
)
def test_other_documents_are_refused(tmp_path: Path, document: Document) -> None:
    with pytest.raises(UnwritableError, match="Remedy"):
        registry.get_format("relation-tsv").writing.write(tmp_path / "x.tsv", [document])


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (TRAIN.replace("\t0", ""), 2, "1 tab-separated columns, 2 are"),
        (TRAIN.replace("\t0", "\tno"), 2, "label is 'no'"),
        (TRAIN.replace("@GENE$ is", "It is"), 1, "1 masked mentions"),
        (TRAIN.replace("@GENE$ is", "@GENE$ @GENE$ is"), 1, "3 masked mentions"),
        ("index\tsentence\tlabel\n" + TRAIN, 2, "2 tab-separated columns, 3 are"),
        (TRAIN.replace("\n", "\r\n"), 1, "carriage return"),
        ("", None, "empty"),
    ],
)
def test_a_malformed_file_is_told_with_its_line(
    tmp_path: Path, content: str, line: int | None, says: str
) -> None:
    path = tmp_path / "bad.tsv"
    path.write_text(content, encoding="utf-8", newline="")
    with pytest.raises(CorpusError, match=r"bad\.tsv.*Remedy") as caught:
        list(relation_tsv.read(path))
    assert says in str(caught.value) and caught.value.line == line

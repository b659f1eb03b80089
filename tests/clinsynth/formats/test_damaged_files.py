"""Files of every format with damage in them: a clear error or sound documents, nothing else."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinsynth.formats import registry
from clinsynth.formats.errors import CorpusError
from clinsynth.formats.options import ReadingOptions
from clinsynth_onnx.document import Document, Entity, Relation

TEXT = "Zorvexin caf\u00e9 \U0001f469 for severe fever. None."
MENTIONS = (Entity(0, 8, "Drug"), Entity(20, 32, "Symptom"))
META = {"concepts": ["D1", "S1"]}
PLAIN = Document(TEXT, MENTIONS, id="n1", meta=META)
RELATED = Document(TEXT, MENTIONS, (Relation(0, 1, "Treats"),), "n1", META)
RELATES = {"bioc-xml", "bioc-json", "brat", "jsonl", "xmi", "label-studio", "doccano"}
MASKED_MENTIONS = (Entity(0, 6, "Gene"), Entity(11, 20, "Disease"))
MASKED = Document("@GENE$ and @DISEASE$", MASKED_MENTIONS, (Relation(0, 1, "Association"),), "1")
PIECES = (
    b'\t,\n, ,|,0,9,99999999999999999999,-1,",<,>,&,{,},[,],:,null,T1,R1,E1,O,B,\xff,\x00,\r,true,1e999,;'
)
PIECES += b",</,<!--,begin,\xf0\x9f\x91\xa9,Arg1:T1,# id = x\n,-DOCSTART-"
NAMES = [name for name, known in registry.FORMATS.items() if known.writing is not None]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """The files of a corpus in each format, by their names."""
    folder = tmp_path_factory.mktemp("sound")
    made = {}
    for name in NAMES:
        document = MASKED if name == "relation-tsv" else RELATED if name in RELATES else PLAIN
        path = folder / name
        registry.write(path, [document], name)
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        made[name] = {file.name: file.read_bytes() for file in files}
    return made


@st.composite
def damage(draw: st.DrawFn) -> list[tuple[float, int, bytes]]:
    """Places (as shares of a file), how many bytes to cut out there, and what to put in."""
    place = st.floats(0, 1, exclude_max=True)
    inserted = st.one_of(st.just(b""), st.sampled_from(PIECES.split(b",")), st.binary(max_size=6))
    return draw(st.lists(st.tuples(place, st.integers(0, 12), inserted), min_size=1, max_size=4))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50)
@given(changes=damage(), cut=st.booleans())
def test_damage_is_told_or_harmless(
    name: str,
    changes: list[tuple[float, int, bytes]],
    cut: bool,
    sound: dict[str, dict[str, bytes]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    for file, content in sound[name].items():
        if name == "spacy":
            content = zlib.decompress(content)
        if file != "TypeSystem.xml":
            for share, length, inserted in changes:
                at = int(share * len(content))
                content = content[:at] + inserted + (b"" if cut else content[at + length :])
        (folder / file).write_bytes(zlib.compress(content) if name == "spacy" else content)
    path = folder if len(sound[name]) > 1 else folder / name
    labelled = (
        ReadingOptions(label="Drug") if "label" in registry.get_format(name).options else ReadingOptions()
    )
    try:
        documents = list(registry.read(path, name, labelled))
    except CorpusError as error:
        assert "Remedy" in str(error)
    else:
        for document in documents:
            assert Document.from_json(document.to_json()) == document


@given(
    text=st.text(alphabet="<>&;/=\"'! -[]abxmi:XMI\x00\u00e9\n", max_size=60),
    ending=st.sampled_from(["xml", "xmi"]),
)
def test_any_text_that_is_no_xml_is_told(
    text: str, ending: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("xml") / f"x.{ending}"
    path.write_text(f"<collection>{text}", encoding="utf-8", newline="")
    with pytest.raises(CorpusError, match=r"Remedy"):
        list(registry.read(path))


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"relation-tsv"}))
@pytest.mark.parametrize(
    "text",
    [
        "of\ufb01ce \ufb02ow",
        "a\u200bb\u200d \u2060c",
        "e\u0301 n\u0303 \u1e9b\u0323",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 ok",
        "a\u2028b\u2029c\u0085d",
        "x" * 5000 + " y",
        "1 000\u00a0mg",
    ],
)
def test_offsets_hold_in_texts_of_all_kinds(name: str, text: str, tmp_path: Path) -> None:
    middle = len(text) // 2
    spans = [(0, 1), (middle, len(text))] if text[middle] != " " else [(0, 1)]
    entities = tuple(Entity(start, end, "X") for start, end in spans)
    document = Document(text, entities, id="n1")
    try:
        registry.write(tmp_path / "x", [document], name)
    except ValueError as error:
        held = {"iob1": "white space", "iob2": "white space", "iobes": "white space"}
        assert name in held and held[name] in str(error)
    else:
        assert list(registry.read(tmp_path / "x", name)) == [document] or name == "pubtator"
        assert [d.entities for d in registry.read(tmp_path / "x", name)] == [entities]

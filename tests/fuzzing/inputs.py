"""Coverage-guided fuzzing of what comes from outside: pip install atheris, then

    python tests/fuzzing/inputs.py bundle BUNDLE -max_total_time=60
    python tests/fuzzing/inputs.py manifest BUNDLE -max_total_time=60
    python tests/fuzzing/inputs.py rows -max_total_time=60
    python tests/fuzzing/inputs.py corpus FORMAT -max_total_time=60

``bundle`` opens mutated zip files, ``manifest`` mutated manifests beside the files of a sound bundle,
``rows`` reads bytes as JSONL, CSV, TSV and lines, and ``corpus`` reads them as a file of a corpus format
(of brat, its annotations of a short text). A finding is any exception but a clear one: ``BundleError`` of a
bundle, ``ValueError`` with a remedy of a table without the named column, ``CorpusError`` of a corpus.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["clinsynth", "clinsynth_onnx", "zipfile", "csv"]):
    from clinsynth.annotating import sources
    from clinsynth.annotating.rows import Columns
    from clinsynth.formats import registry
    from clinsynth.formats.errors import CorpusError
    from clinsynth_onnx.bundle import MANIFEST, Bundle, BundleError
    from clinsynth_onnx.document import Document, Entity
    from clinsynth_onnx.files import json_line

DOCUMENT = Document(
    "Gout of caf\u00e9 \U0001f469.", (Entity(0, 4, "Disease"), Entity(8, 14, "Place")), id="1"
)
FOLDER = Path(tempfile.mkdtemp(prefix="fuzzing-"))


def load(path: Path) -> None:
    """All that a predictor reads, but for the engine."""
    try:
        bundle = Bundle.open(path)
        for variant in bundle.variants.values():
            bundle.read(variant.file)
        bundle.codec()
    except BundleError:
        pass


def bundle(data: bytes) -> None:
    """A zip file."""
    path = FOLDER / "bundle.zip"
    path.write_bytes(data)
    load(path)


def manifest(sound: Path) -> Callable[[bytes], None]:
    """A manifest in a folder with sound files."""
    folder = FOLDER / "bundle"
    folder.mkdir(exist_ok=True)
    for file in sound.iterdir():
        (folder / file.name).symlink_to(file.resolve())
    (folder / MANIFEST).unlink()

    def run(data: bytes) -> None:
        (folder / MANIFEST).write_bytes(data)
        load(folder)

    return run


def rows(data: bytes) -> None:
    """A file of rows; each row that is good can be written again."""
    path = FOLDER / "rows"
    path.write_bytes(data)
    for name in ("jsonl", "csv", "tsv", "lines"):
        try:
            for row in sources.read(str(path), name, Columns()):
                assert (row.document is None) == bool(row.problem)
                if row.document is not None:
                    json_line(row.document.to_json()).encode("utf-8")
        except ValueError as error:
            assert name in ("csv", "tsv") and "Remedy" in str(error), error


def corpus(name: str) -> Callable[[bytes], None]:
    """A file of a corpus format, whose documents can be written as JSON."""
    folder = FOLDER / "corpus"
    folder.mkdir()
    (folder / "1.txt").write_text(DOCUMENT.text, encoding="utf-8")

    def run(data: bytes) -> None:
        path = folder / "1.ann" if name == "brat" else FOLDER / f"file.{name}"
        path.write_bytes(data)
        try:
            for document in registry.read(folder if name == "brat" else path, name):
                json_line(document.to_json())
        except CorpusError as error:
            assert "Remedy" in str(error)

    return run


def sound_file(name: str) -> bytes:
    """A file of a corpus format to begin from."""
    registry.write(FOLDER / "sound", [DOCUMENT], name)
    made = FOLDER / "sound"
    if not made.is_dir():
        return made.read_bytes()
    (file,) = (file for file in made.iterdir() if file.suffix in (".ann", ".xmi"))
    return file.read_bytes()


def main() -> None:
    """Hands over to libFuzzer, with a sound input to begin from."""
    kind, *arguments = sys.argv[1:] or ["--help"]
    if kind not in ("bundle", "manifest", "rows", "corpus"):
        sys.exit(__doc__)
    seeds = FOLDER / "seeds"
    seeds.mkdir()
    target: Callable[[bytes], None] = rows
    if kind == "rows":
        (seeds / "csv").write_bytes(b'id,text\n1,"He had, as ""said"", gout."\n2,x\n')
        (seeds / "jsonl").write_bytes(b'{"id": "1", "text": "gout", "meta": {"a": [1.5, null]}}\n')
    elif kind == "corpus":
        name = arguments.pop(0)
        target = corpus(name)
        (seeds / "sound").write_bytes(sound_file(name))
    else:
        sound = Path(arguments.pop(0))
        target = bundle if kind == "bundle" else manifest(sound)
        data = sound if sound.is_file() else sound / MANIFEST
        (seeds / "sound").write_bytes(data.read_bytes())
    atheris.Setup([sys.argv[0], *arguments, str(seeds)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

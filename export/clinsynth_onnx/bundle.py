"""A bundle: networks, tokenizer, schema, and a manifest that vouches for each file by its hash.

A bundle is a folder or a zip file of one. Nothing is unpacked: files are read by the names that the
manifest gives, and only what has the hash it states is used.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast

from clinsynth_onnx.codec import Codec
from clinsynth_onnx.concept_codec import ConceptCodec
from clinsynth_onnx.entity_codec import EntityCodec
from clinsynth_onnx.files import sha256_of
from clinsynth_onnx.relation_codec import RelationCodec
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.tokens import TextTokenizer

FORMAT = "clinsynth-bundle"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
SCHEMA = "schema.json"
TOKENIZER = "tokenizer.json"
LARGEST_MANIFEST = 16 << 20

Task = Literal["token-classification", "relation-extraction", "concept-relation-extraction"]
CODECS: dict[Task, type[EntityCodec] | type[RelationCodec] | type[ConceptCodec]] = {
    "token-classification": EntityCodec,
    "relation-extraction": RelationCodec,
    "concept-relation-extraction": ConceptCodec,
}


class BundleError(ValueError):
    """A bundle cannot be used as it is.

    Args:
        path: The bundle.
        problem: What is wrong.
        remedy: What to do about it.
    """

    def __init__(self, path: Path, problem: str, remedy: str = "export it again, or get it again") -> None:
        super().__init__(f"{path}: {problem}. Remedy: {remedy}")


@dataclass(frozen=True, slots=True)
class Variant:
    """One network of a bundle.

    Attributes:
        name: ``fp32``, ``int8``.
        file: The ONNX file in the bundle.
        refused: Engines that lost too much accuracy with it when it was exported.
    """

    name: str
    file: str
    refused: tuple[str, ...] = ()


class Bundle:
    """A bundle that is open for reading.

    Attributes:
        path: Where it is.
        manifest: All that its manifest says.
        manifest_sha256: The hash of the manifest, which has those of all other files: it tells bundles apart.
        task: What its networks do.
        variants: Its networks by name.
        intermediate_size: The widest activation of its encoder, in numbers a token.
    """

    def __init__(self, path: Path, manifest: Mapping[str, Any], manifest_sha256: str) -> None:
        self.path = path
        self.manifest = manifest
        self.manifest_sha256 = manifest_sha256
        fields = _Fields(path, manifest)
        if fields.of("format", str) != FORMAT:
            raise BundleError(path, f"its format is {manifest['format']!r}, not {FORMAT!r}")
        version = fields.of("format_version", int)
        if version != FORMAT_VERSION:
            raise BundleError(
                path,
                f"its format version is {version}, this runtime reads {FORMAT_VERSION}",
                "install the clinsynth version that wrote it (manifest: 'made'), or export it again",
            )
        self._files = fields.of("files", dict)
        task = fields.of("task", str)
        if task not in CODECS:
            raise BundleError(path, f"its task {task!r} is unknown")
        self.task = cast(Task, task)
        self._codec_options = fields.of("codec", dict)
        self.intermediate_size = _Fields(path, fields.of("encoder", dict)).of("intermediate_size", int)
        if self.intermediate_size < 1:
            raise BundleError(path, f"its intermediate_size is {self.intermediate_size}, not 1 or more")
        self.variants = {}
        for name, stated in fields.of("variants", dict).items():
            network = _Fields(path, stated)
            refused = network.of("refused", list)
            self.variants[name] = Variant(name, network.of("file", str), tuple(map(str, refused)))
        if not self.variants:
            raise BundleError(path, "it has no network")

    @classmethod
    def open(cls, path: str | Path) -> Bundle:
        """Reads the manifest of a folder or zip file. Raises ``BundleError``."""
        path = Path(path)
        if not path.exists():
            raise BundleError(path, "there is no such bundle", "check the path")
        data = _read(path, MANIFEST, LARGEST_MANIFEST)
        try:
            manifest = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise BundleError(path, f"{MANIFEST} is not JSON ({error})") from error
        if not isinstance(manifest, dict):
            raise BundleError(path, f"{MANIFEST} is not a JSON object")
        return cls(path, manifest, hashlib.sha256(data).hexdigest())

    def read(self, name: str) -> bytes:
        """The content of a file. Raises ``BundleError`` unless it is what the manifest says."""
        if name not in self._files:
            raise BundleError(self.path, f"the manifest does not list {name!r}")
        stated = _Fields(self.path, self._files[name])
        size = stated.of("bytes", int)
        if size < 0:
            raise BundleError(self.path, f"{MANIFEST} says that {name} has {size} bytes")
        data = _read(self.path, name, size)
        if len(data) != size or hashlib.sha256(data).hexdigest() != stated.of("sha256", str):
            raise BundleError(self.path, f"{name} is not the file that the manifest describes")
        return data

    def schema(self) -> Schema:
        """The task. Raises ``BundleError``."""
        try:
            return Schema.from_json(json.loads(self.read(SCHEMA)))
        except BundleError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise BundleError(self.path, f"{SCHEMA} is not a task ({error})") from error

    def codec(self) -> Codec:
        """What turns documents into sequences and back. Raises ``BundleError``."""
        schema = self.schema()
        make: Any = CODECS[self.task]
        options = self._codec_options
        if make is EntityCodec:  # bundles of before do not name them, and were examined without
            options = {"abbreviations": False, **options}
        try:
            tokenizer = TextTokenizer(self.read(TOKENIZER).decode("utf-8"))
            return cast(Codec, make(tokenizer, schema, **options))
        except BundleError:
            raise
        except Exception as error:  # the tokenizers library raises plain Exception
            raise BundleError(self.path, f"its tokenizer or codec cannot be built ({error})") from error


class _Fields:
    """Fields of a JSON object, with a clear error where one is missing or of another type."""

    def __init__(self, path: Path, value: object) -> None:
        if not isinstance(value, Mapping):
            raise BundleError(path, f"{MANIFEST} has {type(value).__name__} where an object belongs")
        self._path = path
        self._value = value

    def of(self, name: str, kind: type) -> Any:
        value = self._value.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise BundleError(self._path, f"{MANIFEST} has no {name!r} that is a {kind.__name__}")
        return value


def _read(path: Path, name: str, limit: int) -> bytes:
    """A file of a bundle, ``limit`` bytes of it and one more at most."""
    if PurePosixPath(name).name != name or "\\" in name or not name.strip(".") or "\0" in name:
        raise BundleError(path, f"{name!r} is not a plain file name")
    try:
        if path.is_dir():
            with (path / name).open("rb") as stream:
                return stream.read(limit + 1)
        with zipfile.ZipFile(path) as archive, archive.open(_member(path, archive, name)) as member:
            return member.read(limit + 1)
    except FileNotFoundError as error:
        raise BundleError(path, f"{name} is missing") from error
    except (OSError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, PermissionError | IsADirectoryError):
            raise BundleError(path, f"{name} cannot be read ({error.strerror})", "check it") from error
        raise BundleError(path, f"it is not a folder or a readable zip file ({error})") from error
    except (ValueError, IndexError, OverflowError) as error:  # what zipfile makes of headers that lie
        if isinstance(error, BundleError):
            raise
        raise BundleError(path, f"its zip file is damaged ({error})") from error


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """The file in the archive: at its top, or in the one folder that was zipped."""
    found = [
        info
        for info in archive.infolist()
        if PurePosixPath(info.filename).name == name and len(PurePosixPath(info.filename).parts) <= 2
    ]
    if not found:
        raise FileNotFoundError(name)
    if len(found) > 1:
        raise BundleError(path, f"it has several files called {name}")
    return found[0]


def describe(codec: Codec) -> tuple[Task, dict[str, Any]]:
    """What a manifest says of a codec, so that ``Bundle.codec`` builds it again."""
    if isinstance(codec, EntityCodec):
        return "token-classification", {
            "unit": codec.unit,
            "max_length": codec.max_length,
            "overlap": codec.overlap,
            "abbreviations": codec.abbreviations,
        }
    if isinstance(codec, ConceptCodec):
        return "concept-relation-extraction", {
            "max_length": codec.max_length,
            "overlap": codec.overlap,
            "threshold": codec.threshold,
            "exclusive": codec.exclusive,
        }
    assert isinstance(codec, RelationCodec)
    return "relation-extraction", {"marking": codec.marking, "max_length": codec.max_length}


def seal(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Writes the manifest of a folder of files, each with its size and sha256."""
    files = {}
    for file in sorted(folder.iterdir()):
        if file.name != MANIFEST:
            files[file.name] = {"bytes": file.stat().st_size, "sha256": sha256_of(file)}
    whole = {"format": FORMAT, "format_version": FORMAT_VERSION, **manifest, "files": files}
    text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")

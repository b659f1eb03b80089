"""The three ways in which formats keep documents: in a stream, in a folder, or in a file as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from clinsynth.formats.errors import UnwritableError
from clinsynth_onnx.document import Document

LONGEST_NAME = 245  # bytes: file systems allow 255, the ending included


@dataclass(frozen=True, slots=True)
class Stream:
    """Documents one after the other in a file.

    Attributes:
        dumps: The text of a document. Raises ``UnwritableError``.
        head: What stands before the first document.
        separator: What stands between two.
        tail: What stands after the last.
    """

    dumps: Callable[[Document], str]
    head: str = ""
    separator: str = ""
    tail: str = ""

    def encoded(self, document: Document) -> bytes:
        """The bytes of a document. Raises ``UnwritableError``."""
        text = self.dumps(document)
        try:
            return text.encode("utf-8")
        except UnicodeEncodeError as error:
            half = text[error.start]
            raise UnwritableError(document.id, f"UTF-8 cannot hold the lone surrogate {half!r}") from error

    def around(self, *pieces: bytes) -> bytes:
        """A file of documents that are encoded already."""
        return self.head.encode("utf-8") + self.separator.encode("utf-8").join(pieces) + self.tail.encode()

    def write(self, path: Path, documents: Iterable[Document]) -> None:
        """A file of the documents in the order given. Raises ``UnwritableError``."""
        with path.open("wb") as stream:
            stream.write(self.head.encode("utf-8"))
            for i, document in enumerate(documents):
                stream.write(self.separator.encode("utf-8") if i else b"")
                stream.write(self.encoded(document))
            stream.write(self.tail.encode("utf-8"))


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with files for each document, named after its id; a slash in an id makes a folder in it.

    Attributes:
        files: The content of the files of a document by their endings. Raises ``UnwritableError``.
        shared: The content of files that the documents share, by their names.
    """

    files: Callable[[Document], Mapping[str, bytes]]
    shared: Callable[[], Mapping[str, bytes]] = dict

    def write(self, path: Path, documents: Iterable[Document]) -> None:
        """The folder. Raises ``UnwritableError``, also on an id that cannot be a file name."""
        path.mkdir()
        for name, content in self.shared().items():
            (path / name).write_bytes(content)
        for document in documents:
            self.add(path, document)

    def add(self, path: Path, document: Document) -> None:
        """Writes the files of a document into a folder. Raises ``UnwritableError``."""
        name = _file_name(document.id)
        files = {path / f"{name}{ending}": content for ending, content in self.files(document).items()}
        if any(file.exists() for file in files):
            raise UnwritableError(
                document.id, "another document has the same id, and files are named after ids"
            )
        for file, content in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that is written from all documents at once.

    Attributes:
        write: Writes them. Raises ``UnwritableError``.
    """

    write: Callable[[Path, Iterable[Document]], None]


Writing = Stream | Folder | Whole


def _file_name(identifier: str) -> str:
    for part in identifier.split("/"):
        if not part or part.startswith(".") or set(part) & set("\0\\"):
            raise UnwritableError(identifier, "files are named after ids, and this id cannot be a file name")
        if len(part.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
            problem = f"files are named after ids, and this id has more than {LONGEST_NAME} bytes"
            raise UnwritableError(identifier, problem)
    if any("\ud800" <= character <= "\udfff" for character in identifier):
        raise UnwritableError(identifier, "files are named after ids, and this one has a lone surrogate")
    return identifier

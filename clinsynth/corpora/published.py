"""Corpora that others publish: found in a folder, or fetched from their official address."""

from __future__ import annotations

import hashlib
import logging
import os
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

from clinsynth.corpora.base import Corpus, Split

log = logging.getLogger("clinsynth")

ROOT_VARIABLE = "CLINSYNTH_DATA"
DEFAULT_ROOT = "data"
SECONDS = 60.0


@cache
def published_sha256() -> dict[str, str]:
    """The sha256 of files that were at hand, by NAME/FILE; ``SHA256SUMS`` is in sha256sum's format."""
    listed = files("clinsynth.corpora").joinpath("SHA256SUMS").read_text(encoding="utf-8")
    return {path: sha for sha, path in (line.split(maxsplit=1) for line in listed.splitlines())}


Published = Mapping[Split, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file comes from.

    Attributes:
        url: The official address of an archive (``.zip`` or ``.tar.gz``).
        member: The file's path in the archive.
    """

    url: str
    member: str


class PublishedCorpus(Corpus):
    """A corpus with official files. A subclass names and reads them.

    Attributes:
        folder: Name of its folder below the folder of all corpora.
        homepage: Where its authors publish it.
        published: Documents, mentions and relations of each split, as they are published.

    Args:
        root: Folder of all corpora, with this one in a folder of its own name. Default: the
            environment variable CLINSYNTH_DATA, else "data". What is missing is downloaded there.
    """

    folder: str
    homepage: str
    published: ClassVar[Published] = {}
    selectable = True

    def __init__(self, root: str | None = None) -> None:
        self.root = Path(root or os.environ.get(ROOT_VARIABLE) or DEFAULT_ROOT)

    def sources(self, split: Split) -> Mapping[str, Source]:
        """The files of a split, by their path below the corpus's folder."""
        raise TypeError(f"{type(self).__name__} must name its files")

    def place(self, file: str) -> Path:
        """Where a file is, or has to be put: below ROOT/NAME, or below ROOT if it is there already."""
        inside = self.root / file
        return inside if inside.is_file() else self.root / self.folder / file

    def prepare(self, splits: Iterable[Split]) -> None:
        """Downloads what is missing. Raises ``OSError`` that tells how to place the files by hand."""
        missing = {
            file: source
            for split in splits
            for file, source in self.sources(split).items()
            if not self.place(file).is_file()
        }
        if missing:
            try:
                for url in dict.fromkeys(source.url for source in missing.values()):
                    here = {f: s.member for f, s in missing.items() if s.url == url}
                    fetch(
                        url,
                        {member: self.place(file) for file, member in here.items()},
                        {member: published_sha256().get(f"{self.folder}/{f}") for f, member in here.items()},
                    )
            except (OSError, ValueError) as error:  # requests' exceptions are OSErrors
                places = "\n".join(f"  {self.place(f)}  ({s.member} of {s.url})" for f, s in missing.items())
                raise OSError(
                    f"could not download {self.folder} ({str(error).splitlines()[0]}). Remedy: get the files "
                    f"from {self.homepage} and place them as\n{places}\n"
                    f"or name the folder that has {self.folder}/ with --data.root or {ROOT_VARIABLE}"
                ) from error

    def read_from(self, split: Split) -> str:
        return ", ".join(str(self.place(file)) for file in self.sources(split))

    def located(self, split: Split) -> list[Path]:
        """The files of a split; says so in the log if one is not as published.

        Raises ``FileNotFoundError`` if one is missing.
        """
        paths = []
        for file, source in self.sources(split).items():
            path = self.place(file)
            if not path.is_file():
                raise FileNotFoundError(
                    f"{path} is missing. Remedy: name the folder that has {self.folder}/ with --data.root or "
                    f"{ROOT_VARIABLE}, or get {source.member} from {source.url}"
                )
            expected = published_sha256().get(f"{self.folder}/{file}")
            if expected and _sha256(path.read_bytes()) != expected:
                log.warning("%s differs from the published file, which has sha256 %s", path, expected)
            paths.append(path)
        return paths


def fetch(url: str, wanted: Mapping[str, Path], sha256: Mapping[str, str | None]) -> None:
    """Downloads an archive with a progress bar and puts the wanted members in their places.

    Raises ``ValueError`` if a member is missing or its sha256 is wrong; nothing is placed then.
    """
    import pooch  # of use only here, and slow to import

    folder = next(iter(wanted.values())).parent
    folder.mkdir(parents=True, exist_ok=True)
    log.info("downloading %s", url)
    archive = Path(
        pooch.retrieve(
            url,
            known_hash=None,  # the files inside are checked, one by one
            path=folder,
            fname=f"{url.rsplit('/', 1)[-1]}.part",
            downloader=pooch.HTTPDownloader(progressbar=True, timeout=SECONDS),
        )
    )
    try:
        contents = {member: _member(archive, member) for member in wanted}
        for member, content in contents.items():
            found, expected = _sha256(content), sha256[member]
            if expected is None:
                log.warning("%s: no published sha256 to compare with; it is %s", member, found)
            elif found != expected:
                raise ValueError(f"{member} has sha256 {found}, expected is {expected}")
        for member, path in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.part")
            draft.write_bytes(contents[member])
            draft.replace(path)
    finally:
        archive.unlink()


def _member(archive: Path, name: str) -> bytes:
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                return opened.read(name)
        with tarfile.open(archive) as opened_tar:
            stream = opened_tar.extractfile(name)
            return stream.read() if stream else b""
    except (KeyError, tarfile.ReadError, zipfile.BadZipFile) as error:
        raise ValueError(f"{name} is not in the downloaded archive: {error}") from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

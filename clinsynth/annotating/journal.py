"""How far an annotation has come, on disk, so that it goes on where it was stopped."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from clinsynth.annotating.rows import Row
from clinsynth_onnx.document import Document
from clinsynth_onnx.files import json_line

if sys.platform != "win32":
    import fcntl

STATE = "state.json"
DOCUMENTS = "documents.jsonl"
REJECTS = "rejects.jsonl"
LOCK = "lock"
INPUT = "the input"  # its name in a signature


def reject(row: Row) -> dict[str, str]:
    """What is kept of a bad row."""
    return {"place": row.place, "problem": row.problem, "raw": row.raw}


def partial(output: Path) -> Path:
    """The folder of work on ``output``."""
    return output.with_name(output.name + ".partial")


def rejected(output: Path) -> Path:
    """Where the bad rows are in the end."""
    return output.with_name(output.name + ".rejects.jsonl")


def written(output: Path) -> frozenset[Path]:
    """All that work on ``output`` writes, as absolute paths."""
    folder = output.parent.resolve()
    return frozenset(folder / path.name for path in (output, partial(output), rejected(output)))


@contextlib.contextmanager
def alone(output: Path) -> Iterator[None]:
    """Keeps other processes from working on the same output. Raises ``ValueError`` if one does already."""
    partial(output).mkdir(parents=True, exist_ok=True)
    with (partial(output) / LOCK).open("ab") as stream:
        if sys.platform != "win32":
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ValueError(
                    f"another process is writing {output}. Remedy: wait for it, or write elsewhere"
                ) from error
            except OSError:  # some network drives have no locks
                pass
        yield


class Journal:
    """The folder ``OUTPUT.partial``: annotated documents, bad rows, and how much of both counts.

    Whatever was written after the state was last saved is cut off when the work goes on, so each row
    is there once.

    Args:
        output: Where the result will be.
        signature: What the result depends on, by name.
        resumable: Whether the input can be read again from its start; if not, work on it begins anew.

    Raises ``ValueError`` if work on something else was begun there.
    """

    def __init__(self, output: Path, signature: Mapping[str, str], resumable: bool) -> None:
        self.folder = partial(output)
        self.rows = 0
        self.rejected = 0
        self._signature = dict(signature)
        self._sizes = {DOCUMENTS: 0, REJECTS: 0}
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.folder / STATE).exists():
            self._restore(output, resumable)
        self._streams = {name: self._open(name) for name in self._sizes}

    def _restore(self, output: Path, resumable: bool) -> None:
        try:
            state = json.loads((self.folder / STATE).read_text(encoding="utf-8"))
            rows, bad = int(state["rows"]), int(state["rejected"])
            sizes = {name: int(state["sizes"][name]) for name in self._sizes}
            before = dict(state["signature"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self.folder / STATE} is damaged. Remedy: remove {self.folder}") from error
        matter = self._signature if resumable else {INPUT}
        changed = [name for name in matter if before.get(name) != self._signature[name]]
        if changed:
            raise ValueError(
                f"{self.folder} holds unfinished work, but {', '.join(changed)} changed since. Remedy: go on "
                f"as it was begun, or remove {self.folder}, or write elsewhere than {output}"
            )
        if resumable:
            self.rows, self.rejected, self._sizes = rows, bad, sizes
        else:
            (self.folder / STATE).unlink()

    def _open(self, name: str) -> BinaryIO:
        stream = (self.folder / name).open("ab")
        if stream.tell() < self._sizes[name]:
            raise ValueError(f"{self.folder / name} is shorter than it was. Remedy: remove {self.folder}")
        stream.truncate(self._sizes[name])
        return stream

    def add(self, rows: int, documents: Sequence[Document], bad: Sequence[Row]) -> None:
        """Keeps what became of the next rows of the input."""
        self._streams[DOCUMENTS].writelines(_bytes(document.to_json(mentions=True)) for document in documents)
        self._streams[REJECTS].writelines(_bytes(reject(row)) for row in bad)
        for name, stream in self._streams.items():
            stream.flush()
            os.fsync(stream.fileno())
            self._sizes[name] = stream.tell()
        self.rows += rows
        self.rejected += len(bad)
        state = {
            "rows": self.rows,
            "rejected": self.rejected,
            "sizes": self._sizes,
            "signature": self._signature,
        }
        draft = self.folder / (STATE + ".new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(state, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / STATE)

    def close(self) -> None:
        """Closes the files."""
        for stream in self._streams.values():
            stream.close()

    def remove(self) -> None:
        """Removes the folder, once the result is elsewhere."""
        shutil.rmtree(self.folder)

    @property
    def documents(self) -> Path:
        """The annotated documents."""
        return self.folder / DOCUMENTS

    @property
    def rejects(self) -> Path:
        """The bad rows."""
        return self.folder / REJECTS


def _bytes(value: object) -> bytes:
    return json_line(value).encode("utf-8")

"""What can change the result of a cell, as one hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import Any

from clinsynth_onnx.files import sha256_of

PACKAGES = ("clinsynth", "clinsynth_onnx")
LIBRARIES = ("torch", "lightning", "transformers", "tokenizers", "numpy", "onnxruntime")


@cache
def code() -> str:
    """The sha256 of clinsynth's version and source files, and of the versions of what it computes with."""
    sha = hashlib.sha256(metadata.version("clinsynth").encode())
    for package in PACKAGES:
        spec = util.find_spec(package)
        assert spec is not None and spec.submodule_search_locations
        folder = Path(spec.submodule_search_locations[0])
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".json"):
                sha.update(f"{package}/{path.relative_to(folder).as_posix()}\0".encode())
                sha.update(path.read_bytes())
    for name in LIBRARIES:
        sha.update(f"{name} {metadata.version(name)}\n".encode())
    return sha.hexdigest()


def of_files(paths: Iterable[Path]) -> dict[str, str]:
    """The sha256 of each file by its path."""
    return {str(path): _sha256(path, path.stat().st_mtime_ns) for path in paths}


def within(path: Path) -> list[Path]:
    """The file, or all files of the folder; nothing where there is neither."""
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


@cache
def _sha256(path: Path, changed: int) -> str:
    return sha256_of(path)


def key(parts: Mapping[str, Any]) -> str:
    """The sha256 of plain values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

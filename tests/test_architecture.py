"""Imports point one way: down the list of floors in docs/architecture.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
SOURCES = {"clinsynth": REPOSITORY / "clinsynth", "clinsynth_onnx": REPOSITORY / "export" / "clinsynth_onnx"}
LONGEST = 300


def floors() -> list[str]:
    """Packages as the page lists them, the highest first."""
    page = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- floors:.*?```\n(.*?)```", page, re.DOTALL)
    assert block is not None
    return [line.split()[0] for line in block[1].splitlines() if line[:1].strip()]


def modules() -> Iterator[tuple[str, Path]]:
    """The dotted name and the file of every module."""
    for name, folder in SOURCES.items():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join([name, *(part for part in parts if part != "__init__")]), path


def package(module: str) -> str:
    """The package that stands on a floor, or nothing for what only names the distribution."""
    parts = module.split(".")
    if parts[0] == "clinsynth_onnx":
        return "clinsynth_onnx"
    return parts[1] if parts[0] == "clinsynth" and len(parts) > 1 else ""


def imports(path: Path, known: set[str]) -> Iterator[tuple[int, str]]:
    """Line and module of each import, those inside functions and of types included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield node.lineno, inner if inner in known else node.module or ""
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in known:
            yield node.lineno, node.value  # a module that is imported by its name


MODULES = dict(modules())


def test_every_package_stands_on_a_floor() -> None:
    found = {package(module) for module in MODULES} - {"", "__main__"}
    assert found == set(floors())


def test_imports_between_packages_point_down() -> None:
    floor = {name: number for number, name in enumerate(floors())}
    upward = [
        f"{path.relative_to(REPOSITORY)}:{line} imports {target}"
        for module, path in MODULES.items()
        if package(module) in floor
        for line, target in imports(path, set(MODULES))
        if package(target) in floor
        and package(target) != package(module)
        and floor[package(target)] < floor[package(module)]
    ]
    assert upward == []


def test_no_two_packages_import_each_other() -> None:
    edges = {
        (package(module), package(target))
        for module, path in MODULES.items()
        for _, target in imports(path, set(MODULES))
    }
    assert sorted(pair for pair in edges if pair[0] < pair[1] and pair[::-1] in edges) == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_modules_are_short(module: str) -> None:
    lines = len(MODULES[module].read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{module} has {lines} lines: it has more than one reason to change"

"""How long each command takes to show its help: what a person waits for before anything is read.

``python benchmarks/startup.py`` prints the median of three runs of every command and subcommand, each in
a process of its own. ``python benchmarks/startup.py fit --help=all`` prints the ten slowest imports of
that command too. Let no other work run at the same time.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import time
from collections import Counter

from rich.console import Console
from rich.table import Table

from clinsynth.cli import COMMANDS

RUNS = 3
GROUPS = ("generate", "corpus")  # commands with subcommands, which their help names
SLOWEST = 10


def clinsynth(arguments: list[str], *python: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in a process of its own."""
    return subprocess.run(
        [sys.executable, *python, "-m", "clinsynth", *arguments], capture_output=True, text=True, check=True
    )


def subcommands(command: str) -> list[str]:
    """Subcommands that a command's help names."""
    if command == "generate":
        from clinsynth.cli.generate import SUBCOMMANDS

        return list(SUBCOMMANDS)
    names = re.search(r"\{([\w,]+)\}", clinsynth([command, "--help"]).stdout)
    return names[1].split(",") if names else []


def seconds(arguments: list[str]) -> list[float]:
    """Wall time of each of three runs."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        clinsynth(arguments)
        times.append(time.perf_counter() - start)
    return times


def slowest_imports(arguments: list[str]) -> list[tuple[str, float]]:
    """Packages whose modules take longest to import, and their seconds without what they import in turn."""
    told = clinsynth(arguments, "-X", "importtime").stderr
    packages: Counter[str] = Counter()
    for match in re.finditer(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\w+)", told, re.MULTILINE):
        packages[match[2]] += int(match[1])
    return [(name, microseconds / 1e6) for name, microseconds in packages.most_common(SLOWEST)]


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help="a command to list the imports of")
    settings = parser.parse_args()
    everything = [[], *([name] for name in COMMANDS)]
    everything += [[name, inner] for name in GROUPS for inner in subcommands(name)]
    table = Table("command", "median s", "slowest s", title=f"--help, {RUNS} runs each", box=None)
    for command in everything:
        times = seconds([*command, "--help"])
        table.add_row(" ".join(command), f"{statistics.median(times):.2f}", f"{max(times):.2f}")
    Console().print(table)
    if settings.command:
        imports = Table("package", "seconds", title="slowest imports", box=None)
        for name, taken in slowest_imports(settings.command):
            imports.add_row(name, f"{taken:.3f}")
        Console().print(imports)


if __name__ == "__main__":
    main()

"""Annotates a large JSONL file: how fast, in how much memory, and whether a kill -9 changes the result.

    python benchmarks/annotating.py BUNDLE [--gigabytes 1] [--folder FOLDER]

The file is made up: notes of some sentences with an id and further fields, one row in a thousand bad. It is
annotated once in one go, while the memory of the process is read every second, and once more with a kill -9
half-way. Both outputs must have the same bytes. FOLDER needs room for three times the file.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from serving import DISEASES, FINDINGS, SENTENCES

NAMES = ("the boy", "his mother", "patient 7", "the second sister", "an aunt")


def write(path: Path, size: int) -> int:
    """Rows of ``size`` bytes together; returns how many."""
    chance = random.Random(0)
    notes = []
    for _ in range(2000):
        sentences = chance.choices(SENTENCES, k=chance.randint(3, 12))
        notes.append(
            " ".join(
                sentence.format(
                    name=chance.choice(NAMES),
                    finding=chance.choice(FINDINGS),
                    disease=chance.choice(DISEASES),
                    second=chance.choice(DISEASES),
                    number=chance.randint(1, 90),
                    other=chance.randint(90, 900),
                )
                for sentence in sentences
            )
        )
    rows = written = 0
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        while written < size:
            meta = {"ward": rows % 40, "codes": [chance.randint(0, 10**9) for _ in range(60)]}
            value = {"id": f"note-{rows}", "text": f"Note {rows}. {notes[rows % len(notes)]}", **meta}
            line = json.dumps(value) if rows % 1000 != 999 else '{"id": 7, "text": 8}'
            written += stream.write(line + "\n")
            rows += 1
    return rows


def annotate(
    bundle: str, source: Path, output: Path, each_second: Callable[[subprocess.Popen[bytes]], None]
) -> int:
    """Runs the command, and something every second; returns its exit code."""
    command = [sys.executable, "-m", "clinsynth", "annotate", bundle, str(source), str(output)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            each_second(process)
            time.sleep(1)
        return process.returncode


def memory(process: subprocess.Popen[bytes]) -> int:
    """MiB that a process has in memory; 0 once it has ended."""
    try:
        fields = dict(
            line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
        )
    except FileNotFoundError:
        return 0
    return int(fields.get("VmRSS", "0 kB").split()[0]) // 1024


def main() -> None:
    """Prints the figures; fails if the outputs differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle")
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        source, whole, cut = folder / "in.jsonl", folder / "whole.jsonl", folder / "cut.jsonl"
        rows = write(source, int(options.gigabytes * 1e9))
        print(f"{rows} rows, {source.stat().st_size / 1e9:.2f} GB", flush=True)

        seen: list[int] = []
        begin = time.perf_counter()
        code = annotate(options.bundle, source, whole, lambda process: seen.append(memory(process)))
        seconds = time.perf_counter() - begin
        tenths = [max(seen[len(seen) * i // 10 : len(seen) * (i + 1) // 10] or [0]) for i in range(10)]
        print(
            f"exit code {code}, {rows / seconds:.0f} rows/s, {seconds:.0f} s; MiB by tenth: {tenths}",
            flush=True,
        )

        half = seconds / 2
        begin = time.perf_counter()

        def kill(process: subprocess.Popen[bytes]) -> None:
            if time.perf_counter() - begin > half:
                process.send_signal(signal.SIGKILL)

        print(f"killed: exit code {annotate(options.bundle, source, cut, kill)}", flush=True)
        print(f"again: exit code {annotate(options.bundle, source, cut, lambda process: None)}", flush=True)
        for suffix in ("", ".rejects.jsonl"):
            one, other = (path.with_name(path.name + suffix) for path in (whole, cut))
            if not filecmp.cmp(one, other, shallow=False):
                sys.exit(f"{one.name} and {other.name} differ")
            print(f"{one.name}: the same {one.stat().st_size} bytes in both")


if __name__ == "__main__":
    main()

"""Commands that train nothing start at once: they import no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from clinsynth.cli.generate import CORPUS, SUBCOMMANDS
from clinsynth.formats import jsonl
from clinsynth_onnx.document import Document, Entity

HEAVY = ("torch", "lightning", "transformers", "torchmetrics", "openai", "pandas", "sklearn")

# one process for all: it runs each case and says which heavy packages are there since
CASES = """
import contextlib, importlib, io, json, sys
cases, heavy = json.loads(sys.argv[1])
found = {}
for name, (module, arguments) in cases.items():
    imported = importlib.import_module(module)
    if arguments:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
            imported.main(arguments)
    found[name] = [package for package in heavy if package in sys.modules]
print(json.dumps(found))
"""


def test_commands_without_a_network_import_no_torch(root: Path, tmp_path: Path) -> None:
    jsonl.write(
        tmp_path / "c.jsonl", [Document("It calms ataxia in all of them.", (Entity(9, 15, "Disease"),))]
    )
    (tmp_path / "task.yaml").write_text("name: t\nentities: {Disease: {}}\n", encoding="utf-8")
    generate = "clinsynth.cli.generate"
    audit = ["audit", f"--task={tmp_path}/task.yaml", f"--corpus={tmp_path}/c.jsonl", "--real=NCBIDisease"]
    cases: dict[str, tuple[str, list[str]]] = {
        "generate --help": (generate, ["--help"]),
        **{f"generate {name} --help": (generate, [name, "--help"]) for name in SUBCOMMANDS},
        "corpus --help": ("clinsynth.cli.corpus", ["--help"]),
        "corpus published": ("clinsynth.cli.corpus", ["published", f"--root={root}"]),
        "generate audit": (generate, [*audit, f"--real.root={root}"]),
        "what generate runs": (CORPUS[0], []),
        "curation": ("clinsynth.curation.curate", []),
    }
    run = subprocess.run(
        [sys.executable, "-c", CASES, json.dumps([cases, HEAVY])], capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == {name: [] for name in cases}, run.stderr

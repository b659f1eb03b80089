"""``fit``, ``validate``, ``test`` and ``predict``: LightningCLI, wired for tasks and run folders."""

from __future__ import annotations

import difflib
import logging
import re
import shutil
import warnings
from pathlib import Path
from typing import Any, NoReturn

import torch
from jsonargparse import Namespace
from lightning import Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import CSVLogger

import clinsynth.datamodules
import clinsynth.models
import clinsynth.zero_shot  # noqa: F401  (class names without their module resolve among what is imported)
from clinsynth.datamodules.base import DocumentDataModule
from clinsynth.models.base import DocumentModel
from clinsynth.runs.folder import BUNDLE, CHECKPOINTS, find_checkpoint, new_run, run_of
from clinsynth.runs.last_checkpoint import LastCheckpoint
from clinsynth.runs.record import PredictionWriter, Report, RunRecord
from clinsynth_onnx.schema import Schema

RUNS = Path("runs")
QUOTED = re.compile(r"['\"]([\w.]+)['\"]|--([\w.]+)")


class Parser(LightningArgumentParser):
    """Answers a misspelt argument or config key with the ones that are spelt like it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        super().error(message + self._suggestion(message), ex)

    def _suggestion(self, message: str) -> str:
        parsers = [
            self,
            *(p for a in self._actions if isinstance(a.choices, dict) for p in a.choices.values()),
        ]
        known = {a.dest for parser in parsers for a in parser._actions if a.dest}
        words = (word for pair in QUOTED.findall(message) for word in pair if word)
        for word in words:
            close = difflib.get_close_matches(word, known - {word}, n=1, cutoff=0.8)
            if word not in known and close:
                return f"\nDid you mean {close[0]!r} instead of {word!r}?"
        return ""


class CLI(LightningCLI):
    """Adds the task, the run folder, and checkpoints by validation score to LightningCLI."""

    def __init__(self, args: list[str]) -> None:
        super().__init__(
            DocumentModel,
            DocumentDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            parser_class=Parser,
            seed_everything_default=0,
            trainer_defaults={
                "gradient_clip_val": 1.0,
                "log_every_n_steps": 10,
                "callbacks": [Report(), PredictionWriter()],
            },
            save_config_callback=RunRecord,
            args=args,
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--task", type=Schema, enable_path=True, help="The task: a task.yaml.")
        parser.add_argument(
            "--run",
            type=str | None,
            default=None,
            help="Folder of this run. Default: the next number below runs/TASK.",
        )
        parser.add_argument(
            "--export",
            type=bool,
            default=False,
            help="Whether fit ends with a bundle of the best checkpoint, in the run's folder.",
        )
        for part in ("model", "data"):
            parser.link_arguments("task", f"{part}.init_args.schema")
        parser.add_lightning_class_args(ModelCheckpoint, "best_checkpoint")
        parser.set_defaults(
            {
                "best_checkpoint.filename": "best",
                "best_checkpoint.mode": "max",
                "best_checkpoint.enable_version_counter": False,
            }
        )
        parser.add_lightning_class_args(LastCheckpoint, "last_checkpoint")
        parser.set_defaults(
            {
                "last_checkpoint.filename": "last",
                "last_checkpoint.every_n_train_steps": 100,
                "last_checkpoint.enable_version_counter": False,
            }
        )
        parser.add_lightning_class_args(EarlyStopping, "early_stopping")
        parser.set_defaults({"early_stopping.mode": "max", "early_stopping.patience": 5})
        parser.link_arguments("model.monitor", "best_checkpoint.monitor", apply_on="instantiate")
        parser.link_arguments("model.monitor", "early_stopping.monitor", apply_on="instantiate")

    def _parse_ckpt_path(self) -> None:
        """Finds ``best`` and ``last``, and the folder of this run, before anything is built."""
        config = self._settings
        task: Schema | None = config.get("task")
        base = RUNS / (task.name if task else "")
        run = Path(config.run) if config.run else None
        if config.get("ckpt_path") is None:
            self._checkpoint = None
            self._run = run
        else:
            self._checkpoint = find_checkpoint(config.ckpt_path, base, run)
            config.ckpt_path = str(self._checkpoint)
            self._run = run or run_of(self._checkpoint)
        if self._run is None and not config.trainer.fast_dev_run:
            self._run = new_run(base)
        for name in ("best_checkpoint", "last_checkpoint"):
            config[f"{name}.dirpath"] = config[f"{name}.dirpath"] or str((self._run or base) / CHECKPOINTS)

    def _prepare_subcommand_parser(
        self, klass: type, subcommand: str, **kwargs: Any
    ) -> LightningArgumentParser:
        parser = super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        if subcommand in ("validate", "test"):
            parser.set_defaults({"verbose": False})  # Report has a table of its own
        if subcommand == "predict":
            parser.set_defaults({"return_predictions": False})  # PredictionWriter keeps them
        return parser

    @property
    def _settings(self) -> Namespace:
        settings: Namespace = self.config[self.config.subcommand]
        return settings

    def instantiate_classes(self) -> None:
        super().instantiate_classes()
        if self._checkpoint and self.subcommand != "fit":
            # the checkpoint knows how the model was built, whatever the config says today
            self.model = type(self.model).load_from_checkpoint(self._checkpoint, map_location="cpu")

    def after_fit(self) -> None:
        """Exports the best checkpoint if the config says so."""
        if (
            not self._settings.export
            or not self.trainer.is_global_zero
            or getattr(self.trainer, "fast_dev_run", False)
        ):
            return
        from clinsynth.cli import export as command  # the exporter's dependencies take seconds to import

        best = next(c for c in self.trainer.checkpoint_callbacks if not isinstance(c, LastCheckpoint))
        assert isinstance(best, ModelCheckpoint) and self._run is not None
        bundle, draft = self._run / BUNDLE, self._run / f"{BUNDLE}.new"
        shutil.rmtree(draft, ignore_errors=True)  # of an export that was stopped
        command.export_to(Path(best.best_model_path), draft, self.datamodule.part("val"))
        shutil.rmtree(bundle, ignore_errors=True)  # of this run, before it went on
        draft.rename(bundle)
        print(f"The bundle is {bundle}")

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        settings = self._get(self.config_init, "trainer")
        if self._run is not None:
            kwargs.setdefault("default_root_dir", str(self._run))
        if settings["logger"] is None:
            settings["logger"] = self.subcommand == "fit"
        if self.subcommand == "fit" and settings["logger"] is not False and self._run is not None:
            given = settings["logger"] if settings["logger"] is not True else []
            extra = given if isinstance(given, list) else [given]
            kwargs["logger"] = [CSVLogger(self._run, name="logs"), *extra]
        if settings["precision"] is None:
            kwargs["precision"] = fitting_precision(settings["accelerator"])
        return super().instantiate_trainer(**kwargs)


def fitting_precision(accelerator: Any) -> str:
    """``bf16-mixed`` where the hardware multiplies bf16 matrices, else ``32-true``."""
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    if accelerator in ("auto", "cpu") and not torch.backends.mps.is_available():
        return "bf16-mixed" if torch.cpu._is_avx512_bf16_supported() else "32-true"
    return "32-true"


def main(args: list[str]) -> None:
    """Runs one of Lightning's commands. Raises ``ValueError`` or ``OSError`` on bad input."""
    logging.getLogger("clinsynth").setLevel(logging.INFO)
    logging.getLogger("clinsynth").addHandler(logging.StreamHandler())
    logging.captureWarnings(True)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(
        lambda record: "Tip:" not in record.getMessage()  # advertisements
    )
    CLI(args)

"""``fit``, ``validate``, ``test`` and ``predict``: LightningCLI, wired for tasks and run folders."""

from __future__ import annotations

import logging
import pkgutil
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import torch
from jsonargparse import Namespace
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.cli import LightningArgumentParser
from rich.console import Console

import clinsynth.datamodules
import clinsynth.models
import clinsynth.zero_shot  # noqa: F401  (class names without their module resolve among what is imported)
from clinsynth.cli import from_checkpoint
from clinsynth.cli.parser import AnsweringParser
from clinsynth.cli.report import tell_report
from clinsynth.cli.task_option import given
from clinsynth.datamodules.base import DocumentDataModule
from clinsynth.models import checkpoint
from clinsynth.models.annotator import DocumentAnnotator
from clinsynth.models.encoder_model import EncoderModel
from clinsynth.models.loading import is_trained
from clinsynth.runs.curve import Curve
from clinsynth.runs.folder import BUNDLE, CHECKPOINTS, NAMES, find_checkpoint, new_run, run_of
from clinsynth.runs.last_checkpoint import LastCheckpoint
from clinsynth.runs.private import InnerCLI, cpu_multiplies_bf16
from clinsynth.runs.progress import Progress
from clinsynth.runs.record import PredictionWriter, Report, RunRecord
from clinsynth_onnx.schema import Schema

log = logging.getLogger("clinsynth")

RUNS = Path("runs")


class Parser(AnsweringParser, LightningArgumentParser):
    """Lightning's parser, with answers to what is misspelt."""

    all_options = "--help=all"

    def classes(self, option: str) -> Iterable[str]:
        base = {"model": DocumentAnnotator, "data": DocumentDataModule}.get(option)
        return _names(base) if base else ()


def _names(base: type) -> set[str]:
    return {base.__name__}.union(*map(_names, base.__subclasses__()))


class CLI(InnerCLI):
    """Adds the task, the run folder, and checkpoints by validation score to LightningCLI."""

    # Report has a table of its own, and PredictionWriter keeps what is found
    OUTPUT: ClassVar[dict[str, dict[str, Any]]] = {
        "validate": {"verbose": False},
        "test": {"verbose": False},
        "predict": {"return_predictions": False},
    }

    def __init__(self, args: list[str]) -> None:
        self._steps_done = 0
        known = from_checkpoint.defaults(args, RUNS)
        self.defaults_of = {name: {**output, **known} for name, output in self.OUTPUT.items()}
        super().__init__(
            DocumentAnnotator,
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
            parser_kwargs={
                "prog": "clinsynth",
                **{name: {"prog": f"clinsynth {name}"} for name in self.subcommands()},
            },
            auto_configure_optimizers=False,  # the models have their own, --model.optimization
            args=args,
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parses the arguments that it is given, without Lightning's warning that there are others."""
        self.config = parser.parse_args(args)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument(
            "--task",
            type=Schema | None,
            default=None,
            help="File of the task, a task.yaml: its labels and what they mean.",
        )
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
            parser.link_arguments("task", f"{part}.init_args.schema", compute_fn=given)
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

    def before_instantiate_classes(self) -> None:
        """Finds ``best`` and ``last``, and the folder of this run, before anything is built."""
        config = self._settings
        task: Schema | None = config.get("task")
        base = RUNS / (task.name if task else "")
        run = Path(config.run) if config.run else None
        if self.subcommand != "fit" and is_trained(pkgutil.resolve_name(config.model.class_path)):
            config.ckpt_path = config.ckpt_path or NAMES[0]  # what is not trained finds nothing
        if config.get("ckpt_path") is None:
            self._checkpoint = None
            self._run = run
        else:
            self._checkpoint = find_checkpoint(config.ckpt_path, base, run)
            config.ckpt_path = str(self._checkpoint)
            self._run = run or run_of(self._checkpoint)
            if self.subcommand == "fit":
                self._go_on(self._checkpoint)
        if self.subcommand == "fit":
            self._validate_at_the_end()
        if self._run is None and not config.trainer.fast_dev_run:
            self._run = new_run(base)
        for name in ("best_checkpoint", "last_checkpoint"):
            config[f"{name}.dirpath"] = config[f"{name}.dirpath"] or str((self._run or base) / CHECKPOINTS)

    def _validate_at_the_end(self) -> None:
        """Without it a run that ends before its first validation has no best checkpoint."""
        trainer = self._settings.trainer
        epochs, every = trainer.max_epochs, trainer.check_val_every_n_epoch
        if epochs and every and 0 < epochs < every:
            log.info("Validation is after epoch %d, the last, instead of every %d epochs", epochs, every)
            trainer.check_val_every_n_epoch = epochs

    def _go_on(self, path: Path) -> None:
        """Raises ``ValueError`` if training from a checkpoint on would end before it begins."""
        kept = checkpoint.read(path)
        epochs = self._settings.trainer.max_epochs
        if epochs is not None and 0 <= epochs < kept["epoch"]:
            raise ValueError(
                f"{path} has {kept['epoch']} epochs behind it, and training is to end at {epochs}. Remedy: "
                "a larger --trainer.max_epochs, or no --ckpt_path, to begin anew"
            )
        if run_of(path) == self._run:
            self._steps_done = int(kept["global_step"])

    @property
    def _settings(self) -> Namespace:
        settings: Namespace = self.config[self.config.subcommand]
        return settings

    def instantiate_classes(self) -> None:
        super().instantiate_classes()
        name = type(self.model).__name__
        if self.subcommand == "fit" and type(self.model).training_step is LightningModule.training_step:
            raise ValueError(f"{name} is not trained. Remedy: clinsynth test or predict")
        if self._checkpoint and not isinstance(self.model, EncoderModel):
            raise ValueError(f"{name} has no checkpoints. Remedy: leave out --ckpt_path")
        if self._checkpoint and self.subcommand != "fit":
            # the checkpoint knows how the model was built, whatever the config says today
            self.model = type(self.model).load_from_checkpoint(self._checkpoint, map_location="cpu")

    def after_fit(self) -> None:
        """Exports the best checkpoint if the config says so, and makes the page of the run."""
        if not self.trainer.is_global_zero or getattr(self.trainer, "fast_dev_run", False):
            return
        if self._settings.export:
            self._export()
        tell_report(Path(self.trainer.default_root_dir))

    def after_test(self) -> None:
        """Makes the page of the run anew, with what was tested."""
        for report in getattr(self.trainer, "callbacks", ()):
            if isinstance(report, Report) and report.folder is not None:
                tell_report(run_of(report.folder) or report.folder.parent)

    def _export(self) -> None:
        from clinsynth.exporting.checkpoint import export_checkpoint  # its imports take seconds
        from clinsynth.exporting.outcome import table

        best = next(c for c in self.trainer.checkpoint_callbacks if not isinstance(c, LastCheckpoint))
        assert isinstance(best, ModelCheckpoint) and self._run is not None
        bundle = self._run / BUNDLE
        gold = self.datamodule.task_documents("val")
        Console(width=200).print(
            table(export_checkpoint(Path(best.best_model_path), bundle, gold, replace=True))
        )
        print(f"The bundle is {bundle}")

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        settings = self.config_init[self.subcommand].trainer
        if self._run is not None:
            kwargs.setdefault("default_root_dir", str(self._run))
        if settings["logger"] is None:
            settings["logger"] = self.subcommand == "fit"
        if self.subcommand == "fit" and settings["logger"] is not False and self._run is not None:
            more = settings["logger"] if settings["logger"] is not True else []
            extra = more if isinstance(more, list) else [more]
            kwargs["logger"] = [Curve(self._run, self._steps_done), *extra]
        if settings["enable_progress_bar"] is not False and self.subcommand == "fit":
            settings["callbacks"] = [*(settings["callbacks"] or []), Progress()]
        if settings["precision"] is None:
            kwargs["precision"] = fitting_precision(settings["accelerator"])
        return super().instantiate_trainer(**kwargs)


def fitting_precision(accelerator: Any) -> str:
    """``bf16-mixed`` where the hardware multiplies bf16 matrices, else ``32-true``."""
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    if accelerator in ("auto", "cpu") and not torch.backends.mps.is_available():
        return "bf16-mixed" if cpu_multiplies_bf16() else "32-true"
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

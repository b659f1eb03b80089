"""The data that a run's config names, built again."""

from __future__ import annotations

from argparse import ArgumentError
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentParser

from clinsynth.datamodules.base import DocumentDataModule
from clinsynth_onnx.schema import Schema


def data_of_run(config: Path, schema: Schema) -> DocumentDataModule:
    """The data module of a run, as its ``config.yaml`` says, for a task.

    Raises:
        ValueError: The config names a data module that this version does not have, or cannot build.
    """
    data = current(yaml.safe_load(config.read_text(encoding="utf-8"))["data"])
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--data", type=DocumentDataModule)
    options = {**data.get("init_args", {}), "schema": schema.to_json()}
    named = {"class_path": data["class_path"], "init_args": options}
    try:
        made: DocumentDataModule = parser.instantiate(parser.parse_object({"data": named})).data
    except ArgumentError as error:
        raise ValueError(
            f"the data of {config} cannot be read: {data['class_path']}: "
            f"{str(error).splitlines()[-1].strip()}. Remedy: install the package that it is of"
        ) from error
    return made


def current(config: Any) -> Any:
    """A run's config without the options of ``Synthetic`` that there were once, where they are not used."""
    if isinstance(config, dict):
        return {
            name: current(value)
            for name, value in config.items()
            if value is not None or name not in ("replies", "generation", "folder")
        }
    return [current(value) for value in config] if isinstance(config, list) else config

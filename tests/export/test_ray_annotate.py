"""A Ray job gives what one process gives."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor
from tests.conftest import REPOSITORY

pytest.importorskip("ray.data", reason="Ray is not installed: pip install 'clinsynth[ray]'")
parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")

SCRIPT = REPOSITORY / "export" / "ray_annotate.py"


@pytest.fixture(scope="module")
def job() -> Iterator[ModuleType]:
    """The script, on a Ray of two cores."""
    import ray

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    spec = importlib.util.spec_from_file_location("ray_annotate", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    ray.cloudpickle.register_pickle_by_value(module)  # workers cannot import it by this name
    ray.init(
        num_cpus=3,
        include_dashboard=False,
        log_to_driver=False,
        configure_logging=False,
        logging_level="ERROR",
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield module
    ray.shutdown()
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty rows in four files; two of a file have no text."""
    import pyarrow as pa

    folder = tmp_path_factory.mktemp("notes")
    for part in range(4):
        names = [f"{part}-{i}" for i in range(10)]
        texts: list[str | None] = [f"The gene abc{name} and fever of the drug {name}." for name in names]
        texts[3], texts[7] = None, " \n"
        table = pa.table({"note": names, "more": [1] * 10, "body": pa.array(texts, pa.string())})
        parquet.write_table(table, folder / f"{part}.parquet")
    return folder


def rows(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parquet.read_table(folder).to_pylist()
    return found


COLUMNS = {"id_column": "note", "text_column": "body", "engine": "onnxruntime", "variant": "fp32"}


@pytest.mark.slow
def test_two_actors_find_what_one_process_finds(
    job: ModuleType,
    source: Path,
    tmp_path: Path,
    tiny_bundle: Path,
    tiny_relation_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job, "ROWS", 8)  # so that there is work for two
    target = tmp_path / "out"
    job.annotate(
        str(tiny_bundle),
        str(source),
        str(target),
        str(tiny_relation_bundle),
        actors=2,
        **COLUMNS,
    )
    found, given = sorted(rows(target), key=lambda row: str(row["id"])), rows(source)
    assert [row["id"] for row in found] == [row["note"] for row in given]
    assert [row["text"] for row in found] == [row["body"] for row in given]
    with (
        Predictor.load(tiny_bundle, engine="onnxruntime", variant="fp32") as tag,
        Predictor.load(tiny_relation_bundle, engine="onnxruntime", variant="fp32") as relate,
    ):
        for row in found:
            if row["text"] is None or row["text"].isspace():
                assert (row["document"], row["rejected"]) == (None, "no text")
            else:
                expected = relate(tag(Document(row["text"], id=row["id"])))
                assert Document.from_json(json.loads(row["document"])) == expected
                assert row["rejected"] is None
    assert sum(row["rejected"] is not None for row in found) == 8
    with pytest.raises(ValueError, match="exists"):
        job.annotate(str(tiny_bundle), str(source), str(target), **COLUMNS)


def test_what_does_not_fit_is_told_before_work_begins(
    job: ModuleType, source: Path, tmp_path: Path, tiny_bundle: Path, tiny_relation_bundle: Path
) -> None:
    target = str(tmp_path / "out")
    with pytest.raises(ValueError, match=r"no column 'text'. Remedy: name one of note, more, body"):
        job.annotate(str(tiny_bundle), str(source), target, id_column="note")
    with pytest.raises(ValueError, match=r"'more' has int64, not text"):
        job.annotate(str(tiny_bundle), str(source), target, id_column="note", text_column="more")
    with pytest.raises(ValueError, match="Remedy: name an entity bundle"):
        job.annotate(str(tiny_relation_bundle), str(source), target)
    with pytest.raises(ValueError, match="Remedy: at most"):
        job.annotate(str(tiny_bundle), str(source), target, cpus=1, threads=2)


def test_a_string_that_is_not_utf8_is_rejected_alone(job: ModuleType, tiny_bundle: Path) -> None:
    import pyarrow as pa

    def strings(*values: bytes) -> pa.Array:
        return pa.Array.from_buffers(pa.string(), len(values), pa.array(values, pa.binary()).buffers())

    table = pa.table({"id": strings(b"a", b"b", b"\xff"), "text": strings(b"fever", b"p\xffn", b"pain")})
    annotated = job.Annotator(str(tiny_bundle), None, "onnxruntime", "fp32", 1, 1)(table)
    problems = [
        f"its {what} is not UTF-8" for what in ("text cannot be read: byte 2", "id cannot be read: byte 1")
    ]
    assert annotated["rejected"].to_pylist() == [None, *problems]
    assert [text is None for text in annotated["document"].to_pylist()] == [False, True, True]


def test_the_command_explains_itself() -> None:
    result = subprocess.run(
        [sys.executable, str(SCRIPT), "--help"], capture_output=True, text=True, check=True
    )
    assert "--id_column" in result.stdout

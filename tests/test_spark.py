"""The recipe of docs/spark.md works as it stands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor
from tests.conftest import REPOSITORY

pyspark = pytest.importorskip("pyspark", reason="Spark is not installed: pip install pyspark")
parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
pytestmark = pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")

MANUAL = REPOSITORY / "docs" / "spark.md"
# an addition to the job: each process tells how often it loaded the bundle, and for how many frames
COUNTING = """
import os
import pandas as pd

def loads(frames):
    import clinsynth_spark
    for frame in annotate(frames):
        info = clinsynth_spark.predictor.cache_info()
        yield pd.DataFrame({"pid": [os.getpid()], "loads": [info.misses], "uses": [info.hits + info.misses]})

rows = notes.repartition(8).mapInPandas(loads, "pid long, loads long, uses long")
rows.write.json(target + ".loads")
"""


def test_spark_finds_what_one_process_finds(tiny_bundle: Path, tmp_path: Path) -> None:
    import pyarrow as pa

    names = [str(i) for i in range(40)]
    texts = [f"The gene abc{name} and fever of the drug {name}." for name in names]
    notes: list[str | None] = [*texts[:-2], None, " \n"]
    parquet.write_table(pa.table({"id": names, "text": pa.array(notes, pa.string())}), tmp_path / "notes")
    shutil.make_archive(str(tmp_path / "ner.bundle"), "zip", tiny_bundle)
    module, job = re.findall(r"^```python\n(.*?)^```", MANUAL.read_text(encoding="utf-8"), re.M | re.S)
    (tmp_path / "clinsynth_spark.py").write_text(module, encoding="utf-8")
    (tmp_path / "annotate_job.py").write_text(job + COUNTING, encoding="utf-8")
    command = re.search(r"^spark-submit .*annotate_job.py", MANUAL.read_text(encoding="utf-8"), re.M)
    assert command is not None
    submit = Path(pyspark.__file__).parent / "bin" / command[0].split()[0]
    subprocess.run(
        [
            str(submit),
            "--master=local[2]",
            "--conf=spark.ui.enabled=false",
            *command[0].split()[1:],
            "notes",
            "out",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        env={**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"},
    )
    found = parquet.read_table(tmp_path / "out").to_pylist()
    assert sorted(row["id"] for row in found) == sorted(names)
    with Predictor.load(tiny_bundle) as predictor:
        for row in found:
            text = notes[int(row["id"])]
            assert row["text"] == text
            if text is None or text.isspace():
                assert (row["document"], row["rejected"]) == (None, "no text")
            else:
                document = Document.from_json(json.loads(row["document"]))
                assert document == predictor(Document(text, id=row["id"]))
                assert row["rejected"] is None
    files = (tmp_path / "out.loads").glob("part-*")
    counts = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert {count["loads"] for count in counts} == {1}
    assert max(count["uses"] for count in counts) > 1

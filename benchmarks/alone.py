"""Times a bundle on texts one by one; run by inference.py in a process without torch.

    python benchmarks/alone.py BUNDLE ENGINE VARIANT DOCUMENTS_JSONL

Prints the seconds of each document as a JSON list.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor


def main() -> None:
    """Prints the times of a second pass; the first warms up."""
    bundle, engine, variant, path = sys.argv[1:]
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    documents = [Document.from_json(json.loads(line)) for line in lines]
    predictor = Predictor.load(bundle, engine=engine, variant=variant)
    for _ in range(2):
        times = []
        for document in documents:
            start = time.perf_counter()
            predictor(document)
            times.append(time.perf_counter() - start)
    print(json.dumps(times))


if __name__ == "__main__":
    main()

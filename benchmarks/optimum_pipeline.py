"""Times optimum-onnx's pipeline; run by inference.py with an interpreter that has it.

    python benchmarks/optimum_pipeline.py MODEL_FOLDER TEXTS_JSON

Prints JSON rows: name, texts a second, milliseconds of a text alone.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from optimum.onnxruntime import ORTModelForTokenClassification
from transformers import PreTrainedTokenizerFast, pipeline


def main() -> None:
    """Prints the rows."""
    folder, texts = sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    special = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    words = PreTrainedTokenizerFast(
        tokenizer_file=f"{folder}/tokenizer.json", model_max_length=512, **special
    )
    model = ORTModelForTokenClassification.from_pretrained(folder, export=True)
    tag = pipeline("token-classification", model=model, tokenizer=words, aggregation_strategy="simple")
    rows = []
    for size in (1, 16):
        tag(texts[:64], batch_size=size)
        start = time.perf_counter()
        tag(texts, batch_size=size)
        seconds = time.perf_counter() - start
        rows.append(
            (f"optimum-onnx pipeline, batch {size}", len(texts) / seconds, 1000 * seconds / len(texts))
        )
    print(json.dumps([(*row[:2], row[2] if i == 0 else float("nan")) for i, row in enumerate(rows)]))


if __name__ == "__main__":
    main()

"""Drives ``clinsynth serve`` with many clients at once and checks every answer.

    python benchmarks/serving.py BUNDLE --clients 64 --seconds 60

Each client sends texts that no other sends, one after the other, and compares each answer with what the
predictor finds in that text alone. The texts are made up, as long as abstracts. With bf16 sums are rounded
otherwise in another batch, so an entity on the brink may be there or not: an answer that shares four in five
entities with the one expected counts as "on the brink". With ``--engine onnxruntime`` there must be none.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import numpy as np

from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor

TEXTS = 8  # that a client has
BRINK = "on the brink"
SENTENCES = (
    "{name} had {finding} and was treated for {disease} at the age of {number}.",
    "In {number} of {other} relatives of {name} there was no sign of {disease}.",
    "We report {number} families in which {disease} goes together with {finding}.",
    "A mutation in exon {number} was absent in {other} controls, but {finding} was not.",
    "The risk of {disease} rose {number}-fold after {finding}, as others found for {second}.",
    "Neither {disease} nor {second} explains {finding} in these {other} cases.",
)
DISEASES = (
    "Wilson disease",
    "breast cancer",
    "ataxia telangiectasia",
    "cystic fibrosis",
    "retinitis pigmentosa",
    "familial colorectal cancer",
    "Duchenne muscular dystrophy",
    "haemophilia",
)
FINDINGS = ("tremor", "high levels of iron", "loss of vision", "a short stature", "seizures", "no symptoms")


@dataclass
class Tally:
    """What one client saw: seconds of each answer, and what was wrong with how many."""

    seconds: list[float] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)


def text(chance: random.Random, mark: str) -> str:
    """A text that has its mark in it, so that no two are alike."""
    sentences = [
        chance.choice(SENTENCES).format(
            name=f"patient {mark}",
            finding=chance.choice(FINDINGS),
            disease=chance.choice(DISEASES),
            second=chance.choice(DISEASES),
            number=chance.randint(2, 40),
            other=chance.randint(2, 900),
        )
        for _ in range(chance.randint(10, 27))
    ]
    return " ".join(sentences)


def drive(url: str, texts: list[str], expected: dict[str, Document], end: float) -> Tally:
    """A client: sends its texts in turn until it is late enough."""
    tally = Tally()
    with httpx.Client(timeout=60) as client:
        turn = 0
        while time.monotonic() < end:
            sent = texts[turn % len(texts)]
            turn += 1
            start = time.monotonic()
            try:
                answer = client.post(f"{url}/annotate", json={"text": sent})
            except httpx.HTTPError as error:
                tally.wrong[type(error).__name__] += 1
                continue
            tally.seconds.append(time.monotonic() - start)
            if answer.status_code != 200:
                tally.wrong[f"status {answer.status_code}"] += 1
                continue
            found = Document.from_json(answer.json()["documents"][0])
            if found.text != sent:
                tally.wrong["mix-up of texts"] += 1
            elif found != expected[sent]:
                both, either = (
                    len(op(set(found.entities), expected[sent].entities))
                    for op in (set.intersection, set.union)
                )
                tally.wrong[BRINK if both >= 0.8 * either else "mix-up of entities"] += 1
    return tally


def counter(page: str, name: str) -> float:
    """What a page of metrics says of one of them."""
    found = re.search(rf"^{name} (\S+)", page, re.MULTILINE)
    assert found is not None, f"the server does not count {name}"
    return float(found[1])


def main() -> None:
    """Starts a server, drives it, stops it and prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--variant", default="auto")
    options = parser.parse_args()

    chance = random.Random(0)
    by_client = [[text(chance, f"{client}-{i}") for i in range(TEXTS)] for client in range(options.clients)]
    texts = [sent for mine in by_client for sent in mine]
    with Predictor.load(options.bundle, engine=options.engine, variant=options.variant) as predictor:
        about = predictor.about
        expected = {sent: predictor(sent) for sent in texts}
        start = time.monotonic()
        predictor(texts)
        direct = len(texts) / (time.monotonic() - start)
    entities = sum(len(document.entities) for document in expected.values())
    print(f"{about}; {len(texts)} texts of {np.mean([*map(len, texts)]):.0f} characters, {entities} entities")
    print(f"the predictor alone, without HTTP: {direct:.1f} documents/s")

    command = [sys.executable, "-m", "clinsynth", "serve", options.bundle, "--port=0"]
    command += [f"--engine={options.engine}", f"--variant={options.variant}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        url = next(found[1] for line in server.stderr if (found := re.search(r"running on (\S+)", line)))
        threading.Thread(target=lambda: [None for _ in server.stderr or ()]).start()
        end = time.monotonic() + options.seconds
        begun = time.monotonic()
        with ThreadPoolExecutor(options.clients) as pool:
            tallies = list(pool.map(lambda mine: drive(url, mine, expected, end), by_client))
        took = time.monotonic() - begun
        counters = httpx.get(f"{url}/metrics").text
        server.terminate()
        code = server.wait(60)

    seconds = np.array([took for tally in tallies for took in tally.seconds])
    wrong = sum((tally.wrong for tally in tallies), Counter[str]())
    p50, p95, p99 = 1000 * np.percentile(seconds, (50, 95, 99))
    total, batches = (counter(counters, f"clinsynth_batch_documents_{name}") for name in ("sum", "count"))
    print(f"{options.clients} clients, {took:.0f} s: {len(seconds) / took:.1f} requests/s")
    print(f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms; {total / batches:.1f} documents a batch")
    brink = wrong.pop(BRINK, 0)
    print(f"{len(seconds)} answers, {brink} with an entity on the brink; exit code {code}")
    print(f"errors and mix-ups: {dict(wrong) or 'none'}")
    sys.exit(1 if wrong or code else 0)


if __name__ == "__main__":
    main()

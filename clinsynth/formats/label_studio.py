"""Label Studio's JSON: tasks with a text, annotations of people and predictions of models.

The format is described at https://labelstud.io/guide/task_format and https://labelstud.io/guide/predictions.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clinsynth.formats.errors import CorpusError
from clinsynth.formats.lines import read_text
from clinsynth.formats.tool_values import (
    CORRECT,
    identifier,
    objects,
    placed,
    portable_meta,
    string,
    whole_number,
)
from clinsynth_onnx.document import Document, Entity, Relation

log = logging.getLogger("clinsynth")

LABELS, TEXT = "label", "text"  # names of the tags in a project's labelling interface
RELATION = "relation"
MODEL = "clinsynth"
OWN = (TEXT, "id", "meta")


def read(path: Path) -> Iterator[Document]:
    """A document a task, with its annotation, or where nobody annotated it, its prediction.

    Of several annotations the one that is marked as ground truth counts; cancelled ones do not. Results
    that are neither labels of spans nor relations are left out and told. Raises ``CorpusError``.
    """
    try:
        tasks = json.loads(read_text(path).removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise CorpusError(
            path, error.lineno, f"the JSON is broken ({error.msg})", "is the file cut off? export it again"
        ) from error
    except RecursionError as error:
        raise CorpusError(path, None, "the JSON is nested too deeply", "check the format") from error
    if not isinstance(tasks, list):
        tasks = [tasks]  # a storage gets a file a task
    told: Counter[str] = Counter()
    for number, task in enumerate(tasks, 1):
        yield _Task(path, number, task, told).document()
    predicted = told.pop("", 0)
    if predicted:
        log.warning("%s: %d tasks have predictions only, which are read as they are", path, predicted)
    if told:
        kinds = ", ".join(sorted(told))
        log.warning("%s: %d results are left out, of the types: %s", path, told.total(), kinds)


class _Task:
    """A task, and what is told of all of them: results left out by type, and under "" predictions read."""

    def __init__(self, path: Path, number: int, task: object, told: Counter[str]) -> None:
        self._path, self._number, self._told = path, number, told
        self._predicted = False
        if not isinstance(task, Mapping) or not isinstance(task.get("data"), Mapping):
            raise self._error(
                "it is no task with data",
                "export the project as JSON, not as JSON_MIN",
            )
        self._task: Mapping[str, Any] = task
        self._data: Mapping[str, Any] = task["data"]

    def document(self) -> Document:
        text = self._text()
        entities: list[Entity] = []
        place: dict[str, int] = {}
        links: list[Mapping[str, Any]] = []
        regions: list[Mapping[str, Any]] = []
        for result in self._results():
            value = result.get("value")
            kind = str(result.get("type"))
            if kind == RELATION:
                links.append(result)
            # choices, ratings and texts of a region have its place too
            elif kind.endswith("labels") and isinstance(value, Mapping) and "start" in value:
                regions.append(result)
            else:
                self._told[kind] += 1
        spans = placed(text, [self._mention(region["value"]) for region in regions], self._error)
        for region, (start, end) in zip(regions, spans, strict=True):
            given = region["value"].get(region["type"])
            labels = given if isinstance(given, list) else []
            if not labels or not all(isinstance(label, str) and label for label in labels):
                raise self._error(f"the region {region.get('id')!r} has no label", "label it, or remove it")
            place.setdefault(str(region.get("id")), len(entities))
            score = region.get("score") if self._predicted else 1.0  # what people leave standing is certain
            score = float(score) if isinstance(score, int | float) else 1.0
            entities += [Entity(start, end, label, score) for label in labels]
        relations = tuple(relation for link in links for relation in self._relations(link, place))
        meta = {key: value for key, value in self._data.items() if key not in OWN}
        kept = self._data.get("meta")
        meta |= kept if isinstance(kept, Mapping) else {}
        name = identifier([self._data.get("id"), self._task.get("id")], self._number)
        return Document(text, tuple(entities), relations, name, meta)

    def _text(self) -> str:
        strings = {key: value for key, value in self._data.items() if isinstance(value, str)}
        texts = [strings[TEXT]] if TEXT in strings else [v for key, v in strings.items() if key not in OWN]
        if len(texts) != 1:
            names = ", ".join(strings) or "none"
            raise self._error(
                f"its data has no field {TEXT!r}; its fields that are strings are: {names}",
                f"rename the field that holds the text to {TEXT!r}",
            )
        return texts[0]

    def _results(self) -> list[Mapping[str, Any]]:
        key = "annotations" if "annotations" in self._task else "completions"  # as before version 1.0
        annotations = objects(self._task, key, self._error)
        done = [annotation for annotation in annotations if not annotation.get("was_cancelled")]
        best = [annotation for annotation in done if annotation.get("ground_truth")] or done
        if len(best) > 1:
            raise self._error(
                f"it has {len(best)} annotations", "mark one as ground truth, or remove the others"
            )
        if not best:
            best = list(objects(self._task, "predictions", self._error))[:1]
            self._predicted = bool(best)
            self._told[""] += len(best)
        return [result for annotation in best for result in objects(annotation, "result", self._error)]

    def _mention(self, value: Mapping[str, Any]) -> tuple[int, int, str | None]:
        said = value.get("text")
        start, end = (whole_number(value.get(key), self._error) for key in ("start", "end"))
        return start, end, said if isinstance(said, str) else None

    def _relations(self, link: Mapping[str, Any], place: Mapping[str, int]) -> Iterator[Relation]:
        ends = [string(link, key, self._error) for key in ("from_id", "to_id")]
        for end in ends:
            if end not in place:
                raise self._error(f"a relation names the region {end!r}, which is not there", CORRECT)
        if place[ends[0]] == place[ends[1]]:
            raise self._error(f"a relation relates the region {ends[0]!r} to itself", "remove it")
        labels = link.get("labels")
        if not isinstance(labels, list) or not labels or not all(isinstance(x, str) and x for x in labels):
            raise self._error(
                "a relation has no label", "label it; a project names labels in <Relations> of its interface"
            )
        head, tail = (place[end] for end in ends)
        direction = link.get("direction") or "right"
        for label in labels:
            if direction != "left":
                yield Relation(head, tail, label)
            if direction != "right":
                yield Relation(tail, head, label)

    def _error(self, problem: str, remedy: str) -> CorpusError:
        return CorpusError(self._path, None, f"task {self._number}: {problem}", remedy)


def dumps(document: Document) -> str:
    """A task with a prediction, which people see as labels to correct."""
    results: list[dict[str, Any]] = [
        {
            "id": f"T{i + 1}",
            "from_name": LABELS,
            "to_name": TEXT,
            "type": "labels",
            "value": {
                "start": entity.start,
                "end": entity.end,
                "text": document.mention(entity),
                "labels": [entity.label],
            },
            **({} if entity.score == 1.0 else {"score": entity.score}),
        }
        for i, entity in enumerate(document.entities)
    ]
    results += [
        {
            "from_id": f"T{relation.head + 1}",
            "to_id": f"T{relation.tail + 1}",
            "type": RELATION,
            "direction": "right",
            "labels": [relation.label],
        }
        for relation in document.relations
    ]
    task = {
        "data": {TEXT: document.text, "id": document.id, "meta": portable_meta(document)},
        "predictions": [{"model_version": MODEL, "result": results}],
    }
    return json.dumps(task, ensure_ascii=False)

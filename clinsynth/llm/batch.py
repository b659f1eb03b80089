"""Plans and replies as files: the input and output lines of the OpenAI Batch API.

Format: https://platform.openai.com/docs/api-reference/batch (request input and output objects).
"""

from __future__ import annotations

import gzip
import io
import json
import logging
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, count
from pathlib import Path
from typing import IO, Any, Literal, TextIO, cast

from clinsynth.formats.errors import CorpusError
from clinsynth.llm.completion import error_code, read_answer
from clinsynth.llm.errors import read_error
from clinsynth.llm.requests import Reply, Request, numbered

log = logging.getLogger("clinsynth")

METHOD, URL = "POST", "/v1/chat/completions"


def write_plan(path: Path, requests: Iterable[Request]) -> None:
    """One request a line."""
    _write(
        path,
        (
            {"custom_id": request.custom_id, "method": METHOD, "url": URL, "body": request.body}
            for request in requests
        ),
    )


def read_plan(path: Path) -> list[Request]:
    """The requests of a plan, ``.gz`` or not. Raises ``CorpusError`` with the line number."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    seen: set[str] = set()
    for number, line in _lines(path):
        custom_id, body = _text(path, number, line, "custom_id"), line.get("body")
        if custom_id in seen:
            raise CorpusError(
                path, number, f"the custom_id {custom_id!r} occurs twice", "give each request its own"
            )
        if line.get("method", METHOD) != METHOD or not str(line.get("url", URL)).endswith(
            "/chat/completions"
        ):
            raise CorpusError(
                path, number, "the request is no chat completion", f"it must be a {METHOD} to {URL}"
            )
        messages = body.get("messages") if isinstance(body, Mapping) else None
        if not isinstance(messages, list) or not all(isinstance(message, Mapping) for message in messages):
            raise CorpusError(path, number, "the request has no body with messages", "write the plan anew")
        assert isinstance(body, Mapping)
        seen.add(custom_id)
        found.append((custom_id, body))
    return list(numbered(found))


def read_plans(paths: Iterable[Path]) -> list[Request]:
    """Plans one after the other, as one plan. Raises ``ValueError`` if two requests have the same name."""
    found = [request for path in paths for request in read_plan(path)]
    seen: set[str] = set()
    for request in found:
        if request.custom_id in seen:
            raise ValueError(
                f"two plans have the custom_id {request.custom_id!r}. Remedy: rename one of them"
            )
        seen.add(request.custom_id)
    return list(numbered((request.custom_id, request.body) for request in found))


def write_replies(path: Path, replies: Iterable[Reply]) -> None:
    """One reply a line."""
    _write(path, map(_reply_line, replies))


def set_aside(path: Path, answered: Collection[str]) -> None:
    """Keeps a file of replies that is about to be written anew, if it has answers that are not known else.

    It may be the only copy of what was paid for: of a colleague's folder, say, whose cache is elsewhere.

    Args:
        path: The file, if there is one.
        answered: The ``custom_id`` of each request that has an answer in the cache.
    """
    if not path.exists():
        return
    try:
        replies = [reply for reply in read_replies(path) if reply.outcome != "failed"]
        unknown = sum(reply.custom_id not in answered for reply in replies)
        what = f"has {unknown} answers that the cache does not have"
    except CorpusError as error:
        unknown, what = 1, f"could not be read ({error})"
    if unknown:
        aside = next(p for n in count(1) if not (p := path.with_suffix(f".{n}.jsonl")).exists())
        path.replace(aside)
        log.warning("%s %s; it is %s now, for clinsynth generate import to take them from", path, what, aside)


def read_replies(path: Path) -> Iterator[Reply]:
    """The replies of an output or error file, ``.gz`` or not. Raises ``CorpusError`` with the line number."""
    for number, line in _lines(path):
        custom_id = _text(path, number, line, "custom_id")
        response, error = line.get("response"), line.get("error") or None
        if not {"response", "error"} & line.keys():
            raise CorpusError(
                path, number, "the line has neither a response nor an error",
                "is it a plan? an output file of the Batch API is needed",
            )  # fmt: skip
        response = response if isinstance(response, Mapping) else {}
        body = _object(response.get("body"))
        status = _number(response.get("status_code"))
        if "status_code" not in response and body.get("choices"):  # not every server writes it
            status = 200
        code = ""
        if error is not None:
            code = error_code(error).strip(" ()") or "failed"
        elif not status:
            code = read_answer(body).reason if body else "there is no response"
        elif status != 200:
            code = read_error(status, body).reason
        yield Reply(custom_id, status, body, code, line.get("batch") is not False)


def _object(value: Any) -> Mapping[str, Any]:
    """An object, or the one that a string holds."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}


def _number(status: Any) -> int:
    return int(status) if isinstance(status, int | str) and str(status).isdigit() else 0


def _reply_line(reply: Reply) -> dict[str, Any]:
    return {
        "id": f"batch_req_{reply.custom_id}",
        "custom_id": reply.custom_id,
        "response": {"status_code": reply.status_code, "request_id": "", "body": reply.body}
        if reply.status_code
        else None,
        "error": {"code": reply.error, "message": ""} if reply.error or not reply.status_code else None,
        "batch": reply.batch,
    }


def open_text(path: Path, mode: Literal["r", "w"]) -> TextIO:
    """A text file, compressed if its name ends in ``.gz``; the same text gives the same bytes."""
    if path.suffix != ".gz":
        return path.open(mode, encoding="utf-8", newline="\n")
    packed = gzip.GzipFile(path.name, f"{mode}b", fileobj=path.open(f"{mode}b"), mtime=0)
    return cast(TextIO, io.TextIOWrapper(cast(IO[bytes], packed), encoding="utf-8", newline="\n"))


def _write(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    with open_text(path, "w") as stream:
        for value in values:
            stream.write(json.dumps(value) + "\n")


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        with open_text(path, "r") as stream:
            lines = enumerate(stream, 1)
            first = next(lines, None)
            if first is None:
                raise CorpusError(path, None, "the file is empty", "get it again, or write the plan anew")
            for number, line in chain([first], lines):
                line = line.strip(
                    "\ufeff \t\r\n"
                )  # marks of the byte order, also those of files put together
                if not line:
                    continue
                try:
                    value = json.loads(line, parse_constant=lambda _: None)  # NaN is no JSON
                except ValueError as error:
                    raise CorpusError(
                        path, number, "the line is not JSON", "is the file cut off? get it again"
                    ) from error
                if not isinstance(value, Mapping):
                    raise CorpusError(path, number, "the line is not a JSON object", "get the file again")
                yield number, value
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CorpusError(path, None, f"the file cannot be read ({error})", "get it again") from error


def _text(path: Path, number: int, line: Mapping[str, Any], key: str) -> str:
    value = line.get(key)
    if not isinstance(value, str) or not value:
        raise CorpusError(path, number, f"the line has no {key!r}", "it must be a line of the Batch API")
    return value

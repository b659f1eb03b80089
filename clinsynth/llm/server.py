"""A server of the OpenAI protocol, and one request to it, until there is a reply or a named failure."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

import openai

from clinsynth.llm.budget import estimate
from clinsynth.llm.limits import Gate, Pace
from clinsynth.llm.requests import Reply, Request

log = logging.getLogger("clinsynth")

LONGEST_PAUSE = 300.0  # seconds, whatever a server asks for
FORMS = (
    "json_schema",
    "json_object",
    "none",
)  # of response_format, each for servers that lack the one before
UNSUPPORTED = ("response_format", "json_schema", "json_object")
FATAL = {
    401: "the key is missing or wrong. Remedy: put a valid one into the environment variable {key}",
    403: "the key has no right to this model. Remedy: check the account, or --plan.model",
    404: "the server knows no such model or address. Remedy: check --plan.model and --server.base_url",
}
NO_QUOTA = "the account has no credit left. Remedy: top it up and start again; what is paid for is kept"


@dataclass(frozen=True)
class Server:
    """Where the model is, and how hard to press it.

    Args:
        base_url: Of the API, e.g. http://localhost:8000/v1 for vLLM, llama.cpp or Ollama, or an Azure
            endpoint. Default: OPENAI_BASE_URL, else OpenAI's own.
        api_key_env: The environment variable that holds the key. Local servers need none.
        api_version: Of an Azure endpoint; marks ``base_url`` as one.
        concurrency: Requests under way at the same time.
        requests_per_minute: At most; no limit if not given.
        tokens_per_minute: Of prompts and answers, at most; no limit if not given.
        timeout: Seconds that an answer may take.
        retries: How often a request that failed is repeated before it is given up.
        attempts: Answers paid for a request at most, if they are cut off or refused; 0 asks nothing and
            makes do with the replies that are in the cache.
    """

    base_url: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    api_version: str | None = None
    concurrency: int = 16
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    timeout: float = 300.0
    retries: int = 6
    attempts: int = 2

    def __post_init__(self) -> None:
        for name in ("concurrency", "requests_per_minute", "tokens_per_minute", "timeout"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"'server.{name}' must be above 0, not {value}")
        for name in ("retries", "attempts"):
            if getattr(self, name) < 0:
                raise ValueError(f"'server.{name}' must be 0 or more, not {getattr(self, name)}")


class ServerError(Exception):
    """No further request makes sense; the message says why and what to do."""


def connect(server: Server) -> openai.AsyncOpenAI:
    """A client without retries of its own. Raises ``ValueError`` if a key is needed and not there."""
    key = os.environ.get(server.api_key_env)
    local = server.base_url or os.environ.get("OPENAI_BASE_URL")
    if not key and (not local or server.api_version):
        raise ValueError(
            f"there is no key for the language model. Remedy: put it into the environment variable "
            f"{server.api_key_env}, or name a server that needs none with --server.base_url"
        )
    # a plain http server needs no certificates, which take 30 ms to load; without them https is not trusted
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if (local or "").startswith("http:") else True
    http = openai.DefaultAioHttpClient(verify=plain)
    if server.api_version:
        if not server.base_url:
            raise ValueError("--server.api_version needs the Azure endpoint in --server.base_url")
        return openai.AsyncAzureOpenAI(
            azure_endpoint=server.base_url,
            api_version=server.api_version,
            api_key=key,
            max_retries=0,
            timeout=None,  # ours holds
            http_client=http,
        )
    return openai.AsyncOpenAI(
        base_url=server.base_url, api_key=key or "none", max_retries=0, timeout=None, http_client=http
    )


class Asker:
    """Asks one request at a time for each caller; limits and pauses hold for all callers together."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.form = 0
        self._reached = False
        self._gate = Gate()
        self._requests = Pace(server.requests_per_minute)
        self._tokens = Pace(server.tokens_per_minute)

    async def ask(self, request: Request, client: openai.AsyncOpenAI) -> Reply:
        """A reply, or after the last retry one with an ``error``. Raises ``ServerError``."""
        tries = 0
        while True:
            await self._requests.wait()
            await self._tokens.wait(sum(estimate(request)))
            await self._gate.wait()  # last, as it may have closed in the meantime
            form = self.form
            try:
                async with asyncio.timeout(self.server.timeout):
                    answer = await client.post(
                        "/chat/completions", cast_to=object, body=_formed(request.body, form)
                    )
                if isinstance(answer, str):  # JSON of another content type
                    answer = json.loads(answer)
                if isinstance(answer, Mapping) and isinstance(answer.get("choices"), list):
                    self._reached = True
                    return Reply(request.custom_id, 200, answer)
                status, problem, pause = 200, "the response is no chat completion", None
            except openai.APIStatusError as error:
                status, problem, pause = self._refusal(error, request, form)
                if not problem:
                    continue
                if not _temporary(status):
                    return Reply(request.custom_id, status, {}, problem)
            except TimeoutError:
                status, problem, pause = 0, "no answer in time", None
            except Exception as error:  # whatever the libraries below raise on a broken exchange
                cause = type(error.__cause__ or error).__name__
                status, problem, pause = 0, f"the exchange broke off ({cause})", None
            else:
                self._reached = True
            tries += 1
            if tries > self.server.retries:
                if not self._reached:
                    url = client.base_url
                    raise ServerError(
                        f"{url.host}:{url.port or url.scheme} gave no answer at all: {problem}. "
                        "Remedy: see that the server runs, and check --server.base_url and --server.timeout"
                    )
                return Reply(request.custom_id, status, {}, problem)
            await self._pause(tries, pause)

    def _refusal(
        self, error: openai.APIStatusError, request: Request, form: int
    ) -> tuple[int, str, float | None]:
        """Status, problem (none if it is to be asked at once in another form), and the pause asked for."""
        status, code = error.status_code, _code(error)
        self._reached = True
        if status in FATAL:
            raise ServerError(
                f"the server answered {status}: " + FATAL[status].format(key=self.server.api_key_env)
            )
        if code == "insufficient_quota":
            raise ServerError(NO_QUOTA)
        if status in (400, 422, 500) and _names_the_form(error) and _kind(request.body, form) != "none":
            if self.form == form:
                self.form = max(form, FORMS.index(_kind(request.body, form))) + 1
                log.warning(
                    "the server does not take response_format %s: going on with %s",
                    _kind(request.body, form),
                    FORMS[self.form],
                )
            return status, "", None
        return status, f"status {status}" + (f" ({code})" if code else ""), _retry_after(error)

    async def _pause(self, tries: int, asked: float | None) -> None:
        if asked is not None:
            self._gate.close(min(asked, LONGEST_PAUSE))
            await self._gate.wait()
        # full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter
        # also after a pause that was asked for, or all would come back at once
        await asyncio.sleep(random.uniform(0, min(60.0, 2.0 ** (tries - 1))))


def _temporary(status: int) -> bool:
    return status in (408, 409, 425, 429) or status >= 500


def _kind(body: Mapping[str, Any], form: int) -> str:
    """The response_format that is sent."""
    wanted = (body.get("response_format") or {}).get("type")
    return FORMS[max(form, FORMS.index(wanted))] if wanted in FORMS else "none"


def _formed(body: Mapping[str, Any], form: int) -> dict[str, Any]:
    kind = _kind(body, form)
    if form == 0 or kind == "json_schema":
        return dict(body)
    rest = {key: value for key, value in body.items() if key != "response_format"}
    return rest if kind == "none" else {**rest, "response_format": {"type": kind}}


def _names_the_form(error: openai.APIStatusError) -> bool:
    # not the whole response: some servers repeat the request in it
    body = error.body if isinstance(error.body, Mapping) else {}
    told = [body.get(key) for key in ("message", "param", "code", "detail")]
    text = " ".join(one for one in told if isinstance(one, str)).lower()
    return any(name in text for name in UNSUPPORTED)


def _code(error: openai.APIStatusError) -> str:
    """The server's name for the error; never its message, which may quote text or key."""
    code = error.code or error.type
    return code if isinstance(code, str) and code.replace("_", "").isalnum() and len(code) < 50 else ""


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds to wait, from ``retry-after-ms`` or ``Retry-After`` (RFC 9110, seconds or a date)."""
    headers = error.response.headers
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after")
        if value is None:
            return None
        if value.strip().replace(".", "", 1).isdigit():
            return float(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return None

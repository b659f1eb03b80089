"""One request to a server, until there is a reply or a named failure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from clinsynth.llm.budget import Spending, estimate
from clinsynth.llm.dialect import Dialect
from clinsynth.llm.errors import ServerProblem, read_error, retry_after
from clinsynth.llm.limits import Backoff, RateLimiter
from clinsynth.llm.requests import Reply, Request
from clinsynth.llm.server import Server

if TYPE_CHECKING:
    import openai

NO_CREDIT = "the account has no credit left. Remedy: top it up and start again; what is paid for is kept"
FATAL = {
    401: "the key is missing or wrong. Remedy: put a valid one into the environment variable {key}",
    402: NO_CREDIT,
    403: "the key has no right to this model. Remedy: check the account, or --plan.model",
    404: "the server knows no such model or address. Remedy: check --plan.model and --server.base_url",
}
CONTENT_TYPES = {
    "text/event-stream": "an event stream, though none was asked for",
    "text/html": "a web page, perhaps to sign in",
}
RAW_RESPONSE = "X-Stainless-Raw-Response"
WRONG_BODIES = 3  # tries after which a server that never sent a chat completion is given up


class ServerError(Exception):
    """No further request makes sense; the message says why and what to do."""


class NoJsonError(Exception):
    """A body that is no JSON; the message tells its kind."""


class ChatClient:
    """Asks a server; limits, pauses, costs and what it does not take hold for all callers together."""

    def __init__(self, server: Server, spending: Spending) -> None:
        self.server = server
        self.dialect = Dialect()
        self.backoff = Backoff()
        self._spending = spending
        self._reached = self._completed = False
        self._requests = RateLimiter(server.requests_per_minute)
        self._tokens = RateLimiter(server.tokens_per_minute)

    async def ask(
        self, request: Request, connection: openai.AsyncOpenAI, stopping: Callable[[], bool] = lambda: False
    ) -> Reply | None:
        """A reply, or after the last retry one with an ``error``; ``None`` if it was not sent, or not again.

        Args:
            request: What to ask.
            connection: The connection to the server.
            stopping: Tells whether nothing more is to be sent, and so paid for.

        Raises:
            ServerError: No further request makes sense.
        """
        from openai import APIStatusError  # imported already by what made the connection

        tries = 0
        while True:
            await self._requests.wait(1.0, stopping)
            await self._tokens.wait(sum(estimate(request)), stopping)
            await self.backoff.wait(stopping)  # last, as a pause may have begun in the meantime
            if stopping():
                return None
            sent = self.dialect.body(request.body)
            retries = self.server.retries
            try:
                async with asyncio.timeout(self.server.timeout):
                    answer = await _post(connection, sent)
                reply = Reply(request.custom_id, 200, answer)
                self._reached = True
                if reply.paid or reply.tokens:
                    self._spending.add(request, reply)
                if reply.paid:
                    self._completed = True
                    return reply
                code = read_error(200, answer).code
                problem = ServerProblem(int(code) if code.isdigit() else 500)
                status, reason, pause = 200, reply.reason, None
                if not problem.passing:
                    return Reply(request.custom_id, status, answer, reason)
            except APIStatusError as error:
                problem = read_error(error.status_code, error.body)
                self._reached = True
                self._raise_if_fatal(problem)
                if self.dialect.learns(request.body, sent, problem):
                    continue
                status, reason, pause = problem.status, problem.reason, retry_after(error.response.headers)
                if not problem.passing:
                    return Reply(request.custom_id, status, {}, reason)
            except NoJsonError as error:
                status, reason, pause = 200, str(error), None
                if not self._completed:
                    retries = min(retries, WRONG_BODIES - 1)
            except TimeoutError:
                status, reason, pause = 0, "no answer in time", None
            except Exception as error:  # whatever the libraries below raise on a broken exchange
                cause = type(error.__cause__ or error).__name__
                status, reason, pause = 0, f"the exchange broke off ({cause})", None
            tries += 1
            if tries > retries:
                if not self._reached:
                    url = connection.base_url
                    raise ServerError(
                        f"{url.host}:{url.port or url.scheme} gave no answer of use: {reason}. "
                        "Remedy: see that the server runs, and check --server.base_url and --server.timeout"
                    )
                return Reply(request.custom_id, status, {}, reason)
            await self.backoff.pause(tries, pause)

    def _raise_if_fatal(self, problem: ServerProblem) -> None:
        if problem.code == "insufficient_quota":
            raise ServerError(NO_CREDIT)
        if problem.status in FATAL:
            told = FATAL[problem.status].format(key=self.server.api_key_env)
            raise ServerError(f"the server answered {problem.reason}: {told}")


async def _post(connection: openai.AsyncOpenAI, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The JSON object of the response, whatever its content type says. Raises ``NoJsonError``."""
    # what with_raw_response sends, without the checks of each parameter, which take as long as all the rest
    response: Any = await connection.post(
        "/chat/completions", cast_to=object, body=body, options={"headers": {RAW_RESPONSE: "true"}}
    )
    try:
        answer = json.loads(response.content)
    except ValueError:
        kind = str(response.headers.get("content-type") or "").partition(";")[0].strip().lower()
        if kind in CONTENT_TYPES:
            raise NoJsonError(f"the answer is {CONTENT_TYPES[kind]} ({kind})") from None
        raise NoJsonError("the answer is no JSON, or is cut off") from None
    return answer if isinstance(answer, Mapping) else {}

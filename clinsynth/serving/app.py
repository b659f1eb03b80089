"""The routes, their documentation, and what stands between them and the network."""

from __future__ import annotations

import logging
import time
from importlib import resources
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clinsynth.serving.logs import safe_traceback
from clinsynth.serving.models import (
    ANSWER,
    ERROR,
    EXAMPLES,
    AnswerModel,
    ErrorModel,
    HealthModel,
    RequestModel,
)
from clinsynth.serving.requests import RequestError
from clinsynth.serving.service import Service

log = logging.getLogger(__name__)

PATHS = ("/annotate", "/health", "/metrics", "/docs", "/openapi.json")
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")
# a body that is too large or too slow may never end: nothing more of it is read
HEADERS = {503: {"Retry-After": "1"}, 408: {"Connection": "close"}, 413: {"Connection": "close"}}
CLOSED = 499  # what nginx calls a request whose sender has left
REFERENCE = "#/components/schemas/{model}"
ERRORS = {
    408: "The body took too long to arrive.",
    413: "The body is too large, or has too many documents.",
    415: "The body is not said to be JSON.",
    422: "The body is not as it should be.",
    500: "A fault of the server.",
    503: "Too many requests are under way, or the server is stopping. Retry-After says when to try again.",
}


def build(service: Service) -> FastAPI:
    """The application, to be run by any ASGI server in one process."""
    # the usual pages load scripts from elsewhere, which a hospital's network may not let them
    app = FastAPI(title="clinsynth", version="1", docs_url=None, redoc_url=None)
    app.add_middleware(Watch, service=service)

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> JSONResponse:
        what = {404: f"there are only {', '.join(PATHS)} here", 405: "this path has another method"}
        text = what.get(error.status_code, "the request cannot be answered")
        return JSONResponse({"error": text, "where": ""}, error.status_code, error.headers)

    @app.exception_handler(RequestError)
    async def problem(_: Request, error: RequestError) -> JSONResponse:
        return error_answer(error)

    @app.post(
        "/annotate",
        summary="Annotate texts",
        response_model=AnswerModel,
        responses={
            200: {"content": {"application/json": {"example": ANSWER}}},
            **{
                status: {
                    "model": ErrorModel,
                    "description": what,
                    "content": {"application/json": {"example": ERROR}} if status == 422 else {},
                }
                for status, what in ERRORS.items()
            },
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"$ref": REFERENCE.format(model="RequestModel")},
                        "examples": EXAMPLES,
                    }
                },
            }
        },
    )
    async def annotate(request: Request) -> Response:
        """Finds what the bundle is for in one text or in several, all or none of them."""
        return Response(await service.annotate(request), media_type="application/json")

    @app.get(
        "/health",
        summary="Whether requests are accepted, and what answers them",
        response_model=HealthModel,
        responses={503: {"model": HealthModel, "description": "The server is stopping."}},
    )
    async def health() -> Response:
        return JSONResponse(service.health().model_dump(), 503 if service.stopping else 200)

    @app.get("/metrics", summary="Counters for Prometheus", response_class=Response)
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type=service.metrics.content_type)

    page = (resources.files("clinsynth.serving") / "docs.html").read_text(encoding="utf-8")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page)

    generated = app.openapi

    def openapi() -> dict[str, Any]:
        """FastAPI does not know of the model of a body that a route reads by itself."""
        if app.openapi_schema is None:
            schema = generated()
            _, definitions = models_json_schema([(RequestModel, "validation")], ref_template=REFERENCE)
            schema["components"]["schemas"].update(definitions["$defs"])
        return generated()

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's manual has it
    return app


def error_answer(problem: RequestError) -> JSONResponse:
    """The answer to a request that has a problem."""
    body = {"error": problem.what, "where": problem.where}
    return JSONResponse(body, problem.status, HEADERS.get(problem.status))


class Watch:
    """Logs and counts each request, without its content, and keeps exceptions away from other logs.

    Args:
        app: What is watched.
        service: Whose metrics count.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            status = CLOSED
        except Exception as error:  # a message may hold text: no log but this may have it
            log.error("a request failed: %s", safe_traceback(error))
            if not status:
                await error_answer(RequestError(500, "the server's log says where it failed"))(
                    scope, receive, watched
                )
        seconds = time.perf_counter() - start
        # of what is not known, nothing is repeated: it may be a text in the wrong place
        path = scope["path"] if scope["path"] in PATHS else "other"
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._service.metrics.answered(path, status, seconds)
        log.info("%s %s %d %.0f ms", method, path, status, 1000 * seconds)

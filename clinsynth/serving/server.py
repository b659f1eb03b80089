"""The process that answers over HTTP, from its start to its end."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from types import FrameType

import uvicorn

from clinsynth.serving.app import build
from clinsynth.serving.logs import TextlessFormatter
from clinsynth.serving.service import Limits, Service
from clinsynth_onnx.chain import Chain
from clinsynth_onnx.document import Document

log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 60  # that requests under way may take


class HttpServer(uvicorn.Server):
    """Tells of the signal to stop before it stops."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What happens on SIGTERM and Ctrl-C."""
        self._on_stop()
        super().handle_exit(sig, frame)


def log_to_stderr() -> None:
    """Sends the logs of the process to standard error, without anything of a text."""
    handler = logging.StreamHandler()
    handler.setFormatter(TextlessFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def serve(chain: Chain, limits: Limits, host: str, port: int) -> None:
    """Answers requests until SIGTERM or Ctrl-C, then finishes what it has.

    Args:
        chain: What annotates; is not closed.
        limits: What the server puts up with.
        host: The address to listen on.
        port: The port to listen on; 0 for a free one, which the log names.
    """
    paths = [predictor.bundle.path for predictor in chain.predictors]
    for predictor in chain.predictors:
        log.info("%s: %s, %s", predictor.bundle.path, predictor.bundle.task, predictor.about)
    if not chain.can_relate:
        log.warning("no relation will be found: %s finds no two entities that %s relates", *paths)
    chain([Document("The first run takes longer than others.")])
    service = Service(chain, limits)

    def stop() -> None:
        service.stopping = True

    config = uvicorn.Config(
        build(service),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    # uvicorn raises the signal again once it has stopped; to stop when told is no failure
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    try:
        HttpServer(config, stop).run()
    finally:
        service.close()

"""``clinsynth serve``: annotate over HTTP."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Sequence
from types import FrameType

import uvicorn

from clinsynth.cli.run import run
from clinsynth.serving.app import build
from clinsynth.serving.batcher import places
from clinsynth.serving.service import Limits, Service
from clinsynth_onnx.chain import MAX_PAIR_CHARACTERS, Chain
from clinsynth_onnx.document import Document
from clinsynth_onnx.predictor import Predictor

log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 60  # that requests under way may take


class Formatter(logging.Formatter):
    """Lines without anything of a text: of an exception only its kind and its places.

    Libraries put what they like into messages, so that of others only the place is told.
    """

    OWN = ("clinsynth.", "uvicorn")

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if not record.name.startswith(self.OWN):
            message = f"{record.name}, {record.pathname}:{record.lineno}"
        if record.exc_info and record.exc_info[1]:
            message += f" {places(record.exc_info[1])}"
        return f"{self.formatTime(record)} {record.levelname} {message}"


class Server(uvicorn.Server):
    """Tells of the signal to stop before it stops."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What happens on SIGTERM and Ctrl-C."""
        self._on_stop()
        super().handle_exit(sig, frame)


def serve(
    bundle: str,
    relations: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8080,
    engine: str = "auto",
    variant: str = "auto",
    workers: int | None = None,
    threads: int = 1,
    max_documents: int = 256,
    max_body_bytes: int = 4 << 20,
    max_requests: int = 256,
    max_pair_characters: int = MAX_PAIR_CHARACTERS,
    batch_documents: int = 64,
    batch_characters: int = 65_536,
) -> None:
    """Annotates over HTTP: POST /annotate; GET /docs tells how. Ctrl-C or SIGTERM ends it.

    It has no passwords and no encryption: let a proxy that has both stand before it, wherever others than
    this machine's users can reach it.

    Args:
        bundle: An entity bundle, or a relation bundle if requests bring entities; a folder or zip file.
        relations: A relation bundle for the entities that ``bundle`` finds.
        host: The address to listen on; 0.0.0.0 for all that this machine has.
        port: The port to listen on; 0 for a free one, which the log names.
        engine: onnxruntime, openvino, cuda, or auto for the fastest that is fit.
        variant: A network of the bundle, or auto.
        workers: Runs at the same time; by default one for each core that ``threads`` leaves.
        threads: Cores of one run.
        max_documents: Documents of a request at most.
        max_body_bytes: Bytes of a request at most.
        max_requests: Requests read, queued and computed at the same time; further ones get 503.
        max_pair_characters: For relations: candidate pairs of a text, times its characters and 512 more, at
            most.
        batch_documents: Documents computed together at most, unless one request has more.
        batch_characters: Characters computed together at most, unless one request has more.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    limits = Limits(max_documents, max_body_bytes, max_requests, batch_documents, batch_characters)
    names = [bundle] if relations is None else [bundle, relations]
    predictors = [
        Predictor.load(name, engine=engine, variant=variant, workers=workers, threads=threads)
        for name in names
    ]
    chain = Chain(predictors[0], predictors[1] if relations is not None else None, max_pair_characters)
    for predictor in chain.predictors:
        log.info("%s: %s, %s", predictor.bundle.path, predictor.bundle.task, predictor.about)
    if not chain.can_relate:
        log.warning("no relation will be found: %s finds no two entities that %s relates", *names)
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
        Server(config, stop).run()
    finally:
        service.close()
        for predictor in predictors:
            predictor.close()


def main(arguments: Sequence[str]) -> None:
    """Runs the command."""
    run(serve, arguments, "clinsynth serve")

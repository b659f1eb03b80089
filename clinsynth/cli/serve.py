"""``clinsynth serve``: annotate over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from clinsynth.cli.run import run
from clinsynth.serving import server
from clinsynth.serving.service import Limits
from clinsynth_onnx.chain import MAX_PAIR_CHARACTERS, Chain
from clinsynth_onnx.engines import EngineChoice


def serve(
    bundle: str,
    relations: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8080,
    engine: EngineChoice = "auto",
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
        host: Address to listen on; 0.0.0.0 for all that this machine has.
        port: Port to listen on; 0 for a free one, which the log names.
        engine: Engine that computes the network; auto for the fastest that is installed and fit.
        variant: Network of the bundle, e.g. fp32 or int8; auto for the fastest that is fit.
        workers: Runs of the network at the same time; by default one for each core that ``threads`` leaves.
        threads: Cores of one run of the network.
        max_documents: Documents of a request at most.
        max_body_bytes: Bytes of a request at most.
        max_requests: Requests read, queued and computed at the same time; further ones get 503.
        max_pair_characters: For relations: candidate pairs of a text, times its characters and 512 more, at
            most.
        batch_documents: Documents computed together at most, unless one request has more.
        batch_characters: Characters computed together at most, unless one request has more.
    """
    server.log_to_stderr()
    limits = Limits(max_documents, max_body_bytes, max_requests, batch_documents, batch_characters)
    with Chain.load(
        bundle,
        relations,
        engine=engine,
        variant=variant,
        workers=workers,
        threads=threads,
        max_pair_characters=max_pair_characters,
    ) as chain:
        server.serve(chain, limits, host, port)


def main(arguments: Sequence[str]) -> None:
    """Runs the command."""
    run(serve, arguments, "clinsynth serve")

"""A server of the OpenAI protocol: where it is, and a connection to it."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass

import openai


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
        attempts: Answers paid for a request at most, if they are cut off, refused or hold nothing.
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
        for name in ("concurrency", "requests_per_minute", "tokens_per_minute", "timeout", "attempts"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"'server.{name}' must be above 0, not {value}")
        if self.retries < 0:
            raise ValueError(f"'server.retries' must be 0 or more, not {self.retries}")


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

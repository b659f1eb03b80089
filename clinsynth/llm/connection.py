"""A connection to a server of the OpenAI protocol. Only what asks imports it: openai takes half a second."""

from __future__ import annotations

import os
import ssl

import openai

from clinsynth.llm.server import Server


def connect(server: Server) -> openai.AsyncOpenAI:
    """A client without retries of its own.

    Raises:
        ValueError: A key is needed and not there, or the address is none.
    """
    try:
        return _client(server)
    except Exception as error:
        if type(error).__name__ != "InvalidURL":  # of a library below that openai does not name
            raise
        raise ValueError(
            "the address of the language model is none. Remedy: see --server.base_url and OPENAI_BASE_URL; "
            "http://localhost:8000/v1 would be one"
        ) from None


def _client(server: Server) -> openai.AsyncOpenAI:
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

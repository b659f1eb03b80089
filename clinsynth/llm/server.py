"""A server of the OpenAI protocol: where it is, and how hard to press it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Server:
    """Where the model is, and how hard to press it.

    Args:
        base_url: Address of the API, e.g. http://localhost:8000/v1 for vLLM, llama.cpp or Ollama, or an Azure
            endpoint. Default: OPENAI_BASE_URL, else OpenAI's own.
        api_key_env: The environment variable that holds the key. Local servers need none.
        api_version: Version of the API at an Azure endpoint; marks ``base_url`` as one.
        concurrency: Requests under way at the same time.
        requests_per_minute: Requests a minute at most; no limit if not given.
        tokens_per_minute: Tokens of prompts and answers a minute at most; no limit if not given.
        timeout: Seconds that an answer may take.
        retries: Repetitions of a request that failed before it is given up.
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
                instead = ". Remedy: --replay asks nothing" if name == "attempts" else ""
                raise ValueError(f"'server.{name}' must be above 0, not {value}{instead}")
        if self.retries < 0:
            raise ValueError(f"'server.retries' must be 0 or more, not {self.retries}")

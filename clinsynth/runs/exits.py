"""Exit codes of commands, beside 0 for success and 1 for an error that stopped them."""

from __future__ import annotations

INCOMPLETE = 3  # the output is written, and something is missing from it: bad rows, requests without a reply
INTERRUPTED = 130  # stopped by Ctrl-C (128 + SIGINT, as shells count); start again to go on

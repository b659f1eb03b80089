"""Logs without anything of a text."""

from __future__ import annotations

import logging
from traceback import extract_tb


class TextlessFormatter(logging.Formatter):
    """Lines without anything of a text: of an exception only its kind and where it came up.

    Libraries put what they like into messages, so that of others only the place is told.
    """

    TRUSTED = ("clinsynth.", "uvicorn")

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if not record.name.startswith(self.TRUSTED):
            message = f"{record.name}, {record.pathname}:{record.lineno}"
        if record.exc_info and record.exc_info[1]:
            message += f" {safe_traceback(record.exc_info[1])}"
        return f"{self.formatTime(record)} {record.levelname} {message}"


def safe_traceback(error: BaseException) -> str:
    """What kind of error it is and where it came up, but not its message, which may hold text."""
    frames = extract_tb(error.__traceback__)
    return " < ".join([type(error).__name__, *(f"{f.filename}:{f.lineno}" for f in reversed(frames))])

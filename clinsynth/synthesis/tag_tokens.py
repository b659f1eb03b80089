"""What in a text is not plain text: tags, what looks like a tag, masks, character references."""

from __future__ import annotations

import re
from functools import lru_cache

UNTAGGABLE = re.compile(r"[^\w\s.+:'/-]|^\W|/$")


@lru_cache(maxsize=64)
def tag_tokens(labels: tuple[str, ...]) -> re.Pattern[str]:
    """All that is not plain text: tags of these and other labels, what looks like one, masks, references.

    No two quantifiers in a row can take the same characters, so that matching is linear.
    """
    for label in labels:
        if UNTAGGABLE.search(label):
            raise ValueError(
                f"the entity label {label!r} cannot be the name of a tag. "
                "Remedy: use letters, digits, spaces, '_' and '-'"
            )
    words = (re.split(r"[\s_-]+", label) for label in sorted(labels, key=len, reverse=True))
    known = "|".join(r"[\s_-]+".join(map(re.escape, parts)) for parts in words) or "(?!)"
    value = """(?:"[^"<>]*"|'[^'<>]*'|&quot;[^&<>]*&quot;|[^\\s"'<>/&]+)"""

    def tag(less: str, name: str, more: str, number: int) -> str:
        attributes = rf"(?P<a{number}>(?:\s+[\w:-]+\s*=\s*{value})*)"
        return rf"{less}\s*(?:(?P<c{number}>/)\s*)?{name}{attributes}\s*(?:(?P<e{number}>/)\s*)?{more}"

    return re.compile(
        "|".join(
            [
                tag("(?:<|&lt;)", f"(?P<known>{known})", "(?:>|&gt;)", 1),
                tag("<", r"(?P<name>[^\W\d_][\w.:-]*)", ">", 2),
                rf"(?P<malformed></|<!--|(?:<|&lt;)/?(?:{known})(?!\w)|\[/?(?:{known})\])",
                rf"@(?P<mask>{known})\$",
                r"&(?P<reference>\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});",
            ]
        ),
        re.IGNORECASE,
    )

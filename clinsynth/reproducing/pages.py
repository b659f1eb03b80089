"""Tables in Markdown pages: between two marks, so that no figure is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping

BLOCK = re.compile(r"(<!-- table: (?P<name>[a-z ]+) -->\n).*?(<!-- end of table -->)", re.S)


def fill(page: str, tables: Mapping[str, str]) -> str:
    """The page with each marked block replaced by its table.

    Args:
        page: Markdown with blocks that begin with ``<!-- table: NAME -->`` and end with
            ``<!-- end of table -->``.
        tables: Tables by name.

    Raises:
        ValueError: A block names a table that there is not.
    """

    def table(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in tables:
            raise ValueError(f"there is no table {name!r}. The tables are {', '.join(tables)}")
        return f"{match[1]}\n{tables[name]}\n\n{match[3]}"

    return BLOCK.sub(table, page)

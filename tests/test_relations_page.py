"""The example of docs/relations.md works as it stands."""

from __future__ import annotations

import contextlib
import io
import re

from tests.conftest import REPOSITORY


def test_the_report_of_the_page_is_read_as_it_says() -> None:
    page = (REPOSITORY / "docs" / "relations.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    for code, shown in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        assert printed.getvalue() == shown

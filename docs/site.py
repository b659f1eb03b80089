"""What mkdocs has to know beyond ``docs/``: pages that live elsewhere, and links that leave the folder."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
ELSEWHERE = {"export/README.md": "bundles.md", "CHANGELOG.md": "changelog.md"}
LINK = re.compile(r"\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")
CODE = re.compile(r"(```.*?```)", re.S)


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that have their home beside what they are about."""
    for source, page in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links to files of the repository become their paths; those to pages that live elsewhere stay links."""
    home = PurePosixPath(
        *{page: source for source, page in ELSEWHERE.items()}.get(page.file.src_uri, "").split("/")
    )
    folder = home.parent if home.name else PurePosixPath("docs") / PurePosixPath(page.file.src_uri).parent
    parts = CODE.split(markdown)
    parts[::2] = [
        LINK.sub(lambda match: _link(match, folder, page.file.src_uri), part) for part in parts[::2]
    ]
    return "".join(parts)


def _link(match: re.Match[str], folder: PurePosixPath, page: str) -> str:
    text, target, anchor = match[1], match[2], match[3] or ""
    if "://" in target or target.startswith("mailto:"):
        return match[0]
    path = (ROOT / folder / target).resolve()
    if not path.exists() and path.name not in ELSEWHERE.values():
        raise PluginError(f"{page}: there is no {target} that it links to")
    inside = path.relative_to(ROOT).as_posix()
    if inside in ELSEWHERE:
        return f"[{text}]({ELSEWHERE[inside]}{anchor})"
    if inside.startswith("docs/") and not inside.startswith("docs/example"):
        return f"[{text}]({inside.removeprefix('docs/')}{anchor})"
    return f"`{inside}`"

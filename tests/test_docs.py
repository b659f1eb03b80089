"""Pages say what is so: tables are those of the results file, quoted messages exist, the site is whole."""

from __future__ import annotations

import ast
import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from jsonargparse import ArgumentParser

from clinsynth.cli.reproduce import reproduce
from clinsynth.reproducing import results
from clinsynth.reproducing.output import all_tables
from clinsynth.reproducing.pages import BLOCK, fill
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
RECORD = DOCS / "figures" / "reproduce.json"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SHOWN = ("index", "tutorial", "results", "api", "faq")
PAGES = [REPOSITORY / "README.md", *sorted(DOCS.glob("*.md"))]


@pytest.fixture(scope="module")
def tables() -> Mapping[str, str]:
    """All tables of the shipped results and the shipped plan."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--config", action="config")
    parser.add_function_arguments(reproduce)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        plan = parser.instantiate(parser.parse_args(["--config", "configs/reproduce/paper.yaml"]))
        return all_tables(results.read(RECORD), plan.corpora, plan.rows)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if BLOCK.search(page.read_text("utf-8"))], ids=lambda p: p.name
)
def test_tables_are_those_of_the_results_file(page: Path, tables: Mapping[str, str]) -> None:
    text = page.read_text(encoding="utf-8")
    assert fill(text, tables) == text, "clinsynth reproduce --record ... --pages ... writes them"


def test_the_readme_has_the_table_and_every_measured_row_has_its_commands(tables: Mapping[str, str]) -> None:
    assert "<!-- table: reproduce -->" in (REPOSITORY / "README.md").read_text(encoding="utf-8")
    for line in results.read(RECORD):
        assert line.commands and all(command.startswith("clinsynth ") for command in line.commands)
        assert line.code and line.date and line.scores
        assert "/root" not in " ".join(line.commands) and "/home" not in " ".join(line.commands)


def messages() -> str:
    """All texts in the sources, with {} for what is put into them."""
    found = []
    for folder in (REPOSITORY / "clinsynth", REPOSITORY / "export" / "clinsynth_onnx"):
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = [str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values]
                    found.append("".join(parts))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
    return re.sub(r"\{!r\}|\{\w+\}", "{}", "\n".join(found))


def test_every_message_that_the_questions_quote_is_one() -> None:
    headings = re.findall(r"^### (.*)$", (DOCS / "faq.md").read_text(encoding="utf-8"), re.MULTILINE)
    quoted = [heading for heading in headings if not heading[0].isupper()]
    known = messages()
    assert len(quoted) > 10
    assert [heading for heading in quoted if heading not in known] == []


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder without a log."""

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Links(HTMLParser):
    """What a page loads, and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "img", "iframe", "source"):
            self.loaded.append(given.get("src") or "")
        if tag == "link" and given.get("rel") in ("stylesheet", "icon", "preconnect", "preload"):
            self.loaded.append(given.get("href") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly where no network can be reached."""
    pytest.importorskip("mkdocs", reason="pip install 'clinsynth[docs]'")
    folder = tmp_path_factory.mktemp("site")
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", **nowhere},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_is_whole_and_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    named = set(re.findall(r"(\w+)\.md$", (REPOSITORY / "mkdocs.yml").read_text("utf-8"), re.MULTILINE))
    assert {page.stem for page in pages} >= named and len(named) > 15
    for page in pages:
        links = Links()
        links.feed(page.read_text(encoding="utf-8"))
        assert [url for url in links.loaded if re.match(r"(https?:)?//", url)] == [], page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?https?:|@import", sheet.read_text(encoding="utf-8")), sheet.name
    assert "clinsynth_onnx.predictor.Predictor" in (site / "api.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_site_in_a_browser(site: Path, tmp_path: Path) -> None:
    """No errors, nothing asked of another server, accessible, and no page scrolls sideways on a phone."""
    sync_api = pytest.importorskip("playwright.sync_api")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    place = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if place is None:
        pytest.skip(f"no browser: install one of {', '.join(BROWSERS)}")
    handler = partial(QuietHandler, directory=str(site))
    shots = Path(os.environ.get("CLINSYNTH_SCREENSHOTS", tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_api.sync_playwright() as playwright:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        browser = playwright.chromium.launch(executable_path=place)
        for (scheme, width), name in itertools.product((("light", 1280), ("dark", 390)), SHOWN):
            tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            told: list[str] = []
            asked: list[str] = []
            tab.on("console", lambda message, told=told: told.append(message.text))
            tab.on("pageerror", lambda error, told=told: told.append(str(error)))
            tab.on("request", lambda request, asked=asked: asked.append(request.url))
            tab.goto(f"{address}/{name}.html", wait_until="networkidle")
            assert told == [], name
            assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == [], name
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert tab.evaluate(wider) == 0, name
            found = axe.Axe().run(tab).response["violations"]
            serious = [each for each in found if each["impact"] in ("serious", "critical")]
            assert [(each["id"], each["nodes"][0]["html"]) for each in serious] == [], (name, scheme)
            tab.screenshot(path=str(shots / f"docs-{name}-{scheme}-{width}.png"))
            tab.close()
        browser.close()
        server.shutdown()


def test_every_page_is_in_the_navigation() -> None:
    class Loader(yaml.SafeLoader):
        """Passes over what only mkdocs knows."""

    Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)
    shown = str(yaml.load((REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8"), Loader)["nav"])
    assert [page.name for page in DOCS.glob("*.md") if f"'{page.name}'" not in shown] == []

"""The page in a browser: nothing asked of a network, no errors, accessible, on a desk and on a phone."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from clinsynth.reporting.inputs import open_input
from clinsynth.reporting.page import write
from tests.clinsynth.reporting.folders import PHRASE, write_corpus, write_run

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SERIOUS = ("serious", "critical")
# where screenshots are left for a person to look at
SHOTS = os.environ.get("CLINSYNTH_SCREENSHOTS")


@pytest.fixture
def page(tmp_path: Path, tiny_bundle: Path) -> Path:
    """A page with all that a page can have."""
    runs = [write_run(tmp_path / "letters" / "1"), write_run(tmp_path / "letters" / "2", epochs=5)]
    parts = [*runs, tiny_bundle, write_corpus(tmp_path / "corpus")]
    write(tmp_path / "page.html", [open_input(part) for part in parts], show_text=True)
    return tmp_path / "page.html"


@pytest.mark.slow
def test_the_page_in_a_browser(page: Path, tmp_path: Path) -> None:
    """One test, since to start a browser takes longer than all that is asked of it."""
    place = next((path for name in NAMES if (path := shutil.which(name))), None)
    if place is None:
        pytest.skip(f"no browser: install one of {', '.join(NAMES)}")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=place)
        for scheme, width in itertools.product(("light", "dark"), (1280, 390)):
            looks_right(browser, page, scheme, width, Path(SHOTS or tmp_path))
        filters_by_keyboard(browser, page)
        browser.close()


def looks_right(browser: Any, page: Path, scheme: str, width: int, shots: Path) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    told: list[str] = []
    tab.on("console", lambda message: told.append(message.text))
    tab.on("pageerror", lambda error: told.append(str(error)))
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    assert told == []
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert tab.evaluate(wider) == 0, "the page itself does not scroll sideways"
    if (scheme, width) in (("light", 1280), ("dark", 390)):  # each colour and each layout once
        found = axe.Axe().run(tab).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in SERIOUS] == []
    shot = shots / f"report-{scheme}-{width}.png"
    tab.screenshot(path=str(shot), full_page=True)
    assert shot.stat().st_size > 50_000
    tab.close()


def filters_by_keyboard(browser: Any, page: Path) -> None:
    tab = browser.new_page()
    tab.goto(page.as_uri())
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    viewer = tab.locator(".viewer").first
    assert viewer.locator("output").text_content() == "2 of 2 documents"
    viewer.locator("input[value='wrong label']").focus()
    tab.keyboard.press("Space")
    assert viewer.locator("output").text_content() == "1 of 2 documents"
    assert PHRASE in viewer.locator("article:visible").text_content()
    viewer.locator("select").select_option("Drug")
    assert viewer.locator("output").text_content() == "1 of 2 documents"
    viewer.locator("input[type=search]").fill("ataxia")
    assert viewer.locator("output").text_content() == "0 of 2 documents"
    tab.close()

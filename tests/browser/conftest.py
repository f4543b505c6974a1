"""A real browser: the system's Chromium without a window, driven by Playwright."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_MS = 60_000.0
WINDOW = {"width": 1500, "height": 1100}  # pixels
_SHOWS = "words => words.every(word => (document.body?.innerText ?? '').includes(word))"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        # Root has no sandbox of its own user, and containers have a small /dev/shm.
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A window of its own."""
    context = chromium.new_context(viewport=WINDOW)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def shows(page: Page) -> Callable[..., str]:
    """Waits until the page shows all of the words; gives its text."""

    def wait(*words: str) -> str:
        try:
            page.wait_for_function(_SHOWS, arg=list(words))
        except PlaywrightError as error:
            raise AssertionError(f"waited for {words}, found:\n{page.inner_text('body')}") from error
        return page.inner_text("body")

    return wait

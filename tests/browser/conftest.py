"""A browser, a simulator of one's own, and a small application that it telephones with.

Runs only with ``make browser``: these tests need a real Chromium.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser_desk import CHROMIUM, Simulator, free_port
from line_app import LineApp
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A microphone that beeps, and nobody to be asked whether it may be used.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives a page in a real browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def line() -> Iterator[LineApp]:
    """The application behind the telephone line, on a port of its own."""
    port = free_port()
    app = LineApp(f"http://127.0.0.1:{port}")
    server = make_server("127.0.0.1", port, app.flask, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield app
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def simulator(tmp_path: Path, line: LineApp, browser: Browser) -> Iterator[Simulator]:
    simulator = Simulator(tmp_path)
    simulator.start()
    simulator.plug_in(line)
    yield simulator
    simulator.stop()


@pytest.fixture
def page(browser: Browser, simulator: Simulator) -> Iterator[Page]:
    """The phones page, open. What it writes to the browser's console as an error fails the test."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(15_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(simulator.base)
    page.get_by_text("Connected", exact=True).wait_for()
    yield page
    page.close()
    assert errors == []

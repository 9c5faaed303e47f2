"""Fixtures of the dashboard's tests: a server with something to show, and a headless Chromium that notes whatever goes
wrong."""
import os
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.lib import servers
from .seed import Seed

SCREENSHOTS = Path(os.environ.get("CI_ARTIFACTS", servers.ROOT / "build")) / "screenshots"
# The dashboard's own slips, which both servers answer alike: its pages of work queues ask for the pools, which are off
# unless a flag turns them on, and the pages of a run and of a deployment may ask once more as they are left, when they
# no longer know which.
SLIPS = {"/api/experimental/work_pools/filter": 404, "/api/flow_runs/undefined": 422,
         "/api/deployments/undefined": 422}


def pytest_collection_modifyitems(config, items):
    """In the browser the reference is asked only on request (--server reference), to see that the tests are right: it
    takes minutes."""
    if config.getoption("--server") == "both":
        items[:] = [item for item in items if "page" not in item.fixturenames
                    or item.callspec.params["server"].kind != "reference"]


@pytest.fixture(scope="session")
def server(request):
    """As for every suite, but that the reference must be told where its dashboard finds it: by itself it says port
    4200."""
    (kind, engine), port = request.param, servers.free_port()
    settings = {"PREFECT_ORION_UI_API_URL": f"http://127.0.0.1:{port}/api"} if kind == "reference" else {}
    with servers.running(kind, port=port, database=engine, **settings) as running:
        yield running


@pytest.fixture(scope="session")
def seed(server):
    return Seed(server.url)


@pytest.fixture(scope="session")
def browser():
    program = shutil.which("chromium")
    assert program, "There is no chromium: tools/setup test installs it."
    expect.set_options(timeout=15000)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


class Watch:
    """Collects a page's console errors and failed requests. What lies outside the server (pictures) is answered here,
    with nothing."""

    def __init__(self, page, root):
        self.page, self.root = page, root
        self.problems, self.answers = [], []
        page.route("**/*", self.route)
        page.on("console", self.on_console)
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        page.on("requestfailed", self.on_failed)
        page.on("response", self.on_response)

    def route(self, route):
        if route.request.url.startswith(self.root):
            route.continue_()
        else:
            route.fulfill(status=204)

    def slipped(self):
        return any(SLIPS.get(path) == status for _, path, status in self.answers)

    def on_console(self, message):
        if message.type != "error":
            return
        own = message.location["url"].removeprefix(self.root) in SLIPS \
            or re.fullmatch(r"\w{1,2}|AxiosError.*", message.text)
        if not (own and self.slipped()):
            self.problems.append(f"console: {message.text} ({message.location['url']})")

    def on_failed(self, request):
        if request.failure != "net::ERR_ABORTED":  # what a page no longer wants once it is left
            self.problems.append(f"request: {request.method} {request.url}: {request.failure}")

    def on_response(self, response):
        path = response.url.removeprefix(self.root)
        self.answers.append((response.request.method, path, response.status))
        if response.status >= 400 and SLIPS.get(path) != response.status:
            self.problems.append(f"answer: {response.request.method} {path}: {response.status}")


@pytest.fixture(scope="session")
def context(browser, server):
    """One for all tests, so that a browser's cache is filled and used as in life."""
    context = browser.new_context(base_url=server.root, viewport={"width": 1400, "height": 1000}, locale="en-US",
                                  timezone_id="UTC")
    context.set_default_timeout(15000)
    yield context
    context.close()


@pytest.fixture
def page(request, context, server, seed):
    """A page of the dashboard; the test fails if anything went wrong in it, and leaves a picture of its end."""
    page = context.new_page()
    watch = page.watch = Watch(page, server.root)
    yield page
    folder = SCREENSHOTS / str(servers.Which(server.kind, server.engine))
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{request.node.originalname}.png")
    page.close()
    assert not watch.problems

"""The stock dashboard in a browser behind ORION_AUTH_STRING. Ours only: the reference asks for nothing."""
import httpx
import pytest
from playwright.sync_api import Error, expect

from tests.lib import servers
from .conftest import Watch

USER, PASSWORD = "ann", "open:sesame"


@pytest.fixture(scope="module")
def guarded():
    with servers.running("orion", ORION_AUTH_STRING=f"{USER}:{PASSWORD}") as server:
        with httpx.Client(base_url=server.url, auth=(USER, PASSWORD), trust_env=False) as http:
            flow = http.post("/flows/", json={"name": "guarded-flow"}).json()["id"]
            http.post("/flow_runs/", json={"flow_id": flow, "name": "guarded-run"})
        yield server


@pytest.fixture
def signed_in(browser, guarded):
    """A page of somebody who has answered the browser's dialog."""
    context = browser.new_context(base_url=guarded.root, http_credentials={"username": USER, "password": PASSWORD},
                                  viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.watch = Watch(page, guarded.root)
    yield page
    context.close()
    assert not page.watch.problems


def test_pages_are_shown_and_change_things(signed_in, guarded):
    signed_in.goto("/flow-runs")
    expect(signed_in.get_by_role("link", name="guarded-run")).to_be_visible(timeout=15000)
    signed_in.goto("/concurrency-limits")
    with signed_in.expect_response(lambda answer: answer.url.endswith("/concurrency_limits/filter")) as caught:
        signed_in.reload()
    assert caught.value.status == 200
    written = signed_in.evaluate(
        "async url => (await fetch(url, {method: 'POST', headers: {'Content-Type': 'application/json'},"
        " body: '{\"name\": \"by-page\"}'})).status", f"{guarded.url}/flows/")
    assert written == 201


def test_the_description_is_shown(signed_in):
    signed_in.goto("/docs")
    signed_in.wait_for_selector(".operation", timeout=15000)


@pytest.mark.parametrize("path", ["/", "/flow-runs", "/docs"])
def test_a_browser_asks_before_it_shows_anything(browser, guarded, path):
    """Headless, nobody answers its dialog, and a page that was refused without one would be shown."""
    context = browser.new_context(base_url=guarded.root)
    with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
        context.new_page().goto(path)
    context.close()


def test_a_wrong_password_shows_nothing(browser, guarded):
    context = browser.new_context(base_url=guarded.root, http_credentials={"username": USER, "password": "guessed"})
    page = context.new_page()
    assert page.goto("/").status == 401 and page.locator("#app").count() == 0
    context.close()

"""The dashboard and /docs below a path, behind nginx as docs/access.md configures it, which takes the path off or not.
Every page is opened once, so this is also where the Content-Security-Policy proves itself. Ours only."""
import contextlib

import pytest
from playwright.sync_api import expect

from tests.lib import proxies, servers
from tests.lib.postgres import free_port

from .conftest import Watch
from .seed import Seed

VIOLATIONS = """addEventListener("securitypolicyviolation", event =>
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"""


class Site:
    """Orion at the URL `root`, and with something to show, which was made through nginx too."""

    def __init__(self, port, seed=None):
        self.host = f"http://127.0.0.1:{port}"
        self.root = f"{self.host}/prefect"
        self.seed = seed or Seed(f"{self.root}/api")


@contextlib.contextmanager
def sites():
    """Two for one server: nginx takes the path off, and passes it on."""
    ports = [free_port(), free_port()]
    settings = {"PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS": "true", "PREFECT_EXPERIMENTAL_ENABLE_WORKERS": "true"}
    with servers.running("orion", ORION_ALLOWED_HOSTS="", ORION_CORS_ORIGINS="", **settings) as server, \
            proxies.nginx(*(proxies.nginx_below(server, port, port == ports[0]) for port in ports)):
        first = Site(ports[0])
        yield {"stripped": first, "passed-on": Site(ports[1], first.seed)}


@pytest.fixture(scope="module")
def both():
    with sites() as running:
        yield running


@pytest.fixture(params=["stripped", "passed-on"])
def public(request, both):
    return both[request.param]


@pytest.fixture
def view(browser, public):
    """It fails the test if anything goes wrong in it, or if it asks for what is not below the path."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, locale="en-US", timezone_id="UTC")
    context.add_init_script(VIOLATIONS)
    context.set_default_timeout(15000)
    page = context.new_page()
    watch, elsewhere = Watch(page, public.root), []
    page.watch = watch
    page.on("request", lambda request: elsewhere.append(request.url)
            if request.url.startswith(public.host) and not request.url.startswith(f"{public.root}/") else None)
    yield page
    context.close()
    assert (watch.problems, elsewhere) == ([], [])


def test_walk(view, public):
    view.goto(f"{public.root}/")
    expect(view).to_have_url(f"{public.root}/flow-runs")
    expect(view.get_by_text("6 Flow runs")).to_be_visible()
    icon = view.locator("#favicon-32").get_attribute("href")
    assert icon.startswith("/prefect/ico/") and view.request.get(public.host + icon).ok
    view.get_by_role("link", name="run-by-client").first.click()
    expect(view).to_have_url(f"{public.root}/flow-runs/flow-run/{public.seed.client_run['id']}")
    expect(view.get_by_text("The flow has begun")).to_be_visible()
    view.reload()
    expect(view.get_by_text("The flow has begun")).to_be_visible()
    view.get_by_role("link", name="Deployments").first.click()
    expect(view).to_have_url(f"{public.root}/deployments")
    expect(view.get_by_role("link", name="every-night").first).to_be_visible()


def test_docs(view, public):
    view.goto(f"{public.root}/docs")
    card = view.locator("#read_version_admin_version_get")
    expect(card.locator(".path")).to_have_text("/prefect/api/admin/version")
    card.locator("> summary").click()
    card.get_by_role("button", name="Send").click()
    expect(card.get_by_text("200 OK")).to_be_visible()
    expect(card.locator("pre")).to_contain_text("2.7.12")


def every_page(seed):
    """Path -> a text on the page, by the bundle's own table of routes."""
    run, flow, block = seed.client_run["id"], seed.flow["id"], seed.block["id"]
    task = seed.post("/task_runs/filter", {}, 200)[0]["id"]
    queue, deployment = seed.queue["id"], seed.deployment["id"]
    seed.post("/experimental/work_pools/", {"name": "pool", "type": "process"})
    return {
        "/flow-runs": "Flow runs", f"/flow-runs/flow-run/{run}": "Flow Run ID",
        f"/flow-runs/flow-run/{run}/radar": "seeded-by-client", f"/flow-runs/task-run/{task}": "Task Run ID",
        "/flows": "nightly-report", f"/flows/flow/{flow}": "nightly-report", "/deployments": "every-night",
        f"/deployments/deployment/{deployment}": "Deployment ID",
        f"/deployments/deployment/{deployment}/edit": "Edit",
        f"/deployments/deployment/{deployment}/run": "Retry Delay",
        "/work-queues/create": "Create", f"/work-queues/work-queue/{queue}": "night-queue",
        f"/work-queues/work-queue/{queue}/edit": "Edit", "/blocks": "night-channel", "/blocks/catalog": "Slack Webhook",
        "/blocks/catalog/string": "String", "/blocks/catalog/string/create": "Block Name",
        f"/blocks/block/{block}": "night-channel", f"/blocks/block/{block}/edit": "Edit",
        "/notifications": "nightly", "/notifications/create": "Slack Webhook",
        f"/notifications/{seed.policy['id']}/edit": "Edit", "/concurrency-limits": "Slots",
        f"/concurrency-limits/concurrency-limit/{seed.limit['id']}": seed.limit["id"],
        "/work-pools": "pool", "/work-pools/create": "Create", "/work-pools/work-pool/pool": "pool",
        "/work-pools/work-pool/pool/edit": "Edit", "/work-pools/work-pool/pool/queue/default": "default",
        "/work-pools/work-pool/pool/queue/create": "Create", "/work-pools/work-pool/pool/queue/default/edit": "Edit",
        "/settings": "PREFECT_HOME", "/no/such/page": "Page not found",
    }


# As a link would do it, without loading all the dashboard again.
GO = """path => { history.pushState({}, "", path); dispatchEvent(new PopStateEvent("popstate", { state: {} })) }"""


@pytest.mark.parametrize("public", ["stripped"], indirect=True)
def test_no_page_breaks_the_policy(view, public):
    view.goto(f"{public.root}/")
    for path, text in every_page(public.seed).items():
        view.evaluate(GO, f"/prefect{path}")
        expect(view.get_by_text(text).locator("visible=true").first, path).to_be_visible()
    view.goto(f"{public.root}/flow-runs/flow-run/{public.seed.client_run['id']}")
    expect(view.locator("canvas").first).to_be_visible()
    # A page that is left before it is drawn looks for what is not there yet, with any policy.
    view.watch.problems[:] = [problem for problem in view.watch.problems if "TypeError" not in problem]

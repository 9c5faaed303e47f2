"""The dashboard in a browser, page by page, on both servers: what it shows, and what it changes. conftest.py sees to it
that no page has an error in its console or a request that fails."""
import base64
import time

from playwright.sync_api import expect

from .seed import SECRET


def choose(page, shown, option):
    """Opens the list that shows a text and takes one of its options."""
    page.locator(".p-select-button, .p-combobox, .p-select").filter(has_text=shown).first.click()
    page.locator(".p-select-option, .p-combobox-option").get_by_text(option, exact=True).first.click()
    page.keyboard.press("Escape")


def field(scope, label):
    """The input below a label, which the dashboard does not tie together."""
    return scope.locator(".p-label").filter(has_text=label).locator("input").first


def count_colours(page, canvas):
    """Of what the browser shows: WebGL keeps no pixels that a script could read."""
    picture = base64.b64encode(canvas.screenshot()).decode()
    return page.evaluate("""async picture => {
        const image = new Image(); image.src = "data:image/png;base64," + picture; await image.decode()
        const canvas = document.createElement("canvas"); canvas.width = image.width; canvas.height = image.height
        const context = canvas.getContext("2d"); context.drawImage(image, 0, 0)
        return new Set(new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer)).size }""",
                         picture)


def click_answered(page, locator, method, ending):
    """Clicks, and waits for the answer to the request that it leads to."""
    with page.expect_response(lambda answer: answer.request.method == method and ending in answer.url) as caught:
        locator.click()
    assert caught.value.ok
    return caught.value


# ---- flow runs ----


def test_start(page, seed):
    page.goto("/")
    expect(page.get_by_text("6 Flow runs")).to_be_visible()
    for run in seed.runs.values():
        expect(page.get_by_role("link", name=run["name"])).to_be_visible()
    expect(page.get_by_text("Failed", exact=True).first).to_be_visible()
    assert ("POST", "/api/ui/flow_runs/history", 200) in page.watch.answers


def test_filter_by_state(page):
    page.goto("/flow-runs")
    expect(page.get_by_role("link", name="run-crashed")).to_be_visible()
    choose(page, "All run states", "Failed")
    expect(page.get_by_role("link", name="run-crashed")).to_have_count(0)
    expect(page.get_by_role("link", name="run-failed")).to_be_visible()
    expect(page.get_by_text("1 Flow run", exact=True)).to_be_visible()


def test_filter_by_flow_and_name(page):
    page.goto("/flow-runs")
    choose(page, "All flows", "seeded-by-client")
    expect(page.get_by_text("1 Flow run", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="run-by-client")).to_be_visible()
    page.goto("/flow-runs")
    page.get_by_placeholder("Search by run name").fill("CRASH")
    expect(page.get_by_text("1 Flow run", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="run-crashed")).to_be_visible()


def test_sort(page):
    page.goto("/flow-runs")
    first = page.locator(".flow-run-list-item, .state-list-item").first
    expect(first).to_contain_text("run-later")
    choose(page, "Newest to oldest", "Oldest to newest")
    expect(first).to_contain_text("run-by-client")


def test_save_a_view(page, seed):
    page.goto("/flow-runs")
    choose(page, "All run states", "Cancelled")
    expect(page.get_by_text("1 Flow run", exact=True)).to_be_visible()
    page.locator("button[aria-haspopup], .p-icon-button-menu button, button.p-button--equal-padding").first.click()
    page.get_by_text("Save View", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("those cancelled")
    click_answered(page, dialog.get_by_role("button", name="Save"), "PUT", "/saved_searches/")
    assert [search["name"] for search in seed.post("/saved_searches/filter", {}, 200)] == ["those cancelled"]


# ---- one run ----


def test_logs(page, seed):
    page.goto(f"/flow-runs/flow-run/{seed.client_run['id']}")
    expect(page.get_by_text("The flow has begun")).to_be_visible()
    expect(page.get_by_text("Storing 3 numbers")).to_be_visible()
    choose(page, "Level: all", "Warning and above")
    expect(page.get_by_text("The flow has begun")).to_have_count(0)
    expect(page.get_by_text("Storing 3 numbers")).to_be_visible()


def test_timeline(page, seed):
    with page.expect_response(lambda answer: answer.url.endswith("/graph")) as graph:
        page.goto(f"/flow-runs/flow-run/{seed.client_run['id']}")
    assert len(graph.value.json()) == 5
    canvas = page.locator("canvas").first
    expect(canvas).to_be_visible()
    deadline = time.monotonic() + 15
    while count_colours(page, canvas) < 10:  # nodes, their names and the lines between; a bare grid has fewer
        assert time.monotonic() < deadline


def hold_graph_until_run(page, run_id):
    """The radar ties tasks that depend on nothing to the run itself, and asks for both at once: if the graph comes
    first, its code looks for a node that is not there yet ("reading 'downstreamNodes'", whichever server it talks to).
    A busy machine must not decide that."""
    held, run_is_there = [], []

    def on_graph(route):
        route.continue_() if run_is_there else held.append(route)

    def on_finished(request):
        if request.url.endswith(f"/flow_runs/{run_id}"):
            run_is_there.append(request)
            while held:
                held.pop().continue_()

    page.route("**/graph", on_graph)
    page.on("requestfinished", on_finished)


def test_radar(page, seed):
    hold_graph_until_run(page, seed.client_run["id"])
    page.goto(f"/flow-runs/flow-run/{seed.client_run['id']}/radar")
    expect(page.get_by_text("seeded-by-client")).to_be_visible()
    expect(page.locator(".radar-node-task-run").first).to_be_visible()


def test_task_runs(page, seed):
    page.goto(f"/flow-runs/flow-run/{seed.client_run['id']}")
    page.locator("#task-runs").click()
    expect(page.locator("[role=tabpanel] a[href*='/flow-runs/task-run/']").filter(visible=True)).to_have_count(5)
    page.get_by_role("link", name="load-0").first.click()
    expect(page.get_by_text("Storing 3 numbers")).to_be_visible()
    page.locator("#task-inputs").click()
    expect(page.get_by_text('"numbers"').first).to_be_visible()


# ---- flows and deployments ----


def test_flows(page, seed):
    page.goto("/flows")
    expect(page.get_by_text("2 Flows")).to_be_visible()
    page.get_by_placeholder("Search flows").fill("night")
    expect(page.get_by_text("1 Flow", exact=True)).to_be_visible()
    page.get_by_role("link", name="nightly-report").first.click()
    expect(page.get_by_text(seed.flow["id"]).first).to_be_visible()
    page.get_by_text("Deployments", exact=True).last.click()
    expect(page.get_by_text("every-night")).to_be_visible()


def active(seed):
    return seed.get(f"/deployments/{seed.deployment['id']}")["is_schedule_active"]


def test_pause_a_schedule(page, seed):
    page.goto("/deployments")
    row = page.get_by_role("row").filter(has_text="every-night")
    expect(row).to_contain_text("Daily")
    switch = row.locator(".p-toggle__control, .p-toggle").first
    click_answered(page, switch, "POST", "/set_schedule_inactive")
    assert not active(seed)
    click_answered(page, switch, "POST", "/set_schedule_active")
    assert active(seed)


def test_deployment(page, seed):
    page.goto(f"/deployments/deployment/{seed.deployment['id']}")
    expect(page.get_by_text("(Europe/Vienna)")).to_be_visible()
    expect(page.get_by_text("night-queue")).to_be_visible()
    page.get_by_text("Parameters", exact=True).click()
    expect(page.get_by_text("rows").first).to_be_visible()


def test_run_a_deployment(page, seed):
    page.goto(f"/deployments/deployment/{seed.deployment['id']}")
    page.locator(".run-menu__run-button").click()
    made = click_answered(page, page.get_by_text("Quick run", exact=True), "POST", "/create_flow_run").json()
    assert made["state"]["type"] == "SCHEDULED" and made["deployment_id"] == seed.deployment["id"]
    assert seed.http.delete(f"/flow_runs/{made['id']}").status_code == 204


# ---- work queues ----


def test_work_queues(page, seed):
    page.goto("/work-queues")
    row = page.get_by_role("row").filter(has_text="night-queue")
    expect(row).to_contain_text("3")
    click_answered(page, row.locator(".p-toggle__control, .p-toggle").first, "PATCH", "/work_queues/")
    assert seed.get(f"/work_queues/{seed.queue['id']}")["is_paused"]
    page.get_by_role("link", name="night-queue").first.click()
    expect(page.get_by_text("What runs at night")).to_be_visible()


def test_create_a_work_queue(page, seed):
    page.goto("/work-queues/create")
    field(page, "Name").fill("queue-of-the-browser")
    click_answered(page, page.get_by_role("button", name="Create"), "POST", "/work_queues/")
    expect(page.get_by_text("Work queue is ready to go!")).to_be_visible()
    assert seed.get("/work_queues/name/queue-of-the-browser")["concurrency_limit"] is None


# ---- blocks ----


def test_create_a_block(page, seed):
    page.goto("/blocks/catalog")
    page.get_by_placeholder("Search blocks").fill("string")
    page.locator("a[href$='/catalog/string/create']").click()
    field(page, "Block Name").fill("written-in-a-browser")
    field(page, "Value").fill("a value")
    click_answered(page, page.get_by_role("button", name="Create"), "POST", "/block_documents/")
    expect(page.get_by_text("a value")).to_be_visible()
    assert seed.get("/block_types/slug/string/block_documents/name/written-in-a-browser")["data"] == \
        {"value": "a value"}


def test_blocks(page, seed):
    page.goto("/blocks")
    page.get_by_role("link", name="night-channel").first.click()
    expect(page.get_by_text("********")).to_be_visible()
    assert SECRET not in page.content()


# ---- notifications and limits ----


def test_notifications(page, seed):
    page.goto("/notifications")
    row = page.get_by_role("row").filter(has_text="nightly")
    expect(row).to_contain_text("Failed")
    click_answered(page, row.locator(".p-toggle__control, .p-toggle").first, "PATCH",
                   "/flow_run_notification_policies/")
    assert not seed.get(f"/flow_run_notification_policies/{seed.policy['id']}")["is_active"]


def test_create_a_notification(page, seed):
    page.goto("/notifications/create")
    page.get_by_text("Slack Webhook", exact=True).click()
    field(page, "Webhook URL").fill("https://hooks.invalid/another")
    click_answered(page, page.get_by_role("button", name="Create"), "POST", "/flow_run_notification_policies/")
    expect(page.get_by_text("2 Notifications")).to_be_visible()


def test_concurrency_limits(page, seed):
    page.goto("/concurrency-limits")
    expect(page.get_by_role("row").filter(has_text="database")).to_contain_text("5")
    page.locator("button.p-button--equal-padding, .page-heading button").first.click()
    dialog = page.get_by_role("dialog")
    field(dialog, "Tag").fill("tag-of-the-browser")
    field(dialog, "Concurrency Limit").fill("2")
    click_answered(page, dialog.get_by_role("button", name="Add"), "POST", "/concurrency_limits/")
    assert seed.get("/concurrency_limits/tag/tag-of-the-browser")["concurrency_limit"] == 2
    page.get_by_role("link", name="database").click()
    expect(page.get_by_text(seed.limit["id"])).to_be_visible()


# ---- the rest ----


def test_settings(page):
    page.goto("/settings")
    expect(page.get_by_text("PREFECT_ORION_DATABASE_CONNECTION_URL: ********")).to_be_visible()


def test_a_page_that_is_not_there(page):
    page.goto("/no/such/page")
    expect(page.get_by_text("Page not found", exact=True)).to_be_visible()

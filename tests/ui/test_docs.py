"""/docs: the page that shows the API's description, without any other host."""
import uuid

import pytest


@pytest.fixture
def docs(page, server):
    if server.kind == "reference":
        pytest.skip("the reference's page comes from another host")
    outside = []
    page.on("request", lambda request: None if request.url.startswith(server.root) else outside.append(request.url))
    page.goto("/docs")
    page.wait_for_selector(".operation")
    yield page
    assert (page.watch.problems, outside) == ([], [])


def test_the_page_lists_every_operation(docs):
    assert docs.locator(".operation").count() == 107
    assert "Flow Runs" in docs.locator("nav").text_content()


def test_search_and_try(docs):
    name = f"docs-{uuid.uuid4()}"
    docs.fill("#search", "create flow")
    card = docs.locator("#create_flow_flows__post")
    assert card.is_visible() and not docs.locator("#read_flow_flows__id__get").is_visible()
    card.locator("> summary").click()
    assert '"name"' in card.locator("textarea").input_value()
    card.locator("textarea").fill(f'{{"name": "{name}"}}')
    card.get_by_role("button", name="Send").click()
    card.get_by_text("201 Created").wait_for()
    assert name in card.locator("pre").text_content()


def test_a_link_opens_its_operation(docs):
    docs.goto("/api/docs#read_flow_by_name_flows_name__name__get")
    card = docs.locator("#read_flow_by_name_flows_name__name__get[open]")
    card.get_by_label("name required").fill("nobody/at all")
    card.get_by_role("button", name="Send").click()
    card.get_by_text("404 Not Found").wait_for()
    docs.watch.problems.clear()  # the 404 that was asked for


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read(docs, scheme):
    docs.emulate_media(color_scheme=scheme)
    colours = docs.evaluate("() => { const style = getComputedStyle(document.querySelector('.operation')); return"
                            " [style.color, style.backgroundColor]; }")
    light = [sum(map(int, colour.removeprefix("rgb(").rstrip(")").split(","))) / 3 for colour in colours]
    assert abs(light[0] - light[1]) > 150 and (light[1] > 200) == (scheme == "light")

"""/flows: create, read, update, delete, list, count."""
from urllib.parse import quote

import pytest

from tests.lib.api_client import NOBODY, unique
from tests.lib.differences import expected
from tests.lib.shapes import FLOW, is_later, is_row


def test_create_and_read(api):
    name = unique("é /?"[:2])
    answer = api.post("/flows/", {"name": name, "tags": ["b", "a", "b"]})
    assert answer.status_code == 201
    flow = answer.json()
    is_row(flow, FLOW)
    assert (flow["name"], flow["tags"]) == (name, ["b", "a", "b"])
    assert api.read(f"/flows/{flow['id']}") == flow
    assert api.read(f"/flows/name/{name}") == flow


def test_a_flow_of_that_name_is_answered(api):
    flow = api.flow(tags=["a"])
    answer = api.post("/flows/", {"name": flow["name"], "tags": ["other"]})
    assert (answer.status_code, answer.json()) == (200, flow)


@pytest.mark.parametrize("given, kept", [(5, "5"), (1.0, "1.0"), (10**20, str(10**20)), (True, "True"), ("", ""),
                                         (" x ", " x "), ("a\nb", "a\nb"), ("a\u0000b"[:1], "a")])
def test_names_are_made_text(api, given, kept):
    answer = api.post("/flows/", {"name": given})
    assert answer.status_code in (200, 201)
    assert answer.json()["name"] == kept


def test_tags_are_made_text(api):
    flow = api.flow(tags=[1, 2.5, True, "x"])
    assert flow["tags"] == ["1", "2.5", "True", "x"]
    assert api.flow(tags=[])["tags"] == []


def test_long_and_strange_names(api):
    for name in [unique("n" * 3000), unique("\U0001f600 \\ \" ' ; -- "), unique("%s"[1:] + "?#")]:
        flow = api.flow(name)
        assert flow["name"] == name
        assert api.read(f"/flows/{flow['id']}")["name"] == name


def test_update(api):
    flow = api.flow(tags=["a"])
    answer = api.patch(f"/flows/{flow['id']}", {"tags": ["c", "b"]})
    assert (answer.status_code, answer.content) == (204, b"")
    now = api.read(f"/flows/{flow['id']}")
    assert now["tags"] == ["c", "b"]
    assert is_later(now["updated"], flow["updated"])
    assert now["created"] == flow["created"]


def test_an_empty_update_is_taken(api):
    flow = api.flow(tags=["a"])
    assert api.patch(f"/flows/{flow['id']}", {}).status_code == 204
    assert api.read(f"/flows/{flow['id']}")["tags"] == ["a"]


def test_delete(api):
    flow = api.flow()
    answer = api.delete(f"/flows/{flow['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    for answer in [api.get(f"/flows/{flow['id']}"), api.delete(f"/flows/{flow['id']}"),
                   api.patch(f"/flows/{flow['id']}", {"tags": []}), api.get(f"/flows/name/{flow['name']}")]:
        assert (answer.status_code, answer.json()) == (404, {"detail": "Flow not found"})


def test_delete_takes_its_runs_along(api):
    flow = api.flow()
    run = api.flow_run(flow)
    task = api.task_run(run)
    assert api.delete(f"/flows/{flow['id']}").status_code == 204
    assert api.get(f"/flow_runs/{run['id']}").status_code == 404
    assert api.get(f"/task_runs/{task['id']}").status_code == 404
    assert api.get(f"/flow_run_states/{run['state_id']}").status_code == 404


def test_identifiers_in_other_forms(api):
    flow = api.flow()
    for form in [flow["id"].upper(), flow["id"].replace("-", ""), "{" + flow["id"] + "}", "urn:uuid:" + flow["id"]]:
        assert api.read(f"/flows/{form}") == flow


def test_names_in_paths(api):
    flow = api.flow(unique("a b+c é"))
    assert api.read(f"/flows/name/{quote(flow['name'])}") == flow
    assert api.get(f"/flows/name/{quote(flow['name']).replace('%20', '+')}").status_code == 404


@pytest.mark.parametrize("form", ["\u0000x", "x\u0000", "x\u0000y"])
def test_a_name_with_a_zero_character(api, form):
    """It is none of those that names must not hold; only PostgreSQL stores no text with it."""
    name, status = unique(form), api.on(sqlite=201, postgresql=expected("a text with U+0000 on PostgreSQL", api.kind))
    answers = [api.post("/flows/", {"name": name}), api.post("/block_types/", {"name": name, "slug": unique("zero")}),
               api.post("/work_queues/", {"name": name}),
               api.post("/deployments/", {"name": name, "flow_id": api.flow()["id"]})]
    assert [answer.status_code for answer in answers] == [status] * 4
    assert [answer.json()["name"] for answer in answers if status == 201] == ([name] * 4 if status == 201 else [])
    slug = api.post("/block_types/", {"name": unique("zero"), "slug": unique("zero") + "\u0000"})
    assert slug.status_code == 422 and "slug must only contain" in slug.text


def test_filter_and_count(api):
    prefix = unique("list")
    flows = [api.flow(f"{prefix}-{letter}") for letter in "cab"]
    mine = {"flows": {"name": {"like_": prefix}}}
    by_name = sorted(flows, key=lambda flow: flow["name"])
    assert api.made("/flows/filter", mine, 200) == by_name
    assert api.made("/flows/filter", {**mine, "sort": "NAME_DESC"}, 200) == by_name[::-1]
    assert api.made("/flows/filter", {**mine, "sort": "CREATED_DESC"}, 200) == flows[::-1]
    assert api.made("/flows/filter", {**mine, "sort": "UPDATED_DESC"}, 200) == flows[::-1]
    assert api.made("/flows/filter", {**mine, "limit": 1, "offset": 1}, 200) == by_name[1:2]
    assert api.made("/flows/filter", {**mine, "limit": "2"}, 200) == by_name[:2]
    assert api.made("/flows/filter", {**mine, "offset": True}, 200) == by_name[1:]
    assert api.made("/flows/filter", {**mine, "offset": 1.9, "limit": 1.9}, 200) == by_name[1:2]
    assert api.made("/flows/filter", {**mine, "limit": 0}, 200) == []
    assert api.made("/flows/filter", {**mine, "offset": 3}, 200) == []
    assert api.made("/flows/count", mine, 200) == 3
    assert api.made("/flows/count", {**mine, "limit": 1, "nonsense": 5}, 200) == 3


def test_lists_without_a_body(api):
    api.flow()
    for path in ["/flows/filter", "/flow_runs/filter", "/task_runs/filter", "/logs/filter",
                 "/concurrency_limits/filter"]:
        assert api.post(path).status_code == 200
        assert api.made(path, {}, 200) == api.post(path).json() or "flow_runs" in path or "task_runs" in path
    assert api.post("/flows/count").json() == api.made("/flows/count", {}, 200) > 0


def test_nobody(api):
    assert api.made("/flows/filter", {"flows": {"id": {"any_": [NOBODY]}}}, 200) == []
    assert api.made("/flows/count", {"flows": {"id": {"any_": []}}}, 200) == 0

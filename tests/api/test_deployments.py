"""/deployments: making, changing and listing them, and the runs made from them."""
import json
import uuid

import pytest

from tests.api.deployments import (DEPLOYMENT, EMPTY, GONE, HOURLY, POOL, again, deploy, document, is_refused, plan,
                                   runs_of)
from tests.lib.api_client import NOBODY, unique
from tests.lib.differences import expected
from tests.lib.shapes import FLOW_RUN, is_later, is_row, stored


# ---- making them ----

def test_create_and_read(api):
    flow = api.flow()
    deployment = deploy(api, flow)
    is_row(deployment, DEPLOYMENT)
    assert {key: deployment[key] for key in EMPTY} == EMPTY
    assert deployment["flow_id"] == flow["id"]
    assert api.read(f"/deployments/{deployment['id']}") == deployment
    assert api.read(f"/deployments/name/{flow['name']}/{deployment['name']}") == deployment


def test_every_field_is_kept(api):
    fields = {"version": "1", "description": "ünï", "schedule": HOURLY, "is_schedule_active": False,
              "infra_overrides": {"env": {"A": [1, 2.50]}}, "parameters": {"x": 1.10, "ö": None},
              "tags": ["b", "a", "b"], "parameter_openapi_schema": {"type": "object"}, "path": "/p",
              "entrypoint": "f.py:f", "manifest_path": "m.json"}
    deployment = deploy(api, **fields)
    assert {key: deployment[key] for key in fields} == fields
    assert list(deployment) == DEPLOYMENT
    assert api.read(f"/deployments/{deployment['id']}") == deployment


def test_what_is_stored(api):
    deployment = deploy(api, parameters={"x": 1.10, "ö": [True]}, tags=["é"], schedule={"cron": "0 0 * * *"})
    [row] = api.server.execute(
        "SELECT parameters, tags, infra_overrides, schedule, is_schedule_active, flow_data, parameter_openapi_schema,"
        " created_by, updated_by, work_queue_id, work_queue_name FROM deployment WHERE id = ?", deployment["id"])
    columns = [{"x": 1.1, "ö": [True]}, ["é"], {}, {"cron": "0 0 * * *", "timezone": None, "day_or": True}]
    assert row == (*(stored(value, api.engine) for value in columns), True, None, None, None, None, None, None)


def test_a_deployment_of_that_flow_and_name_is_changed(api):
    deployment = deploy(api, tags=["a"], version="1", schedule=HOURLY, work_queue_name="upsert",
                        is_schedule_active=False)
    now = again(api, deployment, description="new")
    assert (now["id"], now["created"]) == (deployment["id"], deployment["created"])
    assert now["updated"] > deployment["updated"]
    # What is not sent is as if it were empty, but the queue stays.
    assert {key: now[key] for key in EMPTY} == {**EMPTY, "description": "new", "work_queue_name": "upsert",
                                                "work_pool_name": POOL}
    assert api.read(f"/deployments/{deployment['id']}") == now


def test_one_name_in_two_flows(api):
    first = deploy(api)
    second = deploy(api, name=first["name"])
    assert first["id"] != second["id"]


def test_unknown_flow(api):
    answer = api.post("/deployments/", {"name": "d", "flow_id": NOBODY})
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("Data integrity conflict.")


@pytest.mark.parametrize("field", ["infrastructure", "storage"])
def test_blocks(api, field):
    key = f"{field}_document_id"
    block = document(api)["id"]
    assert deploy(api, **{key: block})[key] == block
    answer = api.post("/deployments/", {"name": "d", "flow_id": api.flow()["id"], key: NOBODY})
    assert (answer.status_code, answer.json()) == (409, {"detail": (
        f"Error creating deployment. Could not find {field} block with id: {NOBODY}. This usually occurs when"
        " applying a deployment specification that was built against a different Prefect database / workspace.")})


@pytest.mark.parametrize("name", ["a/b", "a%", "&", "<", ">"])
def test_names(api, name):
    body = {"name": name, "flow_id": NOBODY}
    is_refused(api.post("/deployments/", body), body, {
        "loc": ["body", "name"],
        "msg": f"Name {name!r} contains an invalid character. Must not contain any of: ['/', '%', '&', '>', '<'].",
        "type": "value_error.invalidname"})


def test_errors_come_in_order(api):
    body = {"zz": 1, "created_by": None, "infra_overrides": 5, "schedule": None, "tags": "x", "parameters": None,
            "flow_id": "x", "name": None, "is_schedule_active": "maybe"}
    answer = api.post("/deployments/", body)
    assert answer.status_code == 422
    assert [(detail["loc"][1:], detail["type"]) for detail in answer.json()["exception_detail"]] == [
        (["name"], "type_error.none.not_allowed"), (["flow_id"], "type_error.uuid"),
        (["is_schedule_active"], "type_error.bool"), (["parameters"], "type_error.none.not_allowed"),
        (["tags"], "type_error.list"), (["infra_overrides"], "type_error.dict"), (["created_by"], "value_error.extra"),
        (["zz"], "value_error.extra")]


@pytest.mark.parametrize("key", ["is_schedule_active", "infra_overrides"])
def test_nulls_that_the_reference_stumbles_over(api, key):
    answer = api.post("/deployments/", {"name": "d", "flow_id": NOBODY, key: None})
    assert answer.status_code == expected("null in a new deployment", api.kind)


@pytest.mark.parametrize("key", ["name", "flow_id"])
def test_required(api, key):
    body = {"name": "d", "flow_id": NOBODY}
    del body[key]
    assert api.post("/deployments/", body).status_code == expected("a deployment without name or flow", api.kind)


def test_a_queue_of_an_impossible_name_is_not_made(api):
    name = unique("<&>%")
    status = expected("a queue of an impossible name", api.kind)
    deployment = deploy(api, work_queue_name=unique("queue"))
    refused = [api.post("/deployments/",
                        {"name": unique("deployment"), "flow_id": deployment["flow_id"], "work_queue_name": name}),
               api.post("/deployments/", {"name": unique("deployment"), "flow_id": deployment["flow_id"],
                                          "work_queue_name": name, "work_pool_name": POOL}),
               api.patch(f"/deployments/{deployment['id']}", {"work_queue_name": name}),
               api.post("/work_queues/", {"name": name})]
    assert [answer.status_code for answer in refused] == [status, status, status, 422]
    assert all(answer.json()["exception_detail"][0]["loc"] == ["body", "work_queue_name"]
               for answer in refused[:3] if status == 422)
    assert api.server.execute("SELECT count(*) FROM work_queue WHERE name = ?", name) == [(0,)]
    assert api.read(f"/deployments/{deployment['id']}") == deployment


def test_fields_of_old_clients_are_dropped(api):
    old = {"worker_pool_queue_id": 5, "worker_pool_name": [], "worker_pool_queue_name": "x",
           "work_pool_queue_name": None}
    deployment = deploy(api, **old)
    assert (deployment["work_queue_name"], deployment["work_pool_name"]) == (None, None)
    assert api.patch(f"/deployments/{deployment['id']}", old).status_code == 204


# ---- queues and pools ----

def queue_names(api):
    return [name for [name] in api.server.execute("SELECT name FROM work_queue")]


def test_a_queue_is_made(api):
    name = unique("queue")
    deployment = deploy(api, work_queue_name=name)
    assert (deployment["work_queue_name"], deployment["work_pool_name"]) == (name, POOL)
    assert queue_names(api).count(name) == 1
    deploy(api, work_queue_name=name)
    assert queue_names(api).count(name) == 1


def test_the_default_pool(api):
    assert deploy(api, work_pool_name=POOL)["work_queue_name"] == "default"
    name = unique("queue")
    deployment = deploy(api, work_pool_name=POOL, work_queue_name=name)
    assert (deployment["work_queue_name"], deployment["work_pool_name"]) == (name, POOL)
    assert queue_names(api).count(name) == 1


def test_an_unknown_pool(api):
    answer = api.post("/deployments/", {"name": "d", "flow_id": api.flow()["id"], "work_pool_name": "nowhere"})
    assert (answer.status_code, answer.json()) == (404, {"detail": 'Work pool "nowhere" not found.'})


def test_empty_names_are_none(api):
    deployment = deploy(api, work_pool_name="", work_queue_name="")
    assert (deployment["work_queue_name"], deployment["work_pool_name"]) == ("", None)


TEMPLATE = {"job_configuration": {"command": "{{ command }}"},
            "variables": {"properties": {"command": {"type": "string"}, "count": {"type": "integer"}},
                          "required": ["command"]}}


@pytest.fixture
def pool(api):
    """Rows of its own: the routes of pools need a setting."""
    pool, queue, name = str(uuid.uuid4()), str(uuid.uuid4()), unique("pool")
    api.server.execute("INSERT INTO work_pool (id, name, type, base_job_template) VALUES (?, ?, 'test', ?)", pool, name,
                       json.dumps(TEMPLATE))
    api.server.execute("INSERT INTO work_queue (id, name, priority, work_pool_id) VALUES (?, 'default', 1, ?)", queue,
                       pool)
    api.server.execute("UPDATE work_pool SET default_queue_id = ? WHERE id = ?", queue, pool)
    return {"id": pool, "name": name}


def test_a_pool(api, pool):
    deployment = deploy(api, work_pool_name=pool["name"], infra_overrides={"command": "x"})
    assert (deployment["work_queue_name"], deployment["work_pool_name"]) == ("default", pool["name"])
    name = unique("queue")
    other = deploy(api, work_pool_name=pool["name"], work_queue_name=name, infra_overrides={"command": "x"})
    assert (other["work_queue_name"], other["work_pool_name"]) == (name, pool["name"])
    # A queue of that name is made in the agents' pool, too.
    assert queue_names(api).count(name) == 2


@pytest.mark.parametrize("overrides, problem", [
    ({}, "'command' is a required property"),
    ({"command": 5}, "5 is not of type 'string'"),
    ({"command": "x", "count": "y"}, "'y' is not of type 'integer'"),
])
def test_a_configuration_that_does_not_fit(api, pool, overrides, problem):
    body = {"name": unique("deployment"), "flow_id": api.flow()["id"], "work_pool_name": pool["name"],
            "infra_overrides": overrides}
    refusal = (409, {"detail": f'Error creating deployment: <ValidationError: "{problem}">'})
    answer = api.post("/deployments/", body)
    assert (answer.status_code, answer.json()) == refusal
    deployment = deploy(api)
    answer = api.patch(f"/deployments/{deployment['id']}",
                       {"work_pool_name": pool["name"], "infra_overrides": overrides})
    assert (answer.status_code, answer.json()) == refusal


# ---- changing them ----

def test_update(api):
    deployment = deploy(api, tags=["a"], version="1")
    change = {"description": "d", "is_schedule_active": False, "parameters": {"x": 1}, "tags": ["c"], "path": "p",
              "entrypoint": "e", "manifest_path": "m", "infra_overrides": {"a": 1}, "schedule": HOURLY}
    answer = api.patch(f"/deployments/{deployment['id']}", change)
    assert (answer.status_code, answer.content) == (204, b"")
    now = api.read(f"/deployments/{deployment['id']}")
    assert is_later(now["updated"], deployment["updated"])
    assert now == {**deployment, **change, "updated": now["updated"]}


def test_an_empty_update(api):
    deployment = deploy(api, tags=["a"])
    assert api.patch(f"/deployments/{deployment['id']}", {}).status_code == 204
    now = api.read(f"/deployments/{deployment['id']}")
    assert now == {**deployment, "updated": now["updated"]} and now["updated"] > deployment["updated"]


def test_update_to_null(api):
    deployment = deploy(api, version="1", schedule=HOURLY, path="p", work_queue_name="nulls", description="d")
    change = {"version": None, "schedule": None, "path": None, "work_queue_name": None, "work_pool_name": None,
              "description": None}
    assert api.patch(f"/deployments/{deployment['id']}", change).status_code == 204
    now = api.read(f"/deployments/{deployment['id']}")
    # The queue's name goes, the queue stays.
    assert now == {**deployment, **change, "work_queue_name": "nulls", "work_pool_name": POOL,
                   "updated": now["updated"]}
    assert api.server.execute("SELECT work_queue_name FROM deployment WHERE id = ?", deployment["id"]) == [(None,)]


def test_update_the_queue(api):
    deployment, name = deploy(api, work_queue_name="first"), unique("queue")
    assert api.patch(f"/deployments/{deployment['id']}", {"work_queue_name": name}).status_code == 204
    now = api.read(f"/deployments/{deployment['id']}")
    assert (now["work_queue_name"], now["work_pool_name"]) == (name, POOL)
    assert queue_names(api).count(name) == 1
    assert api.patch(f"/deployments/{deployment['id']}", {"work_pool_name": POOL}).status_code == 204
    assert api.read(f"/deployments/{deployment['id']}")["work_queue_name"] == "default"


@pytest.mark.parametrize("body, key, kind", [
    ({"name": "x"}, "name", "value_error.extra"), ({"flow_id": NOBODY}, "flow_id", "value_error.extra"),
    ({"work_queue_id": NOBODY}, "work_queue_id", "value_error.extra"),
    ({"is_schedule_active": None}, "is_schedule_active", "type_error.none.not_allowed"),
    ({"parameters": None}, "parameters", "type_error.none.not_allowed"),
    ({"tags": None}, "tags", "type_error.none.not_allowed"),
    ({"storage_document_id": "x"}, "storage_document_id", "type_error.uuid"),
])
def test_updates_that_are_refused(api, body, key, kind):
    answer = api.patch(f"/deployments/{NOBODY}", body)
    assert answer.status_code == 422
    assert [(detail["loc"], detail["type"]) for detail in answer.json()["exception_detail"]] == [(["body", key], kind)]


def test_updates_that_the_table_refuses(api):
    deployment = deploy(api)
    for body in [{"infra_overrides": None}, {"storage_document_id": NOBODY}, {"infrastructure_document_id": NOBODY}]:
        assert api.patch(f"/deployments/{deployment['id']}", body).status_code == 409, body
    assert api.read(f"/deployments/{deployment['id']}") == deployment


def test_update_of_nothing(api):
    answer = api.patch(f"/deployments/{NOBODY}", {"tags": []})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Deployment not found."})


def test_a_refused_update_makes_no_queue(api):
    name = unique("queue")
    assert api.patch(f"/deployments/{NOBODY}", {"work_queue_name": name}).status_code == 404
    assert queue_names(api).count(name) == expected("queues of a refused update", api.kind)


def test_update_to_an_unknown_pool(api):
    deployment = deploy(api)
    answer = api.patch(f"/deployments/{deployment['id']}", {"work_pool_name": "nowhere"})
    assert answer.status_code == expected("update to an unknown pool", api.kind)


def test_update_of_no_uuid(api):
    assert api.patch("/deployments/none", {}).status_code == expected("update of a deployment by no uuid", api.kind)


# ---- reading and deleting ----

def test_what_is_not_there(api):
    flow = api.flow()
    for answer in [api.get(f"/deployments/{NOBODY}"), api.get(f"/deployments/name/{flow['name']}/none"),
                   api.get("/deployments/name/none/none"), api.delete(f"/deployments/{NOBODY}"),
                   api.post(f"/deployments/{NOBODY}/set_schedule_active"),
                   api.post(f"/deployments/{NOBODY}/set_schedule_inactive"),
                   api.post(f"/deployments/{NOBODY}/create_flow_run", {}),
                   api.get(f"/deployments/{NOBODY}/work_queue_check")]:
        assert (answer.status_code, answer.json()) == (404, GONE)
    # There is nothing to plan, and nothing wrong in that.
    plan(api, {"id": NOBODY})


@pytest.mark.parametrize("method, path",
                         [("GET", ""), ("DELETE", ""), ("POST", "/schedule"), ("POST", "/set_schedule_active"),
                          ("POST", "/create_flow_run"), ("GET", "/work_queue_check")])
def test_ids_that_are_none(api, method, path):
    answer = api.request(method, f"/deployments/none{path}", {} if method == "POST" else None)
    assert answer.status_code == 422
    assert answer.json()["exception_detail"][0] == {"loc": ["path", "id"], "msg": "value is not a valid uuid",
                                                    "type": "type_error.uuid"}


def test_delete(api):
    deployment = deploy(api, schedule=HOURLY)
    plan(api, deployment)
    by_hand = api.made(f"/deployments/{deployment['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}})
    running = api.made(f"/deployments/{deployment['id']}/create_flow_run", {})
    api.moved(running, "RUNNING")
    assert len(runs_of(api, deployment)) == 5
    answer = api.delete(f"/deployments/{deployment['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get(f"/deployments/{deployment['id']}").status_code == 404
    # Whoever scheduled a run, it goes; others stay without the deployment.
    assert api.get(f"/flow_runs/{by_hand['id']}").status_code == 404
    assert api.read(f"/flow_runs/{running['id']}")["deployment_id"] is None
    left = api.made("/flow_runs/filter", {"flows": {"id": {"any_": [deployment["flow_id"]]}}}, 200)
    assert [run["id"] for run in left] == [running["id"]]


def test_filter_sort_and_count(api):
    flow = api.flow()
    made = [deploy(api, flow, name=name, tags=tags, is_schedule_active=active, work_queue_name=queue)
            for name, tags, active, queue in [("b", ["x", "y"], True, "filter-1"), ("a", ["x"], False, None),
                                              ("c", [], True, None)]]
    of_flow = {"flows": {"id": {"any_": [flow["id"]]}}}

    def names(limit=200, offset=0, sort="NAME_ASC", **filters):
        found = api.made("/deployments/filter", {**of_flow, **filters, "limit": limit, "offset": offset, "sort": sort},
                         200)
        if limit == 200:
            assert api.made("/deployments/count", {**of_flow, **filters}, 200) == len(found)
        return [deployment["name"] for deployment in found]

    assert api.made("/deployments/filter", of_flow, 200) == sorted(made, key=lambda deployment: deployment["name"])
    assert names(sort="NAME_DESC") == ["c", "b", "a"]
    assert names(sort="CREATED_DESC") == ["c", "a", "b"]
    assert names(sort="UPDATED_DESC") == ["c", "a", "b"]
    assert names(limit=1, offset=1) == ["b"]
    assert names(deployments={"tags": {"all_": ["x"]}}) == ["a", "b"]
    assert names(deployments={"tags": {"is_null_": True}}) == ["c"]
    assert names(deployments={"is_schedule_active": {"eq_": True}}) == ["b", "c"]
    assert names(deployments={"name": {"like_": "A"}}) == ["a"]
    assert names(deployments={"work_queue_name": {"any_": ["filter-1"]}}) == ["b"]
    assert names(work_pool_queues={"name": {"any_": ["filter-1"]}}) == ["b"]
    assert names(work_pools={"name": {"any_": [POOL]}}) == ["b"]
    assert names(work_pools={"name": {"any_": [POOL]}}, work_pool_queues={"name": {"any_": ["none"]}}) == []
    run = api.made(f"/deployments/{made[1]['id']}/create_flow_run", {"name": "the run"})
    assert names(flow_runs={"name": {"any_": ["the run"]}}) == ["a"]
    assert names(flow_runs={"id": {"any_": [run["id"]]}}, task_runs={"name": {"any_": ["none"]}}) == []


def test_lists_that_are_refused(api):
    answer = api.post("/deployments/filter", {"sort": "NAME", "offset": -1, "deployments": {"zz": 1}})
    assert answer.status_code == 422
    assert [detail["loc"] for detail in answer.json()["exception_detail"]] == \
        [["body", "offset"], ["body", "deployments", "zz"], ["body", "sort"]]
    answer = api.post("/deployments/filter", {"limit": 201})
    assert (answer.status_code, answer.json()) == (422, {"detail": "Invalid limit: must be less than or equal to 200."})


# ---- runs ----

def test_create_flow_run(api):
    deployment = deploy(api, parameters={"a": 1, "b": 2}, tags=["x", "y"], work_queue_name="runs")
    run = api.made(f"/deployments/{deployment['id']}/create_flow_run", {})
    is_row(run, FLOW_RUN)
    assert (run["flow_id"], run["deployment_id"]) == (deployment["flow_id"], deployment["id"])
    assert (run["state_type"], run["parameters"], sorted(run["tags"])) == ("PENDING", {"a": 1, "b": 2}, ["x", "y"])
    assert (run["work_queue_name"], run["work_pool_name"], run["auto_scheduled"]) == ("runs", POOL, False)
    now = api.read(f"/flow_runs/{run['id']}")
    assert {**now, "estimated_start_time_delta": 0} == {**run, "estimated_start_time_delta": 0}


def test_what_a_run_takes_from_its_deployment(api):
    block, other = document(api)["id"], document(api)["id"]
    deployment = deploy(api, parameters={"a": 1.10, "ü": [2]}, tags=["x", "y", "x"], infrastructure_document_id=block)
    path = f"/deployments/{deployment['id']}/create_flow_run"
    run = api.made(path, {"parameters": {"ü": None, "z": 3, "a": {"b": 1}}, "tags": ["z", "y"], "name": "n",
                          "context": {"c": 1}, "state": {"type": "SCHEDULED"}})
    assert run["parameters"] == {"a": {"b": 1}, "ü": None, "z": 3}
    if api.on(sqlite=True,
              postgresql=expected("keys keep their order in the answer to their storing, on PostgreSQL", api.kind)):
        assert list(run["parameters"]) == ["a", "ü", "z"]
    assert sorted(run["tags"]) == ["x", "y", "z"]
    assert (run["name"], run["context"], run["state_type"], run["infrastructure_document_id"]) == \
        ("n", {"c": 1}, "SCHEDULED", block)
    assert api.made(path, {"infrastructure_document_id": other})["infrastructure_document_id"] == other
    assert api.made(path, {"parameters": {}, "tags": []})["parameters"] == {"a": 1.1, "ü": [2]}
    assert api.made(f"/deployments/{deploy(api)['id']}/create_flow_run",
                    {"parameters": {"q": 1}, "tags": ["t"]})["parameters"] == {"q": 1}


def test_a_run_with_the_same_key(api):
    deployment = deploy(api)
    path, key = f"/deployments/{deployment['id']}/create_flow_run", unique("key")
    run = api.made(path, {"idempotency_key": key})
    assert api.made(path, {"idempotency_key": key, "name": "other"}, 200)["id"] == run["id"]


def test_a_run_after_the_queues_name_went(api):
    deployment = deploy(api, work_queue_name="went")
    api.patch(f"/deployments/{deployment['id']}", {"work_queue_name": None})
    run = api.made(f"/deployments/{deployment['id']}/create_flow_run", {})
    assert run["work_queue_name"] == "went"
    assert api.server.execute("SELECT work_queue_name FROM flow_run WHERE id = ?", run["id"]) == [(None,)]


@pytest.mark.parametrize("name", [0, False, [], {}, "", None])
def test_names_that_are_none_are_made(api, name):
    run = api.made(f"/deployments/{deploy(api)['id']}/create_flow_run", {"name": name})
    assert len(run["name"].split("-")) == 2


@pytest.mark.parametrize("body, key, kind", [
    ({"parameters": None}, "parameters", "type_error.none.not_allowed"),
    ({"tags": None}, "tags", "type_error.none.not_allowed"), ({"context": 5}, "context", "type_error.dict"),
    ({"deployment_id": NOBODY}, "deployment_id", "value_error.extra"),
    ({"flow_id": NOBODY}, "flow_id", "value_error.extra"),
    ({"infrastructure_document_id": "x"}, "infrastructure_document_id", "type_error.uuid"),
    ({"parent_task_run_id": 5}, "parent_task_run_id", "type_error.uuid"),
])
def test_runs_that_are_refused(api, body, key, kind):
    answer = api.post(f"/deployments/{NOBODY}/create_flow_run", body)
    assert answer.status_code == 422
    assert [(detail["loc"], detail["type"]) for detail in answer.json()["exception_detail"]] == [(["body", key], kind)]


def test_a_run_needs_a_body(api):
    is_refused(api.post(f"/deployments/{NOBODY}/create_flow_run"), None,
               {"loc": ["body"], "msg": "field required", "type": "value_error.missing"})


# ---- which queues would take the runs ----

def test_work_queue_check(api):
    deployment = deploy(api, tags=["q1", "q2"])
    filters = {"none": None, "empty": {"tags": [], "deployment_ids": []},
               "nulls": {"tags": None, "deployment_ids": None},
               "tags": {"tags": ["q2"]}, "all tags": {"tags": ["q2", "q1"]}, "other tags": {"tags": ["q2", "q3"]},
               "this": {"deployment_ids": [NOBODY, deployment["id"]]},
               "another": {"deployment_ids": [NOBODY]}, "both": {"tags": ["q1"], "deployment_ids": [deployment["id"]]},
               "one of both": {"tags": ["q9"], "deployment_ids": [deployment["id"]]},
               "tags alone": {"tags": ["q2"], "deployment_ids": None},
               "this alone": {"tags": None, "deployment_ids": [deployment["id"]]}}
    [(pool,)] = api.server.execute("SELECT id FROM work_pool WHERE name = ?", POOL)
    names = {}
    for name, value in filters.items():
        names[unique(name)] = name
        api.server.execute("INSERT INTO work_queue (name, filter, work_pool_id) VALUES (?, ?, ?)", list(names)[-1],
                           json.dumps(value) if value else None, pool)
    found = api.read(f"/deployments/{deployment['id']}/work_queue_check")
    fitting = ["empty", "nulls", "both", "tags alone", "this alone"]
    if api.on(sqlite=True, postgresql=expected("queues without all of a filter fit, on PostgreSQL", api.kind)):
        fitting += ["none", "tags", "all tags", "this"]
    assert sorted(names[queue["name"]] for queue in found if queue["name"] in names) == sorted(fitting)
    assert list(found[0]) == ["id", "created", "updated", "name", "description", "is_paused", "concurrency_limit",
                              "priority", "work_pool_id", "filter", "last_polled"]
    api.server.execute("DELETE FROM work_queue WHERE filter IS NOT NULL")

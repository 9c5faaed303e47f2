"""/deployments: making and changing them, what that does to their planned runs, and the runs made from them."""
import datetime
import json
import uuid

import pytest

from tests.lib.api_client import NOBODY, unique
from tests.lib.differences import expected
from tests.lib.shapes import DETAILS, FLOW_RUN, UUID, is_later, is_row, stored

DEPLOYMENT = ["id", "created", "updated", "name", "version", "description", "flow_id", "schedule", "is_schedule_active",
              "infra_overrides", "parameters", "tags", "work_queue_name", "parameter_openapi_schema", "path",
              "entrypoint", "manifest_path", "storage_document_id", "infrastructure_document_id", "created_by",
              "updated_by", "work_pool_name"]
EMPTY = {"version": None, "description": None, "schedule": None, "is_schedule_active": True, "infra_overrides": {},
         "parameters": {}, "tags": [], "work_queue_name": None, "parameter_openapi_schema": None, "path": None,
         "entrypoint": None, "manifest_path": None, "storage_document_id": None, "infrastructure_document_id": None,
         "created_by": None, "updated_by": None, "work_pool_name": None}
GONE = {"detail": "Deployment not found"}
HOURLY = {"interval": 3600.0, "anchor_date": "2024-01-01T00:00:00+00:00", "timezone": "UTC"}
POOL = "default-agent-pool"


def deploy(api, flow=None, status=201, **fields):
    return api.made("/deployments/", {"name": unique("deployment"), "flow_id": (flow or api.flow())["id"], **fields},
                    status)


def again(api, deployment, **fields):
    return deploy(api, {"id": deployment["flow_id"]}, 200, name=deployment["name"], **fields)


def plan(api, deployment, **body):
    answer = api.post(f"/deployments/{deployment['id']}/schedule", body)
    assert (answer.status_code, answer.text) == (200, "null")


def runs_of(api, deployment):
    return api.made("/flow_runs/filter",
                    {"deployments": {"id": {"any_": [deployment["id"]]}}, "sort": "EXPECTED_START_TIME_ASC"}, 200)


def starts(api, deployment):
    return [run["expected_start_time"] for run in runs_of(api, deployment)]


def document(api, **fields):
    block_type = api.made("/block_types/", {"name": unique("Type"), "slug": unique("type")})
    schema = api.made("/block_schemas/", {"fields": {"title": unique("Type"), "type": "object", "properties": {}},
                                          "block_type_id": block_type["id"]})
    return api.made("/block_documents/", {"name": unique("doc"), "data": {}, "block_schema_id": schema["id"],
                                          "block_type_id": block_type["id"], **fields})


def is_refused(answer, body, *details):
    assert answer.status_code == 422, answer.text
    assert answer.json() == {"exception_message": "Invalid request received.", "exception_detail": list(details),
                             "request_body": body}


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


# ---- schedules ----

@pytest.mark.parametrize("schedule, first", [
    (HOURLY, ["2024-03-10T05:00:00+00:00", "2024-03-10T06:00:00+00:00", "2024-03-10T07:00:00+00:00"]),
    ({"interval": 86400, "anchor_date": "2024-01-01T09:00:00-05:00", "timezone": "America/New_York"},
     ["2024-03-10T09:00:00-04:00", "2024-03-11T09:00:00-04:00", "2024-03-12T09:00:00-04:00"]),
    ({"cron": "30 1 * * *", "timezone": "America/New_York"},
     ["2024-03-10T01:30:00-05:00", "2024-03-11T01:30:00-04:00", "2024-03-12T01:30:00-04:00"]),
    ({"cron": "0 12 * * *"}, ["2024-03-10T12:00:00+00:00", "2024-03-11T12:00:00+00:00", "2024-03-12T12:00:00+00:00"]),
    ({"rrule": "DTSTART:20240101T080000\nFREQ=DAILY", "timezone": "Europe/Berlin"},
     ["2024-03-10T08:00:00+01:00", "2024-03-11T08:00:00+01:00", "2024-03-12T08:00:00+01:00"]),
    ({"interval": 3600.5, "anchor_date": "2024-03-10T04:00:00.25+00:00"},
     ["2024-03-10T05:00:00.750000+00:00", "2024-03-10T06:00:01.250000+00:00", "2024-03-10T07:00:01.750000+00:00"]),
])
def test_dates_and_keys(api, schedule, first):
    """The key of a planned run has its date in the schedule's own zone; the columns are in UTC."""
    deployment = deploy(api, schedule=schedule)
    plan(api, deployment, start_time="2024-03-10T04:30:00Z", end_time="2024-03-20T00:00:00Z", max_runs=3)
    runs = runs_of(api, deployment)
    assert [run["idempotency_key"] for run in runs] == [f"scheduled {deployment['id']} {date}" for date in first]
    assert [run["state"]["state_details"]["scheduled_time"] for run in runs] == first
    for run, date in zip(runs, first):
        utc = datetime.datetime.fromisoformat(date).astimezone(datetime.timezone.utc).isoformat()
        assert (run["expected_start_time"], run["next_scheduled_start_time"]) == (utc, utc)


def test_a_planned_run_column_by_column(api):
    block = document(api)["id"]
    deployment = deploy(api, schedule=HOURLY, parameters={"x": 1.10, "ö": 1}, tags=["b", "a"],
                        work_queue_name="columns", infrastructure_document_id=block)
    plan(api, deployment, start_time="2030-01-01T00:00:00Z", max_runs=1)
    [run] = api.server.execute(
        "SELECT id, created, updated, name, state_type, run_count, expected_start_time, next_scheduled_start_time,"
        " start_time, end_time, total_run_time, flow_version, parameters, idempotency_key, context,"
        " empirical_policy, tags, auto_scheduled, flow_id, deployment_id, parent_task_run_id, state_id, state_name,"
        " infrastructure_document_id, work_queue_name, state_timestamp, created_by, infrastructure_pid, work_queue_id"
        " FROM flow_run"
        " WHERE deployment_id = ?", deployment["id"])
    [state] = api.server.execute("SELECT id, created, updated, type, timestamp, name, message, state_details, data,"
                                 " flow_run_id, result_artifact_id FROM flow_run_state"
                                 " WHERE flow_run_id = ?", run[0])
    [(queue,)] = api.server.execute("SELECT work_queue_id FROM deployment WHERE id = ?", deployment["id"])
    at = "2030-01-01 00:00:00.000000"
    policy = {"max_retries": 0, "retry_delay_seconds": 0, "retries": None, "retry_delay": None, "pause_keys": [],
              "resuming": False}
    details = {**DETAILS, "scheduled_time": "2030-01-01T00:00:00+00:00"}
    assert run[4:] == ("SCHEDULED", 0, at, at, None, None, "1970-01-01 00:00:00.000000", None,
                       stored({"x": 1.1, "ö": 1}, api.engine),
                       f"scheduled {deployment['id']} 2030-01-01T00:00:00+00:00", "{}", stored(policy, api.engine),
                       '["auto-scheduled", "b", "a"]', True, deployment["flow_id"], deployment["id"], None, state[0],
                       "Scheduled", block, "columns", None, None, None, queue)
    assert (run[2] >= run[1] or api.kind == "reference") and len(run[3].split("-")) == 2 and UUID.match(run[0])
    assert state[3] == "SCHEDULED" and state[5:7] == ("Scheduled", "Flow run scheduled") \
        and state[8:] == ("null", run[0], None)
    assert state[7] == stored(details, api.engine)
    assert len({len(text) for text in [run[1], run[2], state[1], state[2], state[4]]}) == 1


def test_a_planned_run_as_answered(api):
    deployment = deploy(api, schedule=HOURLY, tags=["x"], work_queue_name="answered")
    plan(api, deployment, start_time="2030-01-01T00:00:00Z", max_runs=1)
    [run] = runs_of(api, deployment)
    is_row(run, FLOW_RUN)
    assert (run["tags"], run["auto_scheduled"], run["work_queue_name"], run["work_pool_name"]) == \
        (["auto-scheduled", "x"], True, "answered", POOL)
    assert (run["state"]["data"], run["state"]["message"], run["state"]["state_details"]["flow_run_id"]) == \
        (None, "Flow run scheduled", None)


def test_planning_again_adds_nothing(api):
    deployment = deploy(api, schedule=HOURLY)
    body = {"start_time": "2030-01-01T00:00:00Z", "max_runs": 4, "min_runs": 4}
    plan(api, deployment, **body)
    before = runs_of(api, deployment)
    plan(api, deployment, **body)
    assert runs_of(api, deployment) == before and len(before) == 4
    plan(api, deployment, **{**body, "max_runs": 6, "min_runs": 6})
    assert len(runs_of(api, deployment)) == 6


DAY = "2030-01-01T{:02}:00:00+00:00"


@pytest.mark.parametrize("body, hours", [
    ({}, [0, 1, 2]),
    ({"max_runs": 2}, [0, 1]), ({"max_runs": 1}, [0]), ({"max_runs": 0}, [0]), ({"max_runs": -5}, [0]),
    ({"min_runs": 5}, [0, 1, 2, 3, 4]), ({"min_runs": 5, "max_runs": 4}, [0, 1, 2, 3]),
    ({"min_runs": 1}, [0, 1]), ({"min_runs": 0, "min_time": 0}, [0]), ({"min_runs": -1, "min_time": -1}, [0]),
    ({"min_time": 4 * 3600}, [0, 1, 2, 3, 4]), ({"min_time": "PT5H"}, [0, 1, 2, 3, 4, 5]),
    ({"min_time": 10 * 3600, "max_runs": 4}, [0, 1, 2, 3]), ({"min_time": 3600.5, "min_runs": 1}, [0, 1, 2]),
    ({"end_time": "2030-01-01T01:00:00Z"}, [0, 1]), ({"end_time": "2030-01-01T00:59:59Z"}, [0]),
    ({"end_time": "2020-01-01"}, []), ({"min_runs": "2", "min_time": 0}, [0, 1]),
    ({"min_runs": None, "max_runs": None, "min_time": None, "end_time": None}, [0, 1, 2]),
])
def test_how_many_are_planned(api, body, hours):
    deployment = deploy(api, schedule=HOURLY)
    plan(api, deployment, start_time="2030-01-01T00:00:00Z", **body)
    assert starts(api, deployment) == [DAY.format(hour) for hour in hours]


def test_the_start_is_now_unless_said(api):
    deployment = deploy(api, schedule=HOURLY)
    plan(api, deployment)
    now = datetime.datetime.now(datetime.timezone.utc)
    first = datetime.datetime.fromisoformat(starts(api, deployment)[0])
    assert -5 < (first - now).total_seconds() <= 3600
    assert len(starts(api, deployment)) == 3


def test_the_end_is_a_hundred_days_after_the_start(api):
    deployment = deploy(api, schedule={"interval": 86400 * 40, "anchor_date": "2030-01-01T00:00:00+00:00"})
    plan(api, deployment, start_time="2030-01-01T00:00:00Z", min_runs=10)
    assert starts(api, deployment) == ["2030-01-01T00:00:00+00:00", "2030-02-10T00:00:00+00:00",
                                       "2030-03-22T00:00:00+00:00"]


def test_planning_gives_up_at_a_thousand(api):
    deployment = deploy(api, schedule={"interval": 1, "anchor_date": "2030-01-01T00:00:00+00:00"})
    plan(api, deployment, start_time="2030-01-01T00:00:00Z", max_runs=5000)
    assert api.made("/flow_runs/count", {"deployments": {"id": {"any_": [deployment["id"]]}}}, 200) == 1002


@pytest.mark.parametrize("fields", [{}, {"schedule": HOURLY, "is_schedule_active": False}])
def test_nothing_to_plan(api, fields):
    deployment = deploy(api, **fields)
    plan(api, deployment)
    assert runs_of(api, deployment) == []


def test_planning_that_is_refused(api):
    body = {"min_runs": "x", "max_runs": 1.5, "min_time": "zz", "start_time": "nope", "end_time": []}
    is_refused(api.post(f"/deployments/{NOBODY}/schedule", body), body,
               {"loc": ["body", "start_time"], "msg": "Unable to parse string [nope]", "type": "value_error.parser"},
               {"loc": ["body", "end_time"], "msg": "Unrecognized datetime.", "type": "value_error"},
               {"loc": ["body", "min_time"], "msg": "invalid duration format", "type": "value_error.duration"},
               {"loc": ["body", "min_runs"], "msg": "value is not a valid integer", "type": "type_error.integer"})
    is_refused(api.post(f"/deployments/{NOBODY}/schedule", []), [], *[
        {"loc": ["body", key], "msg": "field required", "type": "value_error.missing"}
        for key in ["start_time", "end_time", "min_time", "min_runs", "max_runs"]])


def test_a_schedule_that_is_none(api):
    answer = api.post("/deployments/", {"name": "d", "flow_id": NOBODY, "schedule": {"cron": "nonsense"}})
    assert answer.status_code == 422
    assert {"loc": ["body", "schedule", "cron"], "msg": 'Invalid cron string: "nonsense"',
            "type": "value_error"} in answer.json()["exception_detail"]


def test_switching_the_schedule(api):
    deployment = deploy(api, schedule=HOURLY)
    plan(api, deployment)
    by_hand = api.made(f"/deployments/{deployment['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}})
    late, pending = [run for run in runs_of(api, deployment) if run["auto_scheduled"]][:2]
    api.moved(late, {"type": "SCHEDULED", "name": "Late"}, force=True)
    api.moved(pending, "PENDING")
    answer = api.post(f"/deployments/{deployment['id']}/set_schedule_inactive")
    assert (answer.status_code, answer.text) == (200, "null")
    off = api.read(f"/deployments/{deployment['id']}")
    assert off["is_schedule_active"] is False and off["updated"] > deployment["updated"]
    # What was planned goes, late runs too; what somebody made or began stays.
    assert {run["id"] for run in runs_of(api, deployment)} == {by_hand["id"], pending["id"]}
    assert api.server.execute("SELECT count(*) FROM flow_run_state WHERE flow_run_id = ?", late["id"]) == [(0,)]
    plan(api, deployment)
    assert len(runs_of(api, deployment)) == 2
    answer = api.post(f"/deployments/{deployment['id']}/set_schedule_active")
    assert (answer.status_code, answer.text) == (200, "null")
    on = api.read(f"/deployments/{deployment['id']}")
    assert on["is_schedule_active"] is True and on["updated"] > off["updated"]
    plan(api, deployment)
    assert len([run for run in runs_of(api, deployment) if run["auto_scheduled"]]) >= 3


@pytest.mark.parametrize("active", [True, False])
def test_switching_to_what_it_is(api, active):
    deployment = deploy(api, is_schedule_active=active)
    assert api.post(f"/deployments/{deployment['id']}/set_schedule_{'' if active else 'in'}active").status_code == 200
    assert api.read(f"/deployments/{deployment['id']}") == deployment


def planned(api, deployment):
    """How many planned runs are due, and how many are not."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    due = [run["expected_start_time"] < now for run in runs_of(api, deployment) if run["auto_scheduled"]]
    return due.count(True), due.count(False)


def deploy_with_runs(api, **fields):
    """Two runs that are due, one of them late, three ahead, and one made by hand."""
    deployment = deploy(api, schedule=HOURLY, **fields)
    began = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=2)
    plan(api, deployment, start_time=began.isoformat(), min_runs=5, max_runs=5, min_time=0)
    api.moved(runs_of(api, deployment)[0], {"type": "SCHEDULED", "name": "Late"}, force=True)
    by_hand = api.made(f"/deployments/{deployment['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}})
    assert planned(api, deployment) == (2, 3)
    return deployment, by_hand


def change_deployment(api, deployment, how, **fields):
    if how == "upsert":
        kept = {key: deployment[key] for key in EMPTY.keys() - {"created_by", "updated_by", "work_pool_name"}
                - fields.keys() if deployment[key] is not None}
        again(api, deployment, **kept, **fields)
    else:
        assert api.patch(f"/deployments/{deployment['id']}", fields).status_code == 204


def changes(api, key):
    if key.endswith("document_id"):
        return {key: document(api)["id"]}
    return {key: {"schedule": {**HOURLY, "interval": 7200.0}, "parameters": {"a": 2}, "tags": ["new"],
                  "work_queue_name": unique("queue"), "infra_overrides": {"a": 2},
                  "parameter_openapi_schema": {"title": "new"}}.get(key, "new")}


@pytest.mark.parametrize("how", ["upsert", "patch"])
@pytest.mark.parametrize("key", ["schedule", "parameters", "tags", "work_queue_name", "infrastructure_document_id"])
def test_changes_drop_what_was_planned_ahead(api, how, key):
    deployment, by_hand = deploy_with_runs(api)
    change_deployment(api, deployment, how, **changes(api, key))
    due = expected("due runs of a changed deployment", api.kind)
    assert planned(api, deployment) == (due, 0)
    assert by_hand["id"] in [run["id"] for run in runs_of(api, deployment)]
    plan(api, deployment)
    assert planned(api, deployment) == (due, 3)


@pytest.mark.parametrize("how, key", [("upsert", "parameter_openapi_schema"), *[  # which PATCH does not take
    (how, key) for how in ["upsert", "patch"] for key in [None, "description", "version", "path", "entrypoint",
                                                          "manifest_path", "infra_overrides", "storage_document_id"]]])
def test_other_changes_drop_nothing(api, how, key):
    """Applying the same once more is the most frequent of them."""
    deployment, _ = deploy_with_runs(api, parameters={"b": 1, "a": [2.5, None]}, tags=["x", "y"],
                                     work_queue_name=unique("queue"))
    before = [run for run in runs_of(api, deployment) if api.kind == "orion"]
    change_deployment(api, deployment, how, **(changes(api, key) if key else {}))
    ahead = expected("runs planned ahead, and nothing they are made from changed", api.kind)
    assert planned(api, deployment) == (expected("due runs of a changed deployment", api.kind), ahead)
    assert [run["id"] for run in before] == [run["id"] for run in runs_of(api, deployment)][:len(before)]
    plan(api, deployment)
    assert planned(api, deployment)[1] == 3


@pytest.mark.parametrize("how", ["upsert", "patch"])
def test_a_schedule_switched_off_drops_all(api, how):
    deployment, by_hand = deploy_with_runs(api)
    change_deployment(api, deployment, how, is_schedule_active=False)
    assert [run["id"] for run in runs_of(api, deployment)] == [by_hand["id"]]


@pytest.mark.parametrize("name", ["AwaitingRetry", "Scheduled"])
def test_what_was_due_once_stays(api, name):
    """A run that waits for its next try, or that somebody put off, is none that the schedule will plan again."""
    deployment, _ = deploy_with_runs(api)
    run = runs_of(api, deployment)[0]
    later = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=5)).isoformat()
    api.moved(run, {"type": "SCHEDULED", "name": name, "state_details": {"scheduled_time": later}}, force=True)
    change_deployment(api, deployment, "patch", tags=["new"])
    assert (run["id"] in [run["id"] for run in runs_of(api, deployment)]) == \
        bool(expected("due runs of a changed deployment", api.kind))


@pytest.mark.parametrize("how", ["upsert", "patch"])
def test_an_interval_keeps_its_anchor(api, how):
    deployment = deploy(api, schedule={"interval": 3600})
    anchor = deployment["schedule"]["anchor_date"]
    assert abs((datetime.datetime.fromisoformat(anchor)
                - datetime.datetime.now(datetime.timezone.utc)).total_seconds()) < 60
    change_deployment(api, deployment, how, schedule={"interval": 3600, "timezone": "UTC"})
    now = api.read(f"/deployments/{deployment['id']}")["schedule"]["anchor_date"]
    assert (now == anchor) == (expected("anchor of an interval that is applied again", api.kind) == "kept")
    for other in {"interval": 3601}, {"interval": 3601, "timezone": "Europe/Paris"}, \
            {"interval": 3601, "anchor_date": HOURLY["anchor_date"]}:
        before = api.read(f"/deployments/{deployment['id']}")["schedule"]["anchor_date"]
        change_deployment(api, deployment, how, schedule=other)
        assert api.read(f"/deployments/{deployment['id']}")["schedule"]["anchor_date"] != before


def test_a_planned_run_with_data_goes_too(api):
    """The artifact of the data that a state carried holds the run fast in the reference."""
    deployment = deploy(api, schedule=HOURLY)
    plan(api, deployment, max_runs=1)
    [run] = runs_of(api, deployment)
    api.moved(run, {"type": "SCHEDULED", "name": "AwaitingRetry", "data": {"x": 1}}, force=True)
    answer = api.patch(f"/deployments/{deployment['id']}", {"tags": ["new"]})
    assert answer.status_code == expected("deleting a run with data", api.kind)


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

"""/deployments: the schedules, which runs they plan, and what changes of a deployment do to planned runs."""
import datetime

import pytest

from tests.api.deployments import EMPTY, HOURLY, POOL, again, deploy, document, is_refused, plan, runs_of, starts
from tests.lib.api_client import NOBODY, unique
from tests.lib.differences import expected
from tests.lib.shapes import DETAILS, FLOW_RUN, UUID, is_row, stored


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

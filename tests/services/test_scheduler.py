"""The scheduler services: which runs both servers plan for the same deployments, what the settings change, and that
nothing is planned twice where one server takes over the database that the other one filled."""
import collections
import contextlib
import json
import time
import uuid

import httpx
import pytest

from tests.lib import servers

KINDS = ["orion", "reference"]
PLANNED_SECONDS = 30
ON = {"PREFECT_ORION_SERVICES_SCHEDULER_ENABLED": "true", "PREFECT_ORION_SERVICES_SCHEDULER_LOOP_SECONDS": "1"}
# Dates far enough apart, or on full ten minutes, so that two servers asked within some seconds plan the same ones.
SCHEDULES = {
    "every ten minutes": {"interval": 600, "anchor_date": "2024-01-01T00:00:00+00:00"},
    "hourly in New York": {"interval": 3600, "anchor_date": "2024-01-01T00:00:00-05:00",
                           "timezone": "America/New_York"},
    "daily in Berlin": {"interval": 86400, "anchor_date": "2024-01-01T09:00:00+01:00", "timezone": "Europe/Berlin"},
    "every sixty days": {"interval": 86400 * 60, "anchor_date": "2024-01-01T00:00:00+00:00"},
    "cron": {"cron": "0 3 * * mon,wed", "timezone": "Asia/Kolkata"},
    "cron in UTC": {"cron": "*/20 * * * *"},
    "rrule": {"rrule": "DTSTART:20240101T103000\nFREQ=WEEKLY;BYDAY=TU,TH", "timezone": "America/New_York"},
    "rrule that ended": {"rrule": "DTSTART:20200101T103000\nFREQ=DAILY;COUNT=3", "timezone": "UTC"},
}
UNPLANNED = {
    "switched off": {"schedule": {"interval": 600}, "is_schedule_active": False},
    "without a schedule": {},
}


class Server:
    """A server with its deployments."""

    def __init__(self, server):
        self.server = server
        self.http = httpx.Client(base_url=server.url, timeout=60, trust_env=False)

    def post(self, path, body):
        answer = self.http.post(path, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def deploy(self, name, schedule=None, **fields):
        flow = self.post("/flows/", {"name": "scheduled"})
        return self.post("/deployments/", {"name": name, "flow_id": flow["id"], "schedule": schedule, **fields})["id"]

    def planned(self):
        """Of each deployment by name: what the keys of its runs say after its id, in order of time."""
        rows = self.server.execute("SELECT deployment.name, flow_run.idempotency_key, deployment.id FROM flow_run"
                                   " JOIN deployment ON deployment.id = flow_run.deployment_id"
                                   " ORDER BY flow_run.next_scheduled_start_time")
        found = collections.defaultdict(list)
        for name, key, deployment in rows:
            assert key.startswith(f"scheduled {deployment} ")
            found[name].append(key.removeprefix(f"scheduled {deployment} "))
        return dict(found)

    def wait_for(self, *names):
        deadline = time.monotonic() + PLANNED_SECONDS
        while not set(names) <= set(self.planned()):
            assert time.monotonic() < deadline, f"not planned: {set(names) - set(self.planned())}\n{self.server.log()}"
            time.sleep(0.1)

    def wait_for_a_round(self):
        """Until the scheduler has been round once more: what was deployed before the probe has been looked at by
        then."""
        for _ in range(2):
            probe = f"probe {uuid.uuid4()}"
            self.deploy(probe, {"interval": 86400 * 50})
            self.wait_for(probe)

    def without_probes(self):
        return {name: dates for name, dates in self.planned().items() if not name.startswith("probe")}

    def counts(self):
        return {name: len(dates) for name, dates in self.without_probes().items()}


@contextlib.contextmanager
def scheduling(kind, engine, **options):
    with servers.running(kind, database=engine, **{**ON, **options}) as server:
        yield Server(server)


def away_from_ten_minutes():
    """No date of a schedule may come while servers are compared, or their runs counted."""
    left = 600 - time.time() % 600
    if left < 60:
        time.sleep(left + 1)


RUN = ["state_type", "run_count", "start_time", "end_time", "total_run_time", "flow_version", "parameters", "context",
       "empirical_policy", "tags", "auto_scheduled", "parent_task_run_id", "state_name", "infrastructure_document_id",
       "work_queue_name", "state_timestamp", "created_by", "infrastructure_pid", "expected_start_time",
       "next_scheduled_start_time"]
STATE = ["type", "name", "message", "state_details", "data", "result_artifact_id"]
SAME = ["flow_run.state_id = state.id", "flow_run.work_queue_id = deployment.work_queue_id",
        "flow_run.flow_id = deployment.flow_id"]
# Times of now, of which only the form can be compared, and only where it is text.
FORMS = ["length(flow_run.created)", "length(flow_run.updated)", "length(state.timestamp)", "length(state.created)"]
SELECT_END = (" FROM flow_run JOIN flow_run_state AS state ON state.flow_run_id = flow_run.id"
              " JOIN deployment ON deployment.id = flow_run.deployment_id"
              " WHERE deployment.name NOT LIKE 'probe%' ORDER BY deployment.name, flow_run.next_scheduled_start_time")


def rows_of(server):
    """The id of each planned run, and all that must be alike."""
    columns = [f"flow_run.{column}" for column in ["id", *RUN]] + [f"state.{column}" for column in STATE] + SAME \
        + (FORMS if server.engine == "sqlite" else [])
    return server.execute(f"SELECT {', '.join(columns)}" + SELECT_END)


class Played:
    """What one server plans by itself, and what the other one makes of it."""

    def enter(self, server):
        fields = {"parameters": {"x": 1.10, "ö": [1]}, "tags": ["b", "a"], "work_queue_name": "planned"}
        for name, schedule in SCHEDULES.items():
            server.deploy(name, schedule, **fields)
        for name, fields in UNPLANNED.items():
            server.deploy(name, **fields)

    def read(self, server):
        server.wait_for(*(name for name in SCHEDULES if name != "rrule that ended"))
        server.wait_for_a_round()
        self.planned = server.without_probes()
        self.rows = rows_of(server.server)

    def read_after_swap(self, server):
        server.wait_for_a_round()
        self.planned_after_swap = server.without_probes()
        self.rows_after_swap = rows_of(server.server)
        self.twice = server.server.execute(
            "SELECT deployment_id, next_scheduled_start_time FROM flow_run GROUP BY 1, 2 HAVING count(*) > 1")


@pytest.fixture(scope="module")
def played(tmp_path_factory, engine):
    homes, found = {kind: tmp_path_factory.mktemp(kind) for kind in KINDS}, {kind: Played() for kind in KINDS}
    for swapped in [False, True]:
        with contextlib.ExitStack() as stack:
            both = {kind: stack.enter_context(scheduling(kind, engine, home=homes[KINDS[KINDS.index(kind) - swapped]]))
                    for kind in KINDS}
            if not swapped:
                away_from_ten_minutes()
                for kind, server in both.items():
                    found[kind].enter(server)
                for kind, server in both.items():
                    found[kind].read(server)
            else:
                for kind, server in both.items():
                    found[KINDS[KINDS.index(kind) - 1]].read_after_swap(server)
    return found


def test_both_plan_the_same(played):
    assert played["orion"].planned == played["reference"].planned


def test_what_is_planned(played):
    counts = {name: len(dates) for name, dates in played["orion"].planned.items()}
    # At least three, for at least an hour, none later than in a hundred days.
    assert counts.pop("every sixty days") in (1, 2)
    assert counts == {"every ten minutes": 7, "cron in UTC": 4, "hourly in New York": 3, "daily in Berlin": 3,
                      "cron": 3, "rrule": 3}


def test_rows_are_alike(played):
    ours, theirs = played["orion"].rows, played["reference"].rows
    assert len(ours) > 20
    assert [row[1:] for row in ours] == [row[1:] for row in theirs]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_planned_twice_after_a_swap(played, kind):
    one = played[kind]
    assert one.twice == []
    # Time may have gone on: what is added comes after what was there, which stays as it was.
    assert {name: dates[:len(one.planned[name])] for name, dates in one.planned_after_swap.items()} == one.planned
    assert set(one.rows) <= set(one.rows_after_swap)


SETTINGS = {"PREFECT_ORION_SERVICES_SCHEDULER_MIN_RUNS": "5", "PREFECT_ORION_SERVICES_SCHEDULER_MAX_RUNS": "9",
            "PREFECT_ORION_SERVICES_SCHEDULER_MIN_SCHEDULED_TIME": "21600",
            "PREFECT_ORION_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME": "345600",
            "PREFECT_ORION_SERVICES_SCHEDULER_DEPLOYMENT_BATCH_SIZE": "1",
            "PREFECT_ORION_SERVICES_SCHEDULER_INSERT_BATCH_SIZE": "2"}


def test_settings(which):
    with scheduling(*which, **SETTINGS) as server:
        away_from_ten_minutes()
        for name, seconds in {"ten minutes": 600, "hour": 3600, "day": 86400, "month": 86400 * 30}.items():
            server.deploy(name, {"interval": seconds, "anchor_date": "2024-01-01T00:00:00+00:00"})
        server.wait_for("ten minutes", "hour", "day")
        server.deploy("last", {"interval": 3600 * 10, "anchor_date": "2024-01-01T00:00:00+00:00"})
        expected = {"ten minutes": 9, "hour": 7, "day": 4, "last": 5}
        deadline = time.monotonic() + 30
        while {**server.counts(), "month": 1} != {**expected, "month": 1} and time.monotonic() < deadline:
            time.sleep(0.1)  # the batches of one round are committed one by one
        time.sleep(3)  # a round more adds nothing
        counts = server.counts()
        assert counts.pop("month", 1) == 1  # the far one may be looked at or not
        assert counts == expected


def test_off(which):
    with scheduling(*which, PREFECT_ORION_SERVICES_SCHEDULER_ENABLED="false") as server:
        server.deploy("not planned", SCHEDULES["hourly in New York"])
        time.sleep(2.5)
        assert server.planned() == {}


def test_a_broken_schedule_keeps_nobody_waiting(engine):
    no_json = ["{"] if engine == "sqlite" else []
    with scheduling("orion", engine) as server:
        broken = server.deploy("broken", {"interval": 3600})
        server.wait_for("broken")
        server.server.execute("DELETE FROM flow_run")
        for schedule in ['{"cron": "nonsense"}', "[]", '{"interval": -1}', '{"rrule": "FREQ=NEVER"}', *no_json]:
            server.server.execute("UPDATE deployment SET schedule = ? WHERE id = ?", schedule, broken)
            server.wait_for_a_round()
            assert "broken" not in server.planned(), schedule
        assert f"Error scheduling deployment {broken}" in server.server.log()


def test_a_changed_schedule_is_planned_anew(engine):
    with scheduling("orion", engine, PREFECT_ORION_SERVICES_SCHEDULER_LOOP_SECONDS="3600") as server:
        # Only the service for what changed a moment ago can have done it.
        deployment = server.deploy("changed", {"interval": 3600, "anchor_date": "2024-01-01T00:00:00+00:00"})
        server.wait_for("changed")
        answer = server.http.patch(f"/deployments/{deployment}", json={"schedule": {"cron": "17 4 * * *"}})
        assert answer.status_code == 204 and server.planned() == {}
        server.wait_for("changed")
        assert {date[11:] for date in server.planned()["changed"]} == {"04:17:00+00:00"}
        assert server.http.post(f"/deployments/{deployment}/set_schedule_inactive").status_code == 200
        time.sleep(6)
        assert server.planned() == {}
        assert server.http.post(f"/deployments/{deployment}/set_schedule_active").status_code == 200
        server.wait_for("changed")


def test_many_deployments_hold_nobody_up(engine, tmp_path):
    with servers.running("orion", home=tmp_path, database=engine) as quiet:
        server = Server(quiet)
        for n in range(300):
            server.deploy(f"deployment {n}", {"interval": 60})
    with scheduling("orion", engine, home=tmp_path) as server:
        slowest = 0
        while server.server.execute("SELECT count(*) FROM flow_run") < [(300 * 60,)]:
            began = time.monotonic()
            server.post("/flows/", {"name": str(uuid.uuid4())})
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 1.5


def test_planned_parameters_are_those_of_the_deployment(engine):
    with scheduling("orion", engine) as server:
        server.deploy("parameters", {"interval": 86400}, parameters={"x": [1, {"y": None}]}, tags=["t"])
        server.wait_for("parameters")
        [(parameters, tags)] = server.server.execute("SELECT DISTINCT parameters, tags FROM flow_run")
        assert (json.loads(parameters), json.loads(tags)) == ({"x": [1, {"y": None}]}, ["auto-scheduled", "t"])

"""Three servers on one database, started at once on an empty one, with all services, under clients who get in each
other's way; one server is killed in the middle. All tests look at the one history that comes of it."""
import collections
import json
import os
import signal
import threading
import time
import uuid

import pytest

from tests.lib import postgres, servers
from tests.lib.load import Client, Threads
from tests.lib.receiver import Receiver, wait_until
from .crowd import LIMITS, Crowd, One, moment
from .invariants import ALWAYS, CHECKS, problems
from .session import SESSIONS, Session

FULL = os.environ.get("ORION_TEST_FULL") == "1"
SECONDS = 240 if FULL else 24
CLIENTS, SERVERS, CONNECTIONS = 16, 3, 6
SLACK = {"url": "https://hooks.slack.com/services/T1/B2/c3"}
SETTINGS = {
    **{f"PREFECT_ORION_SERVICES_{service}_ENABLED": "true" for service in servers.SERVICES},
    **{f"PREFECT_ORION_SERVICES_{service}_LOOP_SECONDS": "0.3"
       for service in ("LATE_RUNS", "PAUSE_EXPIRATIONS", "CANCELLATION_CLEANUP", "SCHEDULER")},
    "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS": "1",
    "PREFECT_ORION_SERVICES_SCHEDULER_MIN_RUNS": "20",
    "PREFECT_ORION_SERVICES_SCHEDULER_MIN_SCHEDULED_TIME": "40",
    "PREFECT_ORION_API_KEEPALIVE_TIMEOUT": "120",
    "ORION_DATABASE_CONNECTIONS": str(CONNECTIONS),
}


def start(cluster, database, receiver, home, port=None):
    return servers.Server("orion", home=home, port=port, PREFECT_ORION_DATABASE_CONNECTION_URL=cluster.url(database),
                          **SETTINGS, **receiver.environment)


class Watcher:
    """Looks on all the time: what must hold at each moment, and how many connections there are."""

    def __init__(self, cluster, database):
        self.cluster, self.database = cluster, database
        self.found, self.looks, self.connections, self.most = [], 0, 0, collections.Counter()
        self.ending = threading.Event()
        self.thread = Threads(1, lambda _: self.look())

    def look(self):
        with Session(self.cluster, self.database) as session:
            while not self.ending.is_set():
                session("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                self.found += problems(session, ALWAYS)
                for tag, used in session("SELECT tag, jsonb_array_length(active_slots) FROM concurrency_limit"):
                    self.most[tag] = max(self.most[tag], used)
                self.connections = max(self.connections, session.one(SESSIONS))
                session("COMMIT")
                self.looks += 1
                time.sleep(0.03)

    def stop(self):
        self.ending.set()
        self.thread.join()


# ---- what the services are to do, each exactly once ----

class Duties:
    def __init__(self, crowd):
        self.crowd, self.one = crowd, One(crowd, "duties")
        self.secrets = {}
        self.alarms, self.late, self.paused, self.cancelled_tasks, self.cancelled_flows = [], [], [], [], []

    def keep_secrets(self):
        """By all clients at once: the first one makes the key for all."""
        block_type = self.one.get("/block_types/slug/secret").value
        [schema] = self.one.post("/block_schemas/filter",
                                 {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}).value
        body = {"is_anonymous": True, "block_type_id": block_type["id"], "block_schema_id": schema["id"]}

        def work(number):
            document = Client(self.crowd.servers[number % SERVERS]).made(
                "/block_documents/", {**body, "data": {"value": f"secret {number}"}})
            return document["id"], f"secret {number}"

        self.secrets = dict(Threads(CLIENTS, work).join())

    def ask_for_alarms(self):
        block_type = self.one.get("/block_types/slug/slack-webhook").value
        [schema] = self.one.post("/block_schemas/filter",
                                 {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}).value
        block = self.one.made("/block_documents/", {"name": "alarms", "block_type_id": block_type["id"],
                                                    "block_schema_id": schema["id"], "data": SLACK})
        self.one.made("/flow_run_notification_policies/",
                      {"state_names": ["Crashed"], "tags": ["alarm"], "block_document_id": block["id"],
                       "message_template": "{flow_run_id}"})

    def raise_alarms(self, count):
        for _ in range(count):
            run = self.one.flow_run(tags=["alarm"])
            assert self.one.move("flow_runs", run, "CRASHED") == "ACCEPT"
            self.alarms.append(run["id"])

    def give_work(self, count):
        for _ in range(count):
            due = {"type": "SCHEDULED", "state_details": {"scheduled_time": moment(-60)}}
            self.late.append(self.one.flow_run(state=due)["id"])
            run = self.one.flow_run(state={"type": "RUNNING"})
            self.one.move("flow_runs", run, "PAUSED", state_details={"pause_timeout": moment(0.2)})
            self.paused.append(run["id"])
        for _ in range(count // 3):
            parent = self.one.flow_run(state={"type": "RUNNING"})
            tasks = [self.one.task_run(parent) for _ in range(3)]
            child = self.one.flow_run(parent_task_run_id=tasks[0]["id"])
            for kind, run in [("flow_runs", child), ("task_runs", tasks[1]), ("task_runs", tasks[2])]:
                self.one.move(kind, run, "RUNNING")
            assert self.one.move("flow_runs", parent, "CANCELLED") == "ACCEPT"
            self.cancelled_tasks += [task["id"] for task in tasks[1:]]
            self.cancelled_flows.append(child["id"])


def idle(session, duties):
    return (session.one("SELECT count(*) FROM flow_run_notification_queue") == 0
            and session.one("SELECT count(*) FROM flow_run WHERE state_type = 'PAUSED'") == 0
            and session.one("SELECT count(*) FROM flow_run WHERE state_name ="
                            " 'Scheduled' AND next_scheduled_start_time < now() - interval '3 seconds'") == 0
            and session.one("SELECT count(*) FROM flow_run WHERE id::text = ANY($1) AND state_type <> 'CANCELLED'",
                            duties.cancelled_flows) == 0
            and session.one("SELECT count(*) FROM task_run WHERE id::text = ANY($1) AND state_type <> 'CANCELLED'",
                            duties.cancelled_tasks) == 0)


History = collections.namedtuple("History", "cluster database receiver crowd duties watcher logs statuses")


def play(cluster, database, receiver, homes):
    running = [start(cluster, database, receiver, home) for home in homes]  # at one moment
    try:
        for server in running:
            server.wait()
        crowd = Crowd(running, seed=uuid.uuid4().hex)
        print("seed", crowd.seed)
        duties, watcher = Duties(crowd), Watcher(cluster, database)
        duties.keep_secrets()
        duties.ask_for_alarms()
        begun = time.monotonic()
        crowd.start(CLIENTS)
        with Session(cluster, database) as session:
            duties.raise_alarms(12)
            duties.give_work(12)
            wait_until(lambda: session.one("SELECT count(*) FROM flow_run_notification_queue") == 0, 60)
            time.sleep(max(0, begun + SECONDS / 2 - time.monotonic()))
            # One dies, and comes back. What it was just sending might be sent again later, so there is nothing of that
            # now.
            crowd.down.set()
            dead = running[2]
            dead.signal(signal.SIGKILL)
            dead.process.wait(10)
            logs = [server.log() for server in running]
            time.sleep(1)
            running[2] = start(cluster, database, receiver, dead.home, dead.port).wait()
            crowd.restarts += 1
            time.sleep(0.5)  # for requests that are under way
            crowd.down.clear()
            duties.raise_alarms(12)
            duties.give_work(12)
            time.sleep(max(0, begun + SECONDS - time.monotonic()))
            crowd.stop()
            one = One(crowd, "end")
            for deployment in one.post("/deployments/filter", {}).value:
                one.post(f"/deployments/{deployment['id']}/set_schedule_inactive")
            wait_until(lambda: idle(session, duties), 60)
            time.sleep(1)
        watcher.stop()
    finally:
        statuses = [server.stop() for server in running]
    return History(cluster, database, receiver, crowd, duties, watcher, logs + [server.log() for server in running],
                   statuses)


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    cluster, database = postgres.cluster(), f"many_{uuid.uuid4().hex}"
    cluster.create_database(database)
    with Receiver(tmp_path_factory.mktemp("receiver")) as receiver:
        yield play(cluster, database, receiver, [tmp_path_factory.mktemp("server") for _ in range(SERVERS)])
    cluster.drop_database(database)


@pytest.fixture
def stored(history):
    with Session(history.cluster, history.database) as session:
        yield session


# ---- what must have come of it ----

def test_there_was_a_crowd(history, stored):
    """Else the rest would say little."""
    done = history.crowd.journal.done
    print(sum(history.crowd.journal.statuses.values()), "requests", dict(done), dict(history.watcher.most),
          history.watcher.looks, "looks")
    assert all(done[status] > 20 for status in ("ACCEPT", "ABORT", "WAIT", "REJECT"))
    assert history.watcher.looks > SECONDS
    assert history.watcher.most == LIMITS
    assert len(history.crowd.journal.states) > 5 * SECONDS
    assert done["away"] > 0 and done["submitted"] > 0


def test_every_server_came_up_on_the_empty_database_and_ended_in_order(history, stored):
    assert history.statuses == [0] * SERVERS
    for log in history.logs:
        told = [line for line in log.splitlines() if "ERROR" in line or "could not be registered" in line]
        # a run in a flow that somebody deletes
        assert [line for line in told if "violates foreign key" not in line] == []
    assert stored.one("SELECT count(*) FROM block_type") > 20


def test_no_more_connections_than_allowed(history):
    # those of the dead one may live on a little
    assert CONNECTIONS < history.watcher.connections <= SERVERS * CONNECTIONS + CONNECTIONS


def test_no_request_failed(history):
    assert set(history.crowd.journal.statuses) <= {200, 201, 204, 404, 409}
    assert history.crowd.journal.done["collided"] == 0


def test_what_must_hold_at_each_moment(history):
    assert history.watcher.found == []


def test_what_must_hold_at_the_end(stored):
    assert problems(stored) == []


def test_one_row_for_one_key(history):
    assert {key: ids for key, ids in history.crowd.journal.by_key.items() if len(ids) != 1} == {}


def test_every_acknowledged_row_is_there_and_every_deleted_one_is_not(history, stored):
    journal = history.crowd.journal
    for table, ids in journal.rows.items():
        assert ids - {row for row, in stored(f"SELECT id FROM {table}")} == set(), table
    assert journal.deleted and stored("SELECT id FROM flow_run WHERE id::text = ANY($1)", list(journal.deleted)) == []
    assert stored("SELECT id FROM task_run WHERE id::text = ANY($1)", list(journal.deleted)) == []
    messages = collections.Counter(message for message, in stored("SELECT message FROM log"))
    assert all(messages[message] == 1 for message in journal.logs)
    names = dict(stored("SELECT id, name FROM flow_run WHERE tags ? 'renamed'"))
    assert {run: name for run, name in journal.names.items() if names.get(run) != name} == {}


def test_every_accepted_transition_is_there(history, stored):
    found = {(kind, run, state) for kind in ("flow_run", "task_run")
             for run, state in stored(f"SELECT {kind}_id, id FROM {kind}_state")}
    assert history.crowd.journal.states - found == set()


def test_a_submitted_run_was_submitted_once(stored):
    assert stored("SELECT flow_run_id FROM flow_run_state JOIN flow_run ON flow_run.id = flow_run_id"
                  " WHERE auto_scheduled AND type = 'PENDING'"
                  " GROUP BY flow_run_id HAVING count(*) > 1") == []


def test_runs_were_planned_and_none_is_left_of_schedules_that_are_off(stored):
    assert stored.one("SELECT count(*) FROM flow_run WHERE auto_scheduled") > 20
    assert stored("SELECT id FROM flow_run WHERE auto_scheduled AND state_name = 'Scheduled'") == []


def names_of(stored, kind, ids):
    rows = stored(f"SELECT {kind}_id, array_agg(name ORDER BY timestamp) FROM {kind}_state"
                  f" WHERE {kind}_id::text = ANY($1) GROUP BY 1", ids)
    assert len(rows) == len(ids) > 0
    return {tuple(names) for _, names in rows}


def test_services_did_each_thing_once(history, stored):
    duties = history.duties
    assert names_of(stored, "flow_run", duties.late) == {("Scheduled", "Late")}
    assert names_of(stored, "flow_run", duties.paused) == {("Running", "Paused", "Failed")}
    assert names_of(stored, "flow_run", duties.cancelled_flows) == {("Pending", "Running", "Cancelled")}
    assert names_of(stored, "task_run", duties.cancelled_tasks) == {("Pending", "Running", "Cancelled")}


def test_each_notification_was_sent_once(history):
    told = collections.Counter(json.loads(request["body"])["attachments"][0]["text"]
                               for request in history.receiver.requests)
    assert told == collections.Counter(history.duties.alarms)


def test_every_secret_can_be_read(history, tmp_path):
    with Receiver(tmp_path) as receiver:
        server = start(history.cluster, history.database, receiver, tmp_path).wait()
    try:
        client = Client(server)
        found = {id_: client.get(f"/block_documents/{id_}?include_secrets=true").value["data"]["value"]
                 for id_ in history.duties.secrets}
    finally:
        server.stop()
    assert found == history.duties.secrets


# ---- the checks can fail ----

RUNNING = "(SELECT id FROM flow_run WHERE state_type = 'COMPLETED' AND run_count > 0 LIMIT 1)"
TASK = "(SELECT id FROM task_run WHERE state_type = 'RUNNING' LIMIT 1)"
COPY = ("INSERT INTO {0} SELECT (jsonb_populate_record(row, jsonb_build_object('id', gen_random_uuid()) || '{1}')).*"
        " FROM {0} AS row WHERE {2} LIMIT 1")
PLANTED = {
    "flow_run: run_count is not how often it ran":
        f"UPDATE flow_run SET run_count = run_count + 1 WHERE id = {RUNNING}",
    "task_run: run_count is not how often it ran": "UPDATE task_run SET run_count = 0 WHERE run_count > 0",
    "flow_run: its state is not its latest one":
        "UPDATE flow_run_state SET timestamp = timestamp + interval '1 day' WHERE type = 'PENDING'",
    "flow_run: it names a state that is not there or not its own": f"UPDATE flow_run SET state_id = NULL"
        f" WHERE id = {RUNNING}",
    "task_run: it names a state that is not there or not its own":
        "UPDATE task_run SET state_name = 'Another' WHERE state_type = 'RUNNING'",
    "flow_run: two states have one timestamp": COPY.format("flow_run_state", "{}", "type = 'RUNNING'"),
    "flow_run: a state without its run": COPY.format("flow_run_state",
                                                     '{"flow_run_id": "00000000-0000-4000-8000-000000000000"}', "true"),
    "task_run: a state's details name another run": "UPDATE task_run_state SET state_details = state_details ||"
        " jsonb_build_object('task_run_id', gen_random_uuid())",
    "flow_run: a step that the rules do not allow": COPY.format("flow_run_state", '{"timestamp": "2100-01-01"}',
                                                                "type = 'COMPLETED'"),
    "flow_run: total_run_time is not the time that it ran":
        f"UPDATE flow_run SET total_run_time = total_run_time + interval '1 microsecond' WHERE id = {RUNNING}",
    "task_run: start_time is not when it first ran":
        "UPDATE task_run SET start_time = start_time + interval '1 second'",
    "flow_run: end_time does not fit": f"UPDATE flow_run SET end_time = NULL WHERE id = {RUNNING}",
    "flow_run: it was marked late more than once": "UPDATE flow_run_state SET name = 'Late'",
    "slots over the limit": "UPDATE concurrency_limit SET concurrency_limit = 0",
    "a running task without its slot": "UPDATE concurrency_limit SET active_slots = '[]'",
    "a slot whose task does not run": "UPDATE task_run SET state_type = 'COMPLETED'",
    "a slot held twice": "UPDATE concurrency_limit SET active_slots = active_slots || active_slots",
    "two runs for one key": COPY.format("flow_run", "{}", "idempotency_key IS NOT NULL"),
    "two task runs for one key": COPY.format("task_run", "{}", "true"),
    "a run scheduled twice": COPY.format("flow_run", '{"idempotency_key": "another"}', "auto_scheduled"),
    "a run scheduled with no state or several": "DELETE FROM flow_run_state WHERE name = 'Scheduled'",
    "a task run without its flow run": "DELETE FROM flow_run WHERE id IN (SELECT flow_run_id FROM task_run)",
    "two encryption keys": COPY.format("configuration", "{}", "true"),
    "two block types of one name": COPY.format("block_type", "{}", "true"),
    "two block schemas of one kind": COPY.format("block_schema", "{}", "true"),
    "two flows of one name": COPY.format("flow", "{}", "true"),
    "two deployments of one name": COPY.format("deployment", "{}", "true"),
    "two work queues of one name": COPY.format("work_queue", "{}", "true"),
    "more than one revision": "INSERT INTO alembic_version VALUES ('another')",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A small database in which all is well."""
    cluster, database = postgres.cluster(), f"sound_{uuid.uuid4().hex}"
    cluster.create_database(database)
    with servers.running("orion", PREFECT_ORION_DATABASE_CONNECTION_URL=cluster.url(database),
                         PREFECT_ORION_SERVICES_SCHEDULER_ENABLED="true") as server:
        client = Client(server)
        flow = client.flow()
        client.post("/concurrency_limits/", {"tag": "a", "concurrency_limit": 2})
        busy = client.flow_run(flow, state={"type": "RUNNING"}, idempotency_key="once")
        ended = client.flow_run(flow)
        client.set_state("task_runs", client.task_run(busy, tags=["a"]), "RUNNING")
        for type_ in ("RUNNING", "COMPLETED"):
            client.set_state("flow_runs", ended, type_)
        client.post("/deployments/",
                    {"name": "d", "flow_id": flow["id"], "work_queue_name": "q", "schedule": {"interval": 3600}})
        block_type = client.get("/block_types/slug/secret").value
        [schema] = client.post("/block_schemas/filter",
                               {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}).value
        client.made("/block_documents/", {"is_anonymous": True, "block_type_id": block_type["id"],
                                          "block_schema_id": schema["id"], "data": {"value": "s"}})
        wait_until(lambda: client.post("/flow_runs/count", {"deployments": {"name": {"any_": ["d"]}}}).value > 0)
    with Session(cluster, database) as session:
        # Nothing keeps a fault out of the database here.
        session("SET session_replication_role = replica")
        for table, name in session(
                "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '%UNIQUE%'"):
            session(f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE"
                    if session("SELECT 1 FROM pg_constraint WHERE conname = $1", name) else f"DROP INDEX {name}")
        yield session
    cluster.drop_database(database)


@pytest.mark.parametrize("name", PLANTED)
def test_the_checker_finds(sound, name):
    assert problems(sound) == []
    sound("BEGIN")
    try:
        sound(PLANTED[name])
        assert name in {line.rpartition(": ")[0] for line in problems(sound)}
    finally:
        sound("ROLLBACK")


def test_every_check_was_seen_to_fail():
    assert {name.removeprefix("flow_run: ").removeprefix("task_run: ") for name in CHECKS} == \
        {name.removeprefix("flow_run: ").removeprefix("task_run: ") for name in PLANTED}

"""The wall clock is set an hour forwards and backwards while clients and agents work and all services run: no run is
lost, none is planned twice, and states stay ordered. libfaketime stands between the server and its clock; that of the
machine stays as it is. With ORION_TEST_FULL=1 it is set many more times."""
import collections
import contextlib
import datetime
import os
import re
import threading
import time
import uuid
from pathlib import Path

import pytest

from tests.lib import postgres, servers
from tests.lib.api_client import Api
from tests.lib.load import Client, Threads
from tests.lib.receiver import Receiver, wait_until
from tests.postgres.invariants import problems
from tests.postgres.session import Session
from tests.services.test_flow_run_notifications import policy, slack_text

LIBRARY = "faketime/libfaketimeMT.so.1"
HOUR = 3600
STEPS = [HOUR, 0, -HOUR, 0] * (8 if os.environ.get("ORION_TEST_FULL") == "1" else 1)
PATIENCE = 120
WRITERS, AGENTS = 3, 2
PERIODS = {"scheduler": 0.5, "recentdeploymentsscheduler": 5, "marklateruns": 0.3, "failexpiredpauses": 0.3,
           "cancellationcleanup": 0.3, "flowrunnotifications": 4}
FREQUENT = [name for name, seconds in PERIODS.items() if seconds < 1]
SETTINGS = {**{f"PREFECT_ORION_SERVICES_{service}_ENABLED": "true" for service in servers.SERVICES},
            "PREFECT_ORION_SERVICES_SCHEDULER_LOOP_SECONDS": "0.5",
            "PREFECT_ORION_SERVICES_LATE_RUNS_LOOP_SECONDS": "0.3",
            "PREFECT_ORION_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS": "0.3",
            "PREFECT_ORION_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS": "0.3",
            "PREFECT_ORION_API_KEEPALIVE_TIMEOUT": "1800",
            "PREFECT_LOGGING_SERVER_LEVEL": "DEBUG"}
EVERY = 300  # seconds between two runs of the deployments whose plans must be complete
WHOLE = {"interval": {"interval": EVERY, "anchor_date": "2024-01-01T00:00:00+00:00"},
         "cron": {"cron": "*/5 * * * *"},
         "rrule": {"rrule": "DTSTART:20240101T000000\nFREQ=MINUTELY;INTERVAL=5", "timezone": "UTC"}}
# A new date each second: only so many are planned ahead, so that there are gaps after a step forwards.
BUSY = {"interval": 1, "anchor_date": "2024-01-01T00:00:00+00:00"}
PLANNED = re.compile(r"Scheduled( Late)?( Pending( Running( Completed)?)?)?")


class FakeClock:
    """The server's clock: the machine's, so many seconds ahead. Clients that have a clock go by this one, too."""

    def __init__(self, folder):
        found = sorted(Path("/usr/lib").glob(f"*/{LIBRARY}"))
        if not found:
            pytest.skip("libfaketime is not installed: run tools/setup test")
        self.file, self.offset = folder / "clock", 0
        self.set(0)
        # Timers must go by the monotonic clock, which nobody sets; nor do the times of files change when a clock is
        # set. Without the last of these, its own waits by that clock end at once.
        self.environment = {"LD_PRELOAD": str(found[0]), "FAKETIME_TIMESTAMP_FILE": str(self.file),
                            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
                            "FAKETIME_FORCE_MONOTONIC_FIX": "0"}

    def set(self, offset):
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{offset:+}\n")
        fresh.replace(self.file)
        self.offset = offset

    def now(self, more=0):
        moment = datetime.datetime.now(datetime.timezone.utc)
        return moment + datetime.timedelta(seconds=self.offset + more)


class Load:
    """Clients that make runs and move them, agents that take runs of deployments, until stop(). What they were told is
    kept in `journal`: of each run the ids of its states, in the order of the answers."""

    def __init__(self, server, clock, queue):
        self.server, self.clock, self.queue = server, clock, queue
        self.flow = Client(server).flow()
        self.journal = collections.defaultdict(list)
        self.timestamps = {}
        self.tasks, self.taken, self.done = {}, collections.Counter(), collections.Counter()
        self.stopping = threading.Event()
        self.threads = Threads(WRITERS + AGENTS, self.work)

    def work(self, number):
        turn = self.write if number < WRITERS else self.take
        client = Client(self.server)
        while not self.stopping.is_set():
            turn(client, self.done[number])
            self.done[number] += 1

    def stop(self):
        self.stopping.set()
        self.threads.join()

    def note(self, run, state):
        """Later states are later, whatever the clock says."""
        stamp = datetime.datetime.fromisoformat(state["timestamp"])
        assert run["id"] not in self.timestamps or self.timestamps[run["id"]] < stamp, (run, state)
        self.timestamps[run["id"]] = stamp
        self.journal[run["id"]].append(state["id"])

    def move(self, client, kind, run, state_type):
        answer = client.set_state(kind, run, state_type)
        assert answer.status in (200, 201), answer
        if answer.value["status"] == "ACCEPT":
            self.note(run, answer.value["state"])
        return answer.value["status"]

    def write(self, client, turn):
        """A flow run with two task runs; if it is cancelled, one of them is left running."""
        run = client.flow_run(self.flow, state={"type": "PENDING"})
        self.note(run, run["state"])
        assert self.move(client, "flow_runs", run, "RUNNING") == "ACCEPT"
        for end in ["COMPLETED", "FAILED"]:
            task = client.task_run(run, state={"type": "PENDING"})
            self.note(task, task["state"])
            self.tasks[task["id"]] = run["id"]
            assert self.move(client, "task_runs", task, "RUNNING") == "ACCEPT"
            if end == "COMPLETED" or turn % 3:
                assert self.move(client, "task_runs", task, end) == "ACCEPT"
        assert self.move(client, "flow_runs", run, ["CANCELLED", "COMPLETED", "FAILED"][turn % 3]) == "ACCEPT"

    def take(self, client, _):
        """As an agent. A run that is taken just before the clock is set back has to wait for its time again."""
        body = {"limit": 10, "scheduled_before": self.clock.now().isoformat()}
        answer = client.post(f"/work_queues/{self.queue}/get_runs", body)
        assert answer.status == 200, answer
        for run in answer.value:
            if self.move(client, "flow_runs", run, "PENDING") != "ACCEPT":
                continue
            self.taken[run["id"]] += 1
            if self.move(client, "flow_runs", run, "RUNNING") == "ACCEPT":
                assert self.move(client, "flow_runs", run, "COMPLETED") == "ACCEPT"
        time.sleep(0.05)


def rounds(server):
    """How often each service has begun."""
    found = re.findall(r"orion\.services\.(\w+) - About to run", server.log())
    return collections.Counter(name for name in found if name in PERIODS)


def wait_for_rounds(server):
    """Until each service that runs often has ended a round that began after now."""
    before = rounds(server)
    wait_until(lambda: all(rounds(server)[name] >= before[name] + 2 for name in FREQUENT), PATIENCE)


def wait_for_progress(server, load):
    before = load.done.copy()
    wait_for_rounds(server)
    wait_until(lambda: load.threads.failures or all(load.done[number] >= before[number] + 3
                                                    for number in range(WRITERS + AGENTS)), PATIENCE)
    assert not load.threads.failures, load.threads.failures[0]


def wait_until_all_are_late(server, clock):
    """Nothing that should have begun ten seconds ago is still on time."""
    due = clock.now(-10).strftime("%Y-%m-%d %H:%M:%S.%f")
    wait_until(lambda: server.execute("SELECT count(*) FROM flow_run WHERE state_type = 'SCHEDULED'"
                                      " AND state_name = 'Scheduled' AND next_scheduled_start_time < ?", due) == [(0,)],
               PATIENCE)


def deploy(api, name, schedule):
    deployment = api.made("/deployments/", {"name": name, "flow_id": api.flow()["id"], "schedule": schedule,
                                            "work_queue_name": "steps"})
    return deployment["id"]


def paused(api, clock, seconds):
    run = api.running_flow_run()
    timeout = clock.now(seconds).isoformat()
    api.moved(run, {"type": "PAUSED", "state_details": {"pause_timeout": timeout}})
    return run


def fail_with(api, rule, message):
    run = api.flow_run(tags=rule["tags"])
    api.moved(run, {"type": "FAILED", "message": message})
    return run


def assert_nothing_new(api, run):
    """A state that is refused is answered with the old one, which may be of an hour later, and with 200."""
    answer = api.set_state(run, "RUNNING")
    assert (answer.status_code, answer.json()["status"]) == (200, "ABORT"), answer.text


def histories(server, kind):
    """The states of each run in the order of their timestamps: ids, and names."""
    ids, names = collections.defaultdict(list), collections.defaultdict(list)
    for run, state, name in server.execute(f"SELECT {kind}_id, id, name FROM {kind}_state ORDER BY timestamp"):
        ids[run].append(state)
        names[run].append(name)
    return ids, names


def assert_nothing_is_lost(server, load):
    flow_runs, names = histories(server, "flow_run")
    task_runs, task_names = histories(server, "task_run")
    planned = {run for run, in server.execute("SELECT id FROM flow_run WHERE auto_scheduled")}
    assert len(load.journal) > 0 and len(load.taken) > 0 and set(load.taken.values()) == {1}
    for run, states in load.journal.items():
        if run in load.tasks:  # one that was left running has been cancelled since
            assert task_runs[run][:len(states)] == states
            if names[load.tasks[run]][-1] == "Cancelled":
                assert task_names[run][-1] in ("Completed", "Cancelled")
        elif run in planned:
            assert flow_runs[run][-len(states):] == states
        else:
            assert flow_runs[run] == states
    for run in planned:
        assert PLANNED.fullmatch(" ".join(names[run])), names[run]
    assert any("Late" in names[run] for run in planned)
    for kind, known in (("flow_run", flow_runs), ("task_run", task_runs)):
        latest = dict(server.execute(f"SELECT id, state_id FROM {kind}"))
        assert latest == {run: states[-1] for run, states in known.items()}


def assert_plans_are_whole(server, deployments, clock):
    """Each date once, and none missing from the first to the end of the hour ahead."""
    for name, deployment in deployments.items():
        rows = server.execute("SELECT expected_start_time FROM flow_run WHERE deployment_id = ? AND auto_scheduled"
                              " ORDER BY 1", deployment)
        dates = [datetime.datetime.fromisoformat(date + "+00:00").timestamp() for date, in rows]
        assert len(set(dates)) == len(dates), name
        if name != "busy":
            assert dates == [dates[0] + EVERY * number for number in range(len(dates))], name
            assert dates[0] < clock.now(-HOUR + 2 * EVERY).timestamp() and dates[-1] >= clock.now(HOUR).timestamp()


def assert_times_are_sane(server, began):
    """No row was updated before it was created, and ids are of version 7, of times that the clock has shown."""
    assert not [table for table in server.store.tables() if {"created", "updated"} <= set(server.store.columns(table))
                and server.execute(f"SELECT 1 FROM {table} WHERE updated < created LIMIT 1")]
    ids = [uuid.UUID(one) for table in ("flow_run", "task_run", "flow_run_state", "task_run_state")
           for one, in server.execute(f"SELECT id FROM {table}")]
    assert {one.version for one in ids} == {7} and len(set(ids)) == len(ids)
    times = [(one.int >> 80) / 1000 for one in ids]
    assert began - HOUR - 1 <= min(times) < began - HOUR / 2 and began + HOUR / 2 < max(times) <= time.time() + HOUR + 1


def assert_services_kept_their_time(server, seconds):
    """They ran as often as they should at most; that none slept was seen in each step."""
    for name, count in rounds(server).items():
        assert 1 <= count <= seconds / PERIODS[name] + 1, name


@pytest.fixture
def clock(tmp_path):
    return FakeClock(tmp_path)


@pytest.fixture
def receiver(clock, tmp_path):
    with Receiver(tmp_path, ["faketime", "-f", "-1d"]) as running:  # its certificate is valid an hour ago, too
        yield running


def test_steps_of_an_hour(engine, clock, receiver):
    began = time.time()
    started = time.monotonic()
    with servers.running("orion", database=engine, **SETTINGS, **clock.environment, **receiver.environment) as server, \
            contextlib.ExitStack() as stack:
        api, idle = Api(server), Client(server, timeout=PATIENCE)
        assert idle.get("/health").status == 200
        deployments = {name: deploy(api, name, schedule) for name, schedule in {**WHOLE, "busy": BUSY}.items()}
        queue = api.read("/work_queues/name/steps")["id"]
        rule = policy(api, message_template="{flow_run_state_message}")
        expiring, lasting = paused(api, clock, HOUR / 2), paused(api, clock, 3 * HOUR)
        load = Load(server, clock, queue)
        stack.callback(load.stopping.set)
        wait_for_progress(server, load)
        for number, offset in enumerate(STEPS):
            failed = fail_with(api, rule, str(number))
            clock.set(offset)
            assert_nothing_new(api, failed)
            wait_for_progress(server, load)
            if offset == HOUR:
                wait_until_all_are_late(server, clock)
                wait_until(lambda: api.again(expiring)["state_name"] == "Failed", PATIENCE)
        load.stop()
        wait_for_rounds(server)
        assert idle.get("/health").status == 200, "a connection that was idle while the clock was set"
        assert sorted(map(slack_text, receiver.wait(len(STEPS), PATIENCE))) == sorted(map(str, range(len(STEPS))))
        assert api.again(expiring)["state_name"] == "Failed" and api.again(lasting)["state_name"] == "Paused"
        assert_services_kept_their_time(server, time.monotonic() - started)
        assert server.stop() == 0
        assert_nothing_is_lost(server, load)
        assert_plans_are_whole(server, deployments, clock)
        assert_times_are_sane(server, began)
        if engine == "postgresql":
            with Session(postgres.cluster(), server.store.name) as look:
                assert problems(look) == []

"""Flow runs that died: the service that ends them, and `orion runs stuck`. Ours only. A server makes runs and is
stopped; then they are aged, but for what is to be a sign of life."""
import datetime
import json
import subprocess

import pytest

from tests.lib import servers
from tests.lib.api_client import Api
from tests.lib.check import assert_clean
from tests.lib.receiver import wait_until
from tests.lib.rows import fill, identifier
from tests.services.test_flow_run_notifications import policy, slack_text

AGED = [("flow_run", ["state_timestamp", "start_time"]), ("flow_run_state", ["timestamp"]),
        ("task_run", ["state_timestamp", "start_time"]), ("task_run_state", ["timestamp"]), ("log", ["created"])]
MESSAGE = "Nothing of this run has moved since "


class Home:
    """Servers of ours on one database, one after the other; the first only makes runs."""

    def __init__(self, folder, engine):
        self.folder, self.engine, self.server = folder, engine, None
        self.api = None

    def start(self, **settings):
        self.stop()
        self.server = servers.Server("orion", home=self.folder, database=self.engine, **settings).wait()
        self.store, self.api = self.server.store, Api(self.server)
        return self

    def stop(self):
        if self.server:
            self.server.stop()
            self.server = None

    def age(self, hours):
        """All that there is so far."""
        earlier = "datetime({0}, '-{1} hours') || substr({0}, 20)" if self.engine == "sqlite" else \
            "{0} - interval '{1} hours'"
        for table, columns in AGED:
            self.store.execute(f"UPDATE {table} SET " + ", ".join(
                f"{column} = {earlier.format(column, hours)}" for column in columns))

    def command(self, *words, answer=""):
        environment = servers.server_environment(self.folder, PREFECT_ORION_DATABASE_CONNECTION_URL=self.store.url)
        done = subprocess.run([servers.ORION_BIN, "runs", "stuck", *words], env=environment, input=answer,
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def stuck(self, older="6h"):
        status, out, err = self.command("--older-than", older, "--json")
        assert status == 0, err
        return {row["id"]: row for row in json.loads(out)}

    def slots(self, tag):
        return self.api.read(f"/concurrency_limits/tag/{tag}")["active_slots"]

    def state(self, run):
        return self.api.again(run)["state_name"]


@pytest.fixture
def home(tmp_path, engine):
    home = Home(tmp_path, engine)
    yield home.start()
    home.stop()
    servers.Store.of_home(engine, tmp_path).drop()


def running_task(api, run, **fields):
    task = api.task_run(run, **fields)
    api.moved(task, "RUNNING", force=not fields)  # slots are taken by the rules
    return task


def subflow(api, run, state="RUNNING"):
    child = api.flow_run(parent_task_run_id=running_task(api, run)["id"])
    if state != "PENDING":
        api.moved(child, state, force=True)
    return child


def add_log(home, run):
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    home.api.made("/logs/", [{"name": "log", "level": 20, "message": "line", "timestamp": now,
                              "flow_run_id": run["id"]}])


def test_a_dead_run_is_ended_with_all_below_it(home, receiver):
    """Slots come back, notifications are sent."""
    api = home.api
    api.made("/concurrency_limits/", {"tag": "few", "concurrency_limit": 3}, 200)
    rule = policy(api, state_names=["Crashed"], tags=[])
    run = api.running_flow_run(tags=["here"])
    tasks = [running_task(api, run, tags=["few"]), running_task(api, run, tags=["few"]), api.task_run(run)]
    done = running_task(api, run)
    api.moved(done, "COMPLETED")
    child = subflow(api, run)
    grandtask = running_task(api, child, tags=["few"])
    assert rule and len(home.slots("few")) == 3
    home.age(7)
    rows = home.stuck()
    assert set(rows) == {run["id"], child["id"]} and home.stuck("8h") == {}
    row = rows[run["id"]]
    assert (row["name"], row["state_name"], row["slots"], row["stuck_parent_id"]) == (run["name"], "Running", 2, None)
    assert (rows[child["id"]]["slots"], rows[child["id"]]["stuck_parent_id"]) == (1, run["id"])
    home.start(ORION_STUCK_AFTER="6h", PREFECT_ORION_SERVICES_FLOW_RUN_NOTIFICATIONS_ENABLED="true",
               **receiver.environment)
    wait_until(lambda: home.state(run) == "Crashed")
    assert [home.state(one) for one in [child, *tasks, grandtask, done]] == ["Crashed"] * 5 + ["Completed"]
    now = home.api.again(run)
    assert now["end_time"] and now["state"]["message"].startswith(MESSAGE) and home.slots("few") == []
    texts = [slack_text(request) for request in receiver.wait(2)]
    assert all("entered state `Crashed`" in text for text in texts) and sum(run["name"] in text for text in texts) == 1
    assert [state["name"] for state in home.api.read(f"/task_run_states/?task_run_id={grandtask['id']}")] == \
        ["Pending", "Running", "Crashed"]
    home.stop()
    assert_clean(home.store)


def test_what_keeps_a_run_alive(home):
    """A log line, a task run, a subflow that moves or waits, a retry to come; but not its parent."""
    api = home.api
    runs = {name: api.running_flow_run() for name in
            ["nothing", "log", "task", "subflow", "paused", "retry", "pending", "cancelling", "scheduled",
             "paused self"]}
    later = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)).isoformat()
    api.moved(running_task(api, runs["retry"]), {"type": "SCHEDULED", "state_details": {"scheduled_time": later}},
              force=True)
    for name, state in [("pending", "PENDING"), ("cancelling", "CANCELLING"), ("scheduled", "SCHEDULED"),
                        ("paused self", "PAUSED")]:
        api.moved(runs[name], state, force=True)
    tasks = [running_task(api, runs[name]) for name in ["nothing", "cancelling", "task"]]
    child, dead_child, paused = (subflow(api, runs[name]) for name in ["subflow", "subflow", "paused"])
    grandchild = subflow(api, child)
    api.moved(paused, "PAUSED", force=True)
    home.age(7)
    add_log(home, runs["log"])
    api.moved(tasks[2], "COMPLETED")
    add_log(home, grandchild)
    dead = [runs["nothing"], runs["pending"], runs["cancelling"], dead_child]
    assert set(home.stuck()) == {run["id"] for run in dead}
    home.start(ORION_STUCK_AFTER="6h")
    wait_until(lambda: home.stuck() == {})
    assert [home.state(run) for run in dead] == ["Crashed", "Crashed", "Cancelled", "Crashed"]
    assert [home.state(task) for task in tasks] == ["Crashed", "Cancelled", "Completed"]
    assert {name: home.state(run) for name, run in runs.items() if run not in dead} == {
        "log": "Running", "task": "Running", "subflow": "Running", "paused": "Running", "retry": "Running",
        "scheduled": "Scheduled", "paused self": "Paused"}
    assert home.state(child) == home.state(grandchild) == "Running"


def test_slots_that_nobody_holds_any_more(home):
    api = home.api
    api.made("/concurrency_limits/", {"tag": "few", "concurrency_limit": 5}, 200)
    run = api.running_flow_run()
    ended, deleted, held = (running_task(api, run, tags=["few"]) for _ in range(3))
    home.server.execute("UPDATE task_run SET state_type = 'FAILED', state_name = 'Failed' WHERE id = ?", ended["id"])
    assert api.delete(f"/task_runs/{deleted['id']}").status_code == 204
    assert len(home.slots("few")) == 3
    home.start(ORION_STUCK_AFTER="6h")
    wait_until(lambda: home.slots("few") == [held["id"]])
    assert home.state(run) == "Running" and home.state(held) == "Running"


def test_the_command(home):
    api = home.api
    assert home.command("--older-than", "6h") == (0, "No flow run is stuck.\n", "")
    run = api.running_flow_run()
    task = running_task(api, run)
    for _ in range(120):
        api.task_run(run)
    home.age(7)
    assert "Missing option '--older-than'." in home.command()[2] and home.command()[0] == 2
    out = home.command("--older-than", "6h")[1].splitlines()
    assert len(out) == 2 and out[1].startswith(run["id"]) and run["name"] in out[1] and "Running" in out[1]
    status, out, err = home.command("--older-than", "6h", "--crash", answer="n\n")
    assert status == 1 and "Are you sure" in out and "Nothing was changed." in err and home.state(run) == "Running"
    status, out, err = home.command("--older-than", "6h", "--crash", "-y")
    assert status == 0 and "Ended 1 flow runs" in err
    assert home.state(run) == home.state(task) == "Crashed" and home.stuck("1s") == {}
    unfinished = {"task_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING"]}}}}
    assert api.made("/task_runs/count", unfinished, 200) == 0


def test_a_tree_that_takes_many_steps(home):
    """Each ends some of its runs: no other writer waits for all of them."""
    run = home.api.running_flow_run()
    home.age(7)
    state = {"state_type": "'RUNNING'", "state_name": "'Running'", "state_timestamp": "'2026-01-01 00:00:00.000000'"}
    task, child = (identifier(home.engine, "i", end) for end in ("0000000000a1", "0000000000b1"))
    fill(home.store, "task_run", 230, id=task, name="'task'", flow_run_id=f"'{run['id']}'", task_key="'key'",
         dynamic_key="CAST(i AS text)", **state)
    fill(home.store, "flow_run", 130, id=child, name="'child'", flow_id=f"'{run['flow_id']}'",
         parent_task_run_id=task, **state)
    rows = home.stuck()
    assert len(rows) == 131 and sum(row["stuck_parent_id"] == run["id"] for row in rows.values()) == 130
    assert "Ended 131 flow runs" in home.command("--older-than", "6h", "--crash", "-y")[2]
    for table, count in (("flow_run", 131), ("task_run", 230)):
        assert home.store.execute(f"SELECT count(*) FROM {table} WHERE state_type = 'CRASHED'")[0][0] == count
    assert home.stuck("1ms") == {}
    home.stop()
    assert_clean(home.store)

"""The real client's deployments and agent against both servers: a flow is built and applied with a schedule, run by
hand, and an agent executes what the server planned."""
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.lib import scenario, servers

SETTINGS = {"PREFECT_ORION_SERVICES_SCHEDULER_ENABLED": "true", "PREFECT_ORION_SERVICES_SCHEDULER_LOOP_SECONDS": "2"}
RUN_SECONDS = 120
FLOW = '''
from prefect import flow, get_run_logger, task

@task
def greeting(name):
    return f"hello {name}"

@flow
def hello(name: str = "nobody"):
    get_run_logger().info(greeting(name))
'''


class Player(scenario.Player):
    """The client in a folder of its own, which holds nothing but the flow: an agent copies it for each run."""

    def start(self, *command):
        return subprocess.Popen(command, env=self.environment, cwd=self.home / "project", stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def states(self, run_id):
        with urllib.request.urlopen(f"{self.api}/flow_run_states/?flow_run_id={run_id}", timeout=30) as answer:
            return [state["name"] for state in json.load(answer)]

    def wait_for_runs(self, agent, wanted):
        """Until a run that was planned and `wanted` runs that were not are completed."""
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline and agent.poll() is None:
            done = [run for run in self.runs_of("hello") if run["state_type"] == "COMPLETED"]
            planned = [run for run in done if run["auto_scheduled"]]
            if planned and len(done) - len(planned) >= wanted:
                return
            time.sleep(0.5)
        agent.kill()
        raise AssertionError(f"not executed: {[(run['name'], run['state_name']) for run in self.runs_of('hello')]}\n"
                             f"{agent.communicate()}")


class Played:
    """What one server and the client made of the script."""

    def __init__(self, kind, engine, home):
        project = home / "project"
        project.mkdir()
        (project / "hello.py").write_text(FLOW)
        with servers.running(kind, database=engine, **SETTINGS) as server:
            player = Player(server.url, home)
            player.prefect("deployment", "build", "hello.py:hello", "-n", "often", "-q", "agents", "-t", "e2e",
                           "--interval", "15", "--param", "name=schedule", "-o", "often.yaml")
            self.applied = player.prefect("deployment", "apply", "often.yaml")
            player.prefect("deployment", "build", "hello.py:hello", "-n", "yearly", "-q", "others", "--cron",
                           "0 5 1 1 *", "--timezone", "Europe/Berlin", "--apply")
            self.ran = player.prefect("deployment", "run", "hello/often", "--param", "name=hand")
            agent = player.start(str(Path(sys.executable).with_name("prefect")), "agent", "start", "-q", "agents")
            player.wait_for_runs(agent, 1)
            player.prefect("deployment", "pause-schedule", "hello/often")
            self.runs = player.runs_of("hello")
            agent.send_signal(signal.SIGINT)
            player.output(agent)
            time.sleep(6)  # a round of each scheduler
            self.added = {run["id"] for run in player.runs_of("hello") if "e2e" in run["tags"]} \
                - {run["id"] for run in self.runs}
            done = [run for run in self.runs if run["state_type"] == "COMPLETED"]
            self.planned = next(run for run in done if run["auto_scheduled"])
            self.by_hand = next(run for run in done if not run["auto_scheduled"])
            self.states = [player.states(run["id"]) for run in (self.planned, self.by_hand)]
            self.logs = [player.prefect("flow-run", "logs", run["id"]) for run in (self.planned, self.by_hand)]
            self.listed = player.prefect("deployment", "ls")
            self.inspected = player.prefect("deployment", "inspect", "hello/yearly")
            player.prefect("deployment", "set-schedule", "hello/yearly", "--rrule",
                           json.dumps({"rrule": "FREQ=YEARLY", "timezone": "UTC"}))
            self.rescheduled = player.prefect("deployment", "inspect", "hello/yearly")
            player.prefect("deployment", "delete", "hello/often")
            self.left = player.prefect("deployment", "ls")
            self.queues = server.execute("SELECT name, last_polled IS NOT NULL FROM work_queue ORDER BY name")


@pytest.fixture(scope="module")
def played(which, tmp_path_factory):
    return Played(*which, tmp_path_factory.mktemp(str(which)))


def test_a_deployment_is_applied(played):
    assert "Deployment 'hello/often' successfully created" in played.applied
    assert "Created flow run" in played.ran


def test_planned_runs_are_executed(played):
    assert re.fullmatch(r"Scheduled(,Late)?,Pending,Running,Completed", ",".join(played.states[0]))
    assert "hello schedule" in played.logs[0]
    assert played.planned["parameters"] == {"name": "schedule"} and played.planned["tags"] == ["auto-scheduled", "e2e"]
    assert (played.planned["work_queue_name"], played.planned["run_count"]) == ("agents", 1)
    assert played.planned["idempotency_key"].startswith(f"scheduled {played.planned['deployment_id']} 20")


def test_a_run_by_hand_is_executed(played):
    assert played.states[1] == ["Scheduled", "Pending", "Running", "Completed"]
    assert "hello hand" in played.logs[1]
    assert played.by_hand["parameters"] == {"name": "hand"} and played.by_hand["tags"] == ["e2e"]


def test_no_run_is_executed_twice(played):
    keys = [run["idempotency_key"] for run in played.runs if run["auto_scheduled"]]
    assert len(keys) == len(set(keys)) and all(run["run_count"] <= 1 for run in played.runs)


def test_nothing_is_planned_while_the_schedule_pauses(played):
    assert played.added == set()
    assert not [run for run in played.runs if run["state_name"] == "Scheduled" and "e2e" in run["tags"]]


def test_deployments_are_shown_and_deleted(played):
    assert "hello/often" in played.listed and "hello/yearly" in played.listed
    assert "hello/often" not in played.left and "hello/yearly" in played.left
    assert "'cron': '0 5 1 1 *'" in played.inspected and "Europe/Berlin" in played.inspected
    assert "'rrule': 'FREQ=YEARLY'" in played.rescheduled


def test_the_agents_queue_was_polled(played):
    assert played.queues == [("agents", 1), ("default", 0), ("others", 0)]

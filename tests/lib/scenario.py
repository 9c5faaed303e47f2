"""The one script that both servers go through: every flow of flows.py and the commands of the client, in a fixed order.

`play(api, home, …)` returns what the steps printed, ids and names still in it; the database they leave behind is
compared by compare.py."""
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FLOWS = Path(__file__).with_name("flows.py")
STEP_SECONDS = 180


class Player:
    """Runs the client against one server, in a home of its own."""

    def __init__(self, api, home):
        self.api, self.home = api, Path(home)
        self.environment = dict(os.environ, PREFECT_API_URL=api, PREFECT_HOME=str(home), PREFECT_LOGGING_LEVEL="INFO",
                                NO_COLOR="1", COLUMNS="200", PREFECT_CLI_COLORS="false", PREFECT_CLI_WRAP_LINES="false",
                                PYTHONDONTWRITEBYTECODE="1", TZ="UTC")

    def start(self, *command):
        return subprocess.Popen(command, env=self.environment, cwd=FLOWS.parent, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def output(self, process):
        try:
            return process.communicate(timeout=STEP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise

    def finish(self, process, expect=0):
        out, log = self.output(process)
        assert process.returncode == expect, \
            f"{process.args} exited with {process.returncode}, not {expect}\n{out}\n{log}"
        return out

    def flow(self, *arguments):
        return self.finish(self.start_flow(*arguments))

    def start_flow(self, *arguments):
        return self.start(sys.executable, str(FLOWS), *arguments)

    def prefect(self, *arguments, expect=0):
        return self.finish(self.start(str(Path(sys.executable).with_name("prefect")), *arguments), expect)

    def post(self, path, body):
        request = urllib.request.Request(self.api + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def runs_of(self, flow_name):
        return self.post("/flow_runs/filter",
                         {"flows": {"name": {"any_": [flow_name]}}, "sort": "EXPECTED_START_TIME_DESC"})

    def wait_for_state(self, flow_name, state_type):
        """The id of the newest run of the flow, once it is in that state."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            runs = self.runs_of(flow_name)
            if runs and runs[0]["state_type"] == state_type:
                return runs[0]["id"]
            time.sleep(0.2)
        raise AssertionError(f"no run of {flow_name} became {state_type}")


def play_flows(player, seen):
    """Flows that begin and end in one process."""
    for name in ["mapped", "retried", "parent", "failing", "crashing", "slow", "never_resumed", "logging",
                 "parameters"]:
        seen[name] = player.flow(name)
    seen["cached first"] = player.flow("cached")
    seen["cached again"] = player.flow("cached")
    player.flow("limit", "slot", "1")
    seen["limits"] = player.flow("limits")
    seen["limit after"] = player.prefect("concurrency-limit", "inspect", "slot")


def play_pause(player, seen):
    process = player.start_flow("pausing")
    run_id = player.wait_for_state("pausing", "PAUSED")
    player.flow("resume", run_id)
    seen["pausing"] = player.finish(process)


def play_cancel(player, seen):
    """One run cancelled while it works, one before its time."""
    process = player.start_flow("cancelled")
    run_id = player.wait_for_state("cancelled", "RUNNING")
    seen["cancel a running one"] = player.prefect("flow-run", "cancel", run_id)
    (player.home / "asked").touch()
    out, log = player.output(process)
    seen["cancelled"] = f"exit {process.returncode}\n{out}\n{log.strip().splitlines()[-1] if log.strip() else ''}"
    later = player.flow("schedule_later").strip()
    seen["cancel a scheduled one"] = player.prefect("flow-run", "cancel", later)
    missing = "00000000-0000-4000-8000-000000000000"
    seen["cancel none"] = player.prefect("flow-run", "cancel", missing, expect=1)


def play_commands(player, seen):
    mapped = player.runs_of("mapped")[0]["id"]
    logging = player.runs_of("logging-flow")[0]["id"]
    seen["ls"] = player.prefect("flow-run", "ls", "--limit", "100")
    seen["ls of a flow"] = player.prefect("flow-run", "ls", "--flow-name", "mapped")
    seen["ls of a state"] = player.prefect("flow-run", "ls", "--state", "FAILED", "--state-type", "FAILED")
    seen["inspect"] = player.prefect("flow-run", "inspect", mapped)
    seen["logs"] = player.prefect("flow-run", "logs", logging)
    seen["logs head"] = player.prefect("flow-run", "logs", logging, "--head", "--num-logs", "3")
    seen["names"] = [run["name"] for run in player.post("/flow_runs/filter", {})]
    seen["delete"] = player.prefect("flow-run", "delete", player.runs_of("never-resumed")[0]["id"])
    seen["delete none"] = player.prefect("flow-run", "delete", "00000000-0000-4000-8000-000000000000", expect=1)


def play_many(player, count, at_once):
    """`count` flows from processes of their own."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda n: int(player.flow("small", str(n))), range(count)))


def play(api, home, small_flows, tasks=200):
    player, seen = Player(api, home), {}
    play_flows(player, seen)
    play_pause(player, seen)
    play_cancel(player, seen)
    seen["wide"] = player.flow("wide", str(tasks))
    seen["small"] = play_many(player, small_flows, at_once=1)
    play_commands(player, seen)
    return seen


def without_noise(text, names):
    """Printed text with ids, names that were generated, and times replaced, so that two servers' can be compared."""
    for name in names:
        text = text.replace(name, "<name>")
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b", "<id>", text)
    text = re.sub(r"DateTime\([^)]*\)\)|timedelta\([^)]*\)", "<time>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?|\d\d:\d\d:\d\d\.\d{3}", "<time>", text)
    text = re.sub(r"\b(?:\d+|a|an) (?:seconds?|minutes?) ago\b|\bin \d+ \w+\b|\ba few seconds ago\b|\bjust now\b",
                  "<ago>", text)
    return re.sub(r"[ \t─━┃│┏┓┗┛┡┩└┘┴┬╇╈┳┻]+", " ", text)

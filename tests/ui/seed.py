"""Fills a server with what the dashboard's pages show: one flow run by the real client, the rest by requests."""
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx

HERE = Path(__file__).resolve().parent
SECRET = "token-that-nobody-may-see"


def run_flow(api_url):
    with tempfile.TemporaryDirectory() as home:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ORION_"))}
        environment.update(PREFECT_HOME=home, PREFECT_API_URL=api_url)
        done = subprocess.run([sys.executable, HERE / "seed_flow.py"], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        assert done.returncode == 0, done.stdout


class Seed:
    """What was made, by name: each the JSON that the server answered."""

    def __init__(self, api_url):
        self.http = httpx.Client(base_url=api_url, timeout=60, trust_env=False)
        run_flow(api_url)
        self.client_run = self.post("/flow_runs/filter", {"flow_runs": {"name": {"any_": ["run-by-client"]}}}, 200)[0]
        self.flow = self.post("/flows/", {"name": "nightly-report"})
        self.runs = {state: self.flow_run(state) for state in ["FAILED", "CRASHED", "RUNNING", "CANCELLED"]}
        self.later_run = self.post("/flow_runs/", {"flow_id": self.flow["id"], "name": "run-later",
                                                   "state": self.state("SCHEDULED", hours=2)})
        self.queue = self.post("/work_queues/",
                               {"name": "night-queue", "description": "What runs at night", "concurrency_limit": 3})
        self.deployment = self.deploy()
        self.limit = self.post("/concurrency_limits/", {"tag": "database", "concurrency_limit": 5})
        self.block = self.add_block("slack-webhook", "night-channel", {"url": f"https://hooks.invalid/{SECRET}"})
        self.policy = self.post("/flow_run_notification_policies/", {
            "is_active": True, "state_names": ["Failed"], "tags": ["nightly"], "block_document_id": self.block["id"]})

    def post(self, path, body, status=(200, 201)):
        answer = self.http.post(path, json=body)
        assert answer.status_code in ([status] if isinstance(status, int) else status), \
            f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def get(self, path):
        answer = self.http.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    @staticmethod
    def state(kind, hours=0):
        state = {"type": kind, "name": kind.capitalize()}
        if hours:
            state["state_details"] = {
                "scheduled_time": (datetime.now(timezone.utc) + timedelta(hours=hours)).isoformat()}
        return state

    def flow_run(self, kind):
        run = self.post("/flow_runs/", {"flow_id": self.flow["id"], "name": f"run-{kind.lower()}", "tags": ["nightly"]})
        for step in dict.fromkeys(["PENDING", "RUNNING", kind]):
            self.post(f"/flow_runs/{run['id']}/set_state", {"state": self.state(step), "force": True}, 201)
        return run

    def deploy(self):
        return self.post("/deployments/", {
            "name": "every-night", "flow_id": self.flow["id"], "work_queue_name": "night-queue", "tags": ["nightly"],
            "schedule": {"interval": 86400, "timezone": "Europe/Vienna"}, "is_schedule_active": True,
            "entrypoint": "report.py:report", "parameters": {"rows": 10}, "parameter_openapi_schema": {
                "title": "Parameters", "type": "object", "required": ["rows"],
                "properties": {"rows": {"title": "rows", "type": "integer", "position": 0}}}})

    def add_block(self, slug, name, data):
        kind = self.get(f"/block_types/slug/{slug}")
        schemas = self.post("/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}}, 200)
        return self.post("/block_documents/", {
            "name": name, "data": data, "block_type_id": kind["id"], "block_schema_id": schemas[0]["id"]})

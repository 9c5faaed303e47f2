"""A thin HTTP client for the tests of the API, and short ways to make the rows that they need."""
import json
import uuid

import httpx

NOBODY = "00000000-0000-4000-8000-000000000000"
# The headers of an answer that both servers must send alike.
HEADERS = ["content-type", "location", "allow", "vary", "access-control-allow-origin",
           "access-control-allow-credentials", "access-control-allow-methods", "access-control-allow-headers",
           "access-control-expose-headers", "access-control-max-age"]


def unique(prefix="name"):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


class Api:
    """Requests to one server. Every method answers the httpx.Response; `made` checks the status and answers the
    JSON."""

    def __init__(self, server):
        self.server = server
        self.kind, self.engine = server.kind, server.engine
        self.http = self.connected()

    def on(self, **values):
        """What the two engines make different: the value for the one that this server has."""
        return values[self.engine]

    def connected(self):
        return httpx.Client(base_url=self.server.url, timeout=60, trust_env=False)

    def send(self, method, path, **options):
        answer = self.http.request(method, path, **options)
        # the reference drops the connection after it, perhaps when the next request is under way
        if answer.status_code == 500:
            self.http.close()
            self.http = self.connected()
        return answer

    def request(self, method, path, body=None, **options):
        if body is not None:
            options["content"] = json.dumps(body)
            options.setdefault("headers", {}).setdefault("content-type", "application/json")
        return self.send(method, path, **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body, **options)

    def patch(self, path, body=None, **options):
        return self.request("PATCH", path, body, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def made(self, path, body, status=201, **options):
        answer = self.post(path, body, **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    def read(self, path):
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def flow(self, name=None, **fields):
        return self.made("/flows/", {"name": name or unique("flow"), **fields})

    def flow_run(self, flow=None, **fields):
        return self.made("/flow_runs/", {"flow_id": (flow or self.flow())["id"], **fields})

    def task_run(self, flow_run=None, **fields):
        flow_run = flow_run or self.flow_run()
        fields = {"task_key": "task", "dynamic_key": unique("key"), "flow_run_id": flow_run["id"], **fields}
        return self.made("/task_runs/", fields)

    def running_flow_run(self, **fields):
        run = self.flow_run(**fields)
        self.moved(run, "RUNNING")
        return run

    def deployment(self, flow=None, **columns):
        """A row of its own: the routes of deployments are not this suite's."""
        flow = flow or self.flow()
        row = {"id": str(uuid.uuid4()), "name": unique("deployment"), "flow_id": flow["id"], "is_schedule_active": 1,
               "tags": "[]", "parameters": "{}", "infra_overrides": "{}", **columns}
        names = ", ".join(row)
        marks = ", ".join("?" for _ in row)
        self.server.execute(f"INSERT INTO deployment ({names}) VALUES ({marks})", *row.values())
        return row

    def copy_flow_run(self, run, count):
        """So many more rows like that run's, beside the API since it would take long."""
        columns = ", ".join(name for name in self.server.store.columns("flow_run")
                            if name not in ("id", "state_id", "idempotency_key"))
        self.server.execute(f"WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)"
                            f" INSERT INTO flow_run ({columns}) SELECT {columns} FROM number, flow_run WHERE id = ?",
                            count, run["id"])

    def set_state(self, run, state, force=None, version=None):
        """The answer to set_state. `run` is a flow run or a task run; `state` is a type or a whole state."""
        kind = "task_runs" if "task_key" in run else "flow_runs"
        body = {"state": {"type": state} if isinstance(state, str) else state}
        if force is not None:
            body["force"] = force
        headers = {"x-prefect-api-version": version} if version else {}
        return self.post(f"/{kind}/{run['id']}/set_state", body, headers=headers)

    def moved(self, run, state, **options):
        """Sets a state that must be accepted; the state."""
        answer = self.set_state(run, state, **options)
        assert answer.status_code == 201, answer.text
        assert answer.json()["status"] == "ACCEPT", answer.text
        return answer.json()["state"]

    def again(self, run):
        kind = "task_runs" if "task_key" in run else "flow_runs"
        return self.read(f"/{kind}/{run['id']}")

"""Runs in the environment of an older Prefect, beside its own server at PREFECT_API_URL: leaves in the database what
its users do. Its client runs flows; the rest goes through its API, each request with those fields that this version
knows."""
import asyncio
import contextlib
import datetime
import inspect
import itertools
import os
import uuid

import httpx
import prefect
from prefect import flow, get_run_logger, task
from prefect.blocks.core import Block
from prefect.blocks.notifications import SlackWebhook
from prefect.blocks.system import JSON, DateTime, Secret, String

URL = os.environ["PREFECT_API_URL"]
VERSION = tuple(map(int, prefect.__version__.split(".")[:2]))
MANY = 260  # runs, and deployments, of one queue: more than 1678f2fb8b33 gets to
PATIENCE = 20
FAR = "2099-01-01T05:00:00+00:00"
SCHEDULES = {
    "cron": {"cron": "0 5 * * 1-5", "timezone": "Europe/Vienna", "day_or": False},
    "interval": {"interval": 21600, "anchor_date": "2022-07-01T06:30:00+02:00", "timezone": "Europe/Vienna"},
    "rrule": {"rrule": "DTSTART:20220701T060000\nRRULE:FREQ=DAILY;INTERVAL=3", "timezone": "America/New_York"},
    "none": None,
}
STATES = ["SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "CRASHED", "PAUSED", "CANCELLING"]
# What clients of several versions leave in a state.
DATA = [None, {"encoding": "json", "blob": '{"ä": [1, 2.5, null]}'},
        {"encoding": "cloudpickle", "blob": "gASVBAAAAA=="},
        {"encoding": "result", "blob": '{"key": "a/b", "filesystem_document_id": null}'}]
DATA_OF_ANY_TYPE = [{"type": "literal", "value": 5}, {"type": "unpersisted"}, "text", 0, False, [], {}]  # since 2.6
MESSAGES = [None, "", "Flow run {flow_run_name} of {flow_name} is {flow_run_state_name}: {flow_run_state_message}",
            "100 % \"done\"\n{flow_run_id} {flow_id}", "{flow_run_url}"]


class Box(Block):
    """A block in a block, and a secret."""
    _block_type_name = "Box Of Ours"
    inner: JSON
    label: str = "x"


class Server:
    """Its API; a request leaves out what this version has no field for, and is not made where it has no route."""

    def __init__(self):
        self.client = httpx.Client(base_url=URL, timeout=60)
        description = self.client.get("/openapi.json")
        if description.status_code != 200:
            description = httpx.get(URL.removesuffix("/api") + "/openapi.json", timeout=60)
        self.description = description.json()

    def route(self, method, path):
        """Where it is in this version, and the properties of its body; None if there is no such route."""
        places = [place for place in (path, "/experimental" + path) for prefix in ("/api", "")
                  if method in self.description["paths"].get(prefix + place, {})]
        if not places:
            return None
        paths = self.description["paths"]
        found = (paths.get("/api" + places[0]) or paths[places[0]])[method]
        body = found.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        while "$ref" in body or "allOf" in body:
            reference = body.get("$ref") or body["allOf"][0]["$ref"]
            body = self.description["components"]["schemas"][reference.rpartition("/")[2]]
        return places[0], body.get("properties", {})

    def knows(self, method, path, field):
        route = self.route(method, path)
        return route is not None and field in route[1]

    def send(self, method, path, body=None, **parts):
        route = self.route(method, path)
        if route is None:
            return None
        json = {name: value for name, value in (body or {}).items() if name in route[1]}
        for _ in range(PATIENCE):
            answer = self.client.request(method, route[0].format(**parts), json=json)
            if answer.status_code != 503:  # the database is locked, by this very server
                break
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {route[0]} {json}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def post(self, path, body=None, **parts):
        return self.send("post", path, body, **parts)

    def filter(self, path, **body):
        return self.client.post(path + "/filter", json=body).json()


def kept(**options):
    """Options that only later versions have."""
    known = inspect.signature(flow).parameters
    return {name: value for name, value in options.items() if name in known}


@task(tags=["limited"], cache_key_fn=lambda context, parameters: f"add {parameters['x']}",
      cache_expiration=datetime.timedelta(days=30000))
def add(x):
    get_run_logger().info("task %s", x)
    return x + 1


@task
def add_up(numbers):
    return sum(numbers)


@task(retries=1, retry_delay_seconds=0)
def bad():
    raise ValueError("no: ä €")


@flow
def child(n=1):
    return add_up([add(n), add(n + 1)])


@flow(version="7", **kept(persist_result=True, retries=1))
def parent(n=3, words=("ä", "€")):
    """The flow that others are tried on."""
    get_run_logger().warning("ä € %s", words)
    [add(i) for i in range(n)]
    child(n)
    return {"n": n, "words": list(words)}


@flow
def failing():
    bad()


def run_flows():
    for n in (1, 2, 1):
        parent(n)
    with contextlib.suppress(Exception):
        failing()


async def saved(block, name):
    found = block.save(name)
    return await found if inspect.isawaitable(found) else found


async def save_blocks():
    inner = JSON(value={"a": [1, 2, {"b": None}], "ü": "€"})
    blocks = {"j": inner, "s": Secret(value="geheim"), "x": String(value="✓"),
              "d": DateTime(value="2022-07-01T06:30:00+02:00"), "slack": SlackWebhook(url="https://127.0.0.1:1/hook"),
              "box": Box(inner=inner), "box-of-its-own": Box(inner=JSON(value=[]), label="y")}
    for name, block in blocks.items():
        await saved(block, name)


def more_blocks(server):
    """Types with names that a slug is made from, a schema that names another one, and documents of both."""
    made = {}
    for k, name in enumerate(["My Block", "Ünï_code Co. 3", "KVServerStorage"]):
        kind = server.post("/block_types/", {"name": name, "slug": f"of-ours-{k}", "description": "d",
                                             "code_example": "c", "logo_url": "https://127.0.0.1/l.png"})
        fields = {"title": "T", "type": "object", "properties": {"a": {"title": "A", "type": "string"}},
                  "required": ["a"], "block_type_slug": f"of-ours-{k}", "secret_fields": ["a"] * (k == 1),
                  "block_schema_references": {}}
        schema = server.post("/block_schemas/", {"fields": fields, "block_type_id": kind["id"], "version": "1.2",
                                                 "capabilities": ["storage", "readable", "writeable"] * (k == 2)})
        made[k] = server.post("/block_documents/", {
            "name": f"ours-{k}", "data": {"a": "ä"}, "block_type_id": kind["id"], "block_schema_id": schema["id"]})
        server.post("/block_documents/", {"data": {"a": "nameless"}, "block_type_id": kind["id"], "is_anonymous": True,
                                          "block_schema_id": schema["id"]})
    return [document["id"] for document in made.values()]


def make_queues(server):
    pool = server.post("/work_pools/", {"name": "p", "type": "process", "description": "d", "concurrency_limit": 5,
                                        "base_job_template": {
                                            "job_configuration": {"command": "{{ command }}"},
                                            "variables": {"properties": {"command": {"type": "string"}},
                                                          "required": []}}})
    server.post("/work_pools/{work_pool_name}/queues", {"name": "q", "concurrency_limit": 1}, work_pool_name="p")
    server.post("/work_pools/{work_pool_name}/queues", {"name": "q2", "is_paused": True}, work_pool_name="p")
    server.send("post", "/work_pools/{work_pool_name}/workers/heartbeat", {"name": "w"}, work_pool_name="p")
    for name, body in [("old-queue", {"description": "d"}), ("limited", {"concurrency_limit": 3}),
                       ("paused", {"is_paused": True}), ("many", {})]:
        with contextlib.suppress(RuntimeError):  # where another one has made it
            server.post("/work_queues/", {"name": name, **body})
    with contextlib.suppress(RuntimeError):  # some only filter, most do not any more
        server.post("/work_queues/", {"name": "by-tags", "filter": {"tags": ["a"], "deployment_ids": None}})
    for queue in server.filter("/work_queues"):
        body = {"agent_id": str(uuid.uuid4()), "limit": 0}
        server.post("/work_queues/{id}/get_runs", body, id=queue["id"])
    return pool


def make_deployments(server, flow_id, documents, has_pool):
    """One for each kind of schedule, active and not; and many of one queue."""
    made = []
    for (kind, schedule), active in itertools.product(SCHEDULES.items(), (True, False)):
        body = {
            "name": f"{kind}-{active}", "flow_id": flow_id, "schedule": schedule, "is_schedule_active": active,
            "paused": not active, "tags": ["a", kind], "parameters": {"n": len(made), "words": ["ä"]},
            "version": "1.0", "description": "ä\n€", "path": "/srv/flows", "entrypoint": "fill.py:parent",
            "manifest_path": "/m.json", "infra_overrides": {"env": {"A": "1"}},
            "parameter_openapi_schema": {"title": "Parameters", "type": "object", "properties": {
                "n": {"title": "n", "type": "integer", "default": 3, "position": 0}}},
            "infrastructure_document_id": documents[0], "storage_document_id": documents[1],
            "pull_steps": [{"prefect.deployments.steps.set_working_directory": {"directory": "/srv"}}],
            "enforce_parameter_schema": False, "work_queue_name": ["limited", "not-there", None][len(made) % 3]}
        if has_pool and kind == "cron":
            body.update(work_pool_name="p", work_queue_name="q")
        made.append(server.post("/deployments/", body)["id"])
    for deployment in made:
        server.post("/deployments/{id}/schedule", {"start_time": FAR, "max_runs": 2, "min_runs": 2}, id=deployment)
        server.post("/deployments/{id}/create_flow_run", {"name": "by hand", "tags": ["b"]}, id=deployment)
    return made


def make_many(server, flow_id):
    """Deployments of one queue, and runs of one of them; there are few where queues have no names for them yet."""
    for k in range(MANY if server.knows("post", "/deployments/", "work_queue_name") else 2):
        body = {"name": f"many-{k}", "flow_id": flow_id, "work_queue_name": "many", "manifest_path": "/m.json"}
        deployment = server.post("/deployments/", body)["id"]
        first = deployment if k == 0 else first
        server.post("/deployments/{id}/create_flow_run", {"name": f"many-{k}"}, id=first)


def make_runs(server, flow_id):
    """Runs that ended, wait and hang in each state, with what clients leave in it."""
    data = itertools.cycle(DATA + DATA_OF_ANY_TYPE * (VERSION >= (2, 6)))
    for kind, again in itertools.product(STATES, range(3)):
        details = {"scheduled_time": FAR} if kind in ("SCHEDULED", "PAUSED") else {}
        state = {"type": kind, "name": [None, "Own ü", kind.title()][again], "message": [None, "m", "ä €"][again],
                 "state_details": details, "data": next(data)}
        run = server.post("/flow_runs/", {"flow_id": flow_id, "name": f"{kind}-{again}", "tags": ["a", kind],
                                          "context": {"c": 1}, "parameters": {"n": 1},
                                          "idempotency_key": f"{kind}{again}",
                                          "empirical_policy": {"max_retries": 1, "retries": 1}})
        with contextlib.suppress(RuntimeError):  # of a kind that this version does not have
            server.post("/flow_runs/{id}/set_state", {"state": state, "force": True}, id=run["id"])
        own = server.post("/task_runs/", {"flow_run_id": run["id"], "task_key": "k", "dynamic_key": str(again),
                                          "tags": ["limited"] * (again == 0), "task_inputs": {
                                              "x": [{"input_type": "constant", "type": "int"}]}})
        with contextlib.suppress(RuntimeError):
            server.post("/task_runs/{id}/set_state", {"state": {**state, "data": next(data)},
                                                      "force": kind != "RUNNING"}, id=own["id"])


def make_the_rest(server):
    [slack] = [one["id"] for one in server.filter("/block_documents", limit=200) if one["name"] == "slack"]
    for k, message in enumerate(MESSAGES):
        body = {"is_active": k != 1, "state_names": [[], ["Failed"], ["Completed", "Own ü"], ["Crashed"], ["Late"]][k],
                "tags": [[], ["a"], ["a", "b"], [], []][k], "block_document_id": slack,
                "message_template": message}
        with contextlib.suppress(*[RuntimeError] * (k == 4)):  # the URL is known since 2.2.1
            server.post("/flow_run_notification_policies/", body)
    server.post("/concurrency_limits/", {"tag": "limited", "concurrency_limit": 30})
    server.post("/concurrency_limits/", {"tag": "never", "concurrency_limit": 0})
    server.send("put", "/saved_searches/", {"name": "s", "filters": [
        {"object": "flow_run", "property": "state", "type": "equals", "operation": "any", "value": ["A", "ä"]}]})
    server.client.post("/logs/", json=[{"name": "n", "level": 20, "message": "ä\n" * 5, "timestamp": FAR,
                                        "flow_run_id": str(uuid.uuid4()), "task_run_id": str(uuid.uuid4())}])
    for k, value in enumerate(["text", "ä \"€\"", "12", "true", '{"a": 1}']):
        server.post("/variables/", {"name": f"v{k}", "value": value, "tags": ["t"] * k})
    for k in range(3):
        server.post("/artifacts/", {"key": "report", "type": "markdown", "data": f"# {k}", "description": "d",
                                    "metadata_": {"k": str(k)}})
    server.post("/artifacts/", {"type": "table", "data": [{"a": 1}]})


def make_what_2_20_has(server, flow_id, deployments):
    body = {"limit": 4, "active_slots": 2, "denied_slots": 1, "slot_decay_per_second": 0.5}
    for name in ("rate", f"deployment:{deployments[0]}", "tag:limited"):
        server.post("/v2/concurrency_limits/", {"name": name, **body})
    if server.route("post", "/deployments/{id}/schedules"):
        extra = [{"active": True, "schedule": SCHEDULES["rrule"], "max_active_runs": 2, "catchup": True},
                 {"active": False, "schedule": SCHEDULES["cron"], "max_scheduled_runs": 3}]
        answer = server.client.post(f"/deployments/{deployments[0]}/schedules", json=extra)
        assert answer.status_code == 201, answer.text
    run = server.filter("/flow_runs", limit=1)[0]["id"]
    server.post("/flow_runs/{id}/input", {"key": "k", "value": '{"a": "ä"}', "sender": "s"}, id=run)


def main():
    server = Server()
    run_flows()
    asyncio.run(save_blocks())
    others = more_blocks(server)
    flow_id = server.client.get("/flows/name/parent").json()["id"]
    has_pool = make_queues(server)
    deployments = make_deployments(server, flow_id, others, has_pool)
    make_many(server, flow_id)
    make_the_rest(server)
    make_runs(server, flow_id)
    make_what_2_20_has(server, flow_id, deployments)
    print("filled by", prefect.__version__)


main()

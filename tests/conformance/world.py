"""Asks both servers, compares, and remembers what there is: the rows as the reference answered them."""
import json
import random
import re
import shlex
import time
import urllib.parse

from tests.lib.comparison import Difference
from .known import ANY_POOL, listed
from .matching import Match
from .rows import NOBODY, Rows
from .wire import JSON, Request, Wire

VERSION = {"x-prefect-api-version": "0.8.4"}
NOTHING = object()
DEPLOYED = re.compile(r"POST /deployments/|PATCH /deployments/[^/]+")
PATIENCE = 0.25  # seconds in which the reference writes down, after its answer, that a queue was polled
# What the rows in an answer are, by what the path matches; the first that fits.
KINDS = [
    (r"/flow_runs/[^/]+/(graph|set_state)|/[a-z_]+/(count|history)|/ui/|/task_runs/[^/]+/set_state", None),
    (r"/deployments/[^/]+/create_flow_run|/work_queues/[^/]+/get_runs", "flow_run"),
    (r"/deployments/[^/]+/work_queue_check", "work_queue"),
    (r"/experimental/work_pools/[^/]+/get_scheduled_flow_runs", None),
    (r"/experimental/work_pools/[^/]+/queues", "pool_queue"),
    (r"/experimental/work_pools/[^/]+/workers/filter", "worker"), (r"/experimental/work_pools", "work_pool"),
    (r"/block_types/slug/[^/]+/block_documents", "block_document"), (r"/flows", "flow"), (r"/flow_runs", "flow_run"),
    (r"/task_runs", "task_run"), (r"/flow_run_states", "flow_run_state"), (r"/task_run_states", "task_run_state"),
    (r"/deployments", "deployment"), (r"/saved_searches", "saved_search"), (r"/logs", "log"),
    (r"/concurrency_limits", "concurrency_limit"), (r"/block_types", "block_type"), (r"/block_schemas", "block_schema"),
    (r"/block_documents", "block_document"), (r"/work_queues", "work_queue"),
    (r"/flow_run_notification_policies", "policy"),
]


class Enough(Exception):
    """The request at which to stop has been asked."""


class World(Rows):
    """Both servers. `until` stops after so many requests."""

    def __init__(self, servers, coverage, seed, until=None):
        super().__init__(f"{seed}")
        self.servers = servers
        self.wires = [Wire(server) for server in servers]
        self.match = Match(servers[0].engine)
        self.coverage = coverage
        self.seed, self.until = seed, until
        self.family = ""
        self.asked = 0
        self.differences, self.excused = [], {}
        self.last = None

    def begin(self, family, phase):
        """What follows depends on the seed, on where it stands, and on what there is: not on how much was drawn
        before."""
        self.family = family
        self.random = random.Random(f"{self.seed}/{family}/{phase}")

    # Asking.

    def ask(self, method, path, body=NOTHING, headers=None, raw=None, note=""):
        """Sends a request to both; the reference's answer. `body` is written as JSON, `raw` as it is."""
        content = raw if body is NOTHING else json.dumps(body, ensure_ascii=self.random.random() < 0.5)
        headers = dict(headers or {})
        if content is not None and "content-type" not in headers and headers.pop("no-content-type", None) is None:
            headers.update(JSON)
        if not any(name.startswith("x-prefect-api") for name in headers) and self.random.random() < 0.3:
            headers.update(VERSION)
        path = urllib.parse.quote(path, safe="/?&=%:{}!$'()*+,;@~")
        request = Request(method, path, content, headers, self.family, note)
        other = request.translated(self.match.forward)
        for wire, sent in zip(self.wires, (request, other)):
            wire.send(sent)
        answers = [wire.receive() for wire in self.wires]
        self.asked += 1
        self.last = (request, other, *answers)
        self.judge(request, other, *answers)
        self.coverage.note(request, answers[0])
        if DEPLOYED.fullmatch(f"{method} {path}") and max(answer.status for answer in answers) < 300:
            self.drop_planned_runs(other.path.partition("?")[0], answers[1])
            if method == "PATCH" and self.servers[0].engine == "postgresql":
                self.compare_pools(request, other)
        if answers[0].status == 201 and answers[1].status == 422:
            self.take_back(path.partition("?")[0], answers[0])
        elif self.excused.get(ANY_POOL, [None])[-1] == self.asked and method == "POST":
            self.delete_both("/deployments", [answer.json for answer in answers])
        else:
            self.learn(request, answers[0])
        if answers[0].status == 200 and re.search(r"/get_(scheduled_flow_)?runs", path) \
                and "x-prefect-ui" not in request.headers:
            time.sleep(PATIENCE)
        if self.asked == self.until:
            raise Enough
        return answers[0]

    def judge(self, request, other, reference, ours):
        try:
            reason = listed(self.match, request, reference, ours)
            if reason:
                self.excused.setdefault(reason, []).append(self.asked)
            else:
                self.match.answers(request, reference, ours)
        except Difference as difference:
            self.differences.append(self.report(request, other, reference, ours, difference))

    def take_back(self, path, answer):
        """Deletes what the reference alone made (a listed difference, or one that is reported): else every list and
        count would differ from here on."""
        path = "/flow_runs" if path.endswith("/create_flow_run") else path.rstrip("/")
        self.wires[0].send(Request("DELETE", f"{path}/{answer.json['id']}"))
        self.wires[0].receive()

    def compare_pools(self, request, other):
        """A change that tells nothing may have led to another pool (ANY_POOL)."""
        rows = []
        for wire, sent in zip(self.wires, (request, other)):
            wire.send(Request("GET", sent.path.partition("?")[0]))
            rows.append(wire.receive().json)
        if rows[0]["work_queue_name"] == rows[1]["work_queue_name"] \
                and rows[0]["work_pool_name"] != rows[1]["work_pool_name"]:
            self.excused.setdefault(ANY_POOL, []).append(self.asked)
            self.delete_both("/deployments", rows)

    def delete_both(self, path, rows):
        """Else every list with them would differ from here on."""
        for wire, row in zip(self.wires, rows):
            wire.send(Request("DELETE", f"{path}/{row['id']}"))
            wire.receive()

    def drop_planned_runs(self, path, answer):
        """A changed deployment loses all its planned runs in the reference, and those that are stale in ours (a listed
        difference): here all."""
        deployment = answer.json["id"] if answer.json else path.rpartition("/")[2]
        wanted = {"deployments": {"id": {"any_": [deployment]}},
                  "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
        for run in self.ours(Request("POST", "/flow_runs/filter", json.dumps(wanted), JSON)).json:
            if run["auto_scheduled"]:
                self.ours(Request("DELETE", f"/flow_runs/{run['id']}"))

    def ours(self, request):
        self.wires[1].send(request)
        return self.wires[1].receive()

    def report(self, request, other, reference, ours, difference):
        again = ["python", "-m", "tests.conformance.run", "--database", self.servers[0].engine, "--seed",
                 str(self.seed), "--until", str(self.asked)]
        lines = [f"#{self.asked} [{request.family}] {request.method}"
                 f" {request.path}{'  (' + request.note + ')' if request.note else ''}", f"  {difference}"]
        for name, sent, server, answer in (("reference", request, self.servers[0], reference),
                                           ("orion", other, self.servers[1], ours)):
            headers = {key: value for key, value in answer.headers.items()
                       if key in ("content-type", "location", "allow")}
            lines += [f"  {name}: {sent.curl(server.url)[:3000]}",
                      f"    {answer.status} {headers} {answer.text[:3000]}"]
        return {"family": request.family, "operation": f"{request.method} {request.path}",
                "text": "\n".join([*lines, f"  again: {shlex.join(again)}"])}

    # Remembering.

    def learn(self, request, answer):
        path = request.path.partition("?")[0]
        kind = next(kind for pattern, kind in [*KINDS, (r"", None)] if re.match(pattern, path))
        if not kind or answer.status >= 300:
            return
        known = self.rows.setdefault(kind, {})
        if request.method == "DELETE":
            key = path.rstrip("/").rpartition("/")[2]
            known.pop(key, None)
            for identifier in [identifier for identifier, row in known.items()
                               if key in (row.get("name"), row.get("tag"))]:
                del known[identifier]
            return
        body = answer.json
        rows = [row for row in (body if isinstance(body, list) else [body]) if isinstance(row, dict) and "id" in row]
        # what is one of many that look alike has no pair to ask ours for
        rows = [row for row in rows if self.match.knows(row["id"])]
        # In the order in which they were made: the choices of a seed must not depend on the reference's random
        # identifiers.
        for row in sorted(rows, key=lambda row: [str(row.get(name))
                                                 for name in ("created", "timestamp", "expected_start_time", "name")]):
            known[row["id"]] = row

    # Short ways for scripts.

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, body=NOTHING, **options):
        return self.ask("POST", path, body, **options)

    def put(self, path, body=NOTHING, **options):
        return self.ask("PUT", path, body, **options)

    def patch(self, path, body=NOTHING, **options):
        return self.ask("PATCH", path, body, **options)

    def delete(self, path, **options):
        return self.ask("DELETE", path, **options)

    def made(self, path, body, method="POST"):
        """The row that a request makes; one that is nowhere if it failed, so that the script goes on."""
        answer = self.ask(method, path, body)
        row = answer.json if answer.status < 300 else None
        return row if isinstance(row, dict) and "id" in row \
            else {"id": NOBODY, **(body if isinstance(body, dict) else {})}

"""/metrics, as Prometheus reads it, and /orion/status: what is counted, by whom it may be read, and that both are
answered in time whatever the database does."""
import base64
import http.client
import json
import re
import subprocess
import time

import pytest

from tests.lib import postgres, servers
from tests.lib.load import Client

LINE = re.compile(r"([a-z_]+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
PAST = "2020-01-01T00:00:00+00:00"
AT_MOST = 2.8  # seconds: two, and some for a busy machine
STATES = ["SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "CRASHED", "PAUSED", "CANCELLING"]


def fetch(server, path, method="GET", **headers):
    """Status, content type and body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    result = answer.status, answer.headers["content-type"], answer.read().decode()
    connection.close()
    return result


def metrics(server):
    """The values by name and labels."""
    status, kind, text = fetch(server, "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = LINE.fullmatch(line).groups()
            key = (name, *sorted(LABEL.findall(labels or "")))
            assert key not in found
            found[key] = float(value)
    return found


def value(found, name, **labels):
    return found.get((name, *sorted(labels.items())))


def status(server):
    code, kind, text = fetch(server, "/orion/status")
    assert (code, kind) == (200, "application/json")
    return json.loads(text)


def requests_of(found, **labels):
    return value(found, "orion_http_requests_total", **labels) or 0


# ---- the format ----

def test_promtool_finds_no_fault(orion, client):
    client.post("/flows/filter", {})
    checked = subprocess.run(["promtool", "check", "metrics"], input=fetch(orion, "/metrics")[2], text=True,
                             capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_every_metric_is_described_once_and_has_a_value(orion, client, engine):
    client.post("/flows/filter", {})
    text = fetch(orion, "/metrics")[2]
    described = re.findall(r"# HELP (\S+) \S.*\n# TYPE \1 (?:counter|gauge|histogram)\n(?=(.))", text)
    names = [name for name, _ in described]
    assert len(names) == len(set(names)) == text.count("# TYPE")
    of_sqlite = {"orion_database_free_bytes", "orion_database_wal_size_bytes"}
    empty = {name for name, following in described if following == "#"}
    assert empty == (of_sqlite if engine == "postgresql" else set())


@pytest.mark.parametrize("path", ["/metrics", "/orion/status"])
def test_methods(orion, path):
    code, kind, text = fetch(orion, path, "HEAD")
    assert (code, text) == (200, "") and kind
    assert fetch(orion, path, "POST") == (405, "application/json", '{"detail":"Method Not Allowed"}')


# ---- what is counted ----

def test_requests_by_route_method_and_status(orion, client):
    before = metrics(orion)
    flow = client.flow()
    for _ in range(3):
        assert client.get(f"/flows/{flow['id']}").status == 200
    assert client.get("/flows/00000000-0000-4000-8000-000000000000").status == 404
    assert client.post("/flows/filter", {"limit": "many"}).status == 422
    after = metrics(orion)

    def more(**labels):
        return requests_of(after, **labels) - requests_of(before, **labels)
    assert more(route="/api/flows/{id}", method="GET", status="200") == 3
    assert more(route="/api/flows/{id}", method="GET", status="404") == 1
    assert more(route="/api/flows/", method="POST", status="201") == 1
    assert more(route="/api/flows/filter", method="POST", status="422") == 1
    assert more(route="/metrics", method="GET", status="200") == 1
    assert flow["id"] not in str(after)


def test_a_template_is_as_the_description_has_it(orion, client):
    client.get("/flows/name/no-such-flow")
    assert requests_of(metrics(orion), route="/api/flows/name/{name}", method="GET", status="404") == 1


def test_what_has_no_template_has_few_names(orion, client):
    routes = {dict(key[1:])["route"] for key in metrics(orion) if key[0] == "orion_http_requests_total"}
    for number in range(20):
        fetch(orion, f"/page-{number}")
        fetch(orion, f"/api/nothing-{number}")
        fetch(orion, f"/api/flows/filter?number={number}", f"METHOD{number}")
    fetch(orion, "/docs")
    found = metrics(orion)
    added = {dict(key[1:])["route"] for key in found if key[0] == "orion_http_requests_total"} - routes
    assert added <= {"dashboard", "docs", "unknown"}
    assert requests_of(found, route="unknown", method="GET", status="404") == 20
    assert requests_of(found, route="unknown", method="other", status="405") == 20
    assert requests_of(found, route="dashboard", method="GET", status="200") >= 20


def test_times_are_distributed(orion, client):
    client.post("/flows/filter", {})
    found = metrics(orion)
    labels = {"route": "/api/flows/filter", "method": "POST"}
    name = "orion_http_request_duration_seconds"
    buckets = [(float(dict(key[1:])["le"]), count) for key, count in found.items()
               if key[0] == f"{name}_bucket" and labels.items() <= dict(key[1:]).items()]
    counts = [count for _, count in sorted(buckets)]
    assert len(counts) > 10 and counts == sorted(counts)
    answered = sum(count for key, count in found.items()
                   if key[0] == "orion_http_requests_total" and labels.items() <= dict(key[1:]).items())
    assert counts[-1] == value(found, f"{name}_count", **labels) == answered
    assert 0 < value(found, f"{name}_sum", **labels) < 60 * answered


def test_connections_and_bytes(orion):
    before = metrics(orion)
    kept = [Client(orion) for _ in range(5)]
    for one in kept:
        assert len(one.get("/openapi.json").value) > 3
    after = metrics(orion)

    def more(name):
        return value(after, name) - value(before, name)
    assert more("orion_http_connections_total") == 6  # the scrape's own, too
    assert more("orion_http_connections") >= 5
    assert more("orion_http_received_bytes_total") > 5 * 50
    assert more("orion_http_sent_bytes_total") > 5 * 50_000
    for one in kept:
        one.http.close()
    assert more("orion_http_refused_requests_total") == 0
    fetch(orion, "/" + 70_000 * "x")
    assert value(metrics(orion), "orion_http_refused_requests_total") == value(
        after, "orion_http_refused_requests_total") + 1


def test_transactions_and_statements(orion, client):
    before = metrics(orion)
    run = client.flow_run(client.flow())
    client.set_state("flow_runs", run, "RUNNING")
    client.get(f"/flow_runs/{run['id']}")
    client.request("DELETE", f"/flow_runs/{run['id']}")
    after = metrics(orion)

    def more(name, **labels):
        return value(after, name, **labels) - value(before, name, **labels)
    assert more("orion_database_transactions_total", kind="write") >= 4
    assert more("orion_database_transactions_total", kind="read") >= 1
    assert more("orion_database_commit_duration_seconds_count") == more("orion_database_commit_writes_count") >= 4
    assert more("orion_database_commit_writes_sum") >= 4
    for operation in ("select", "insert", "update", "delete"):
        assert more("orion_database_statements_total", operation=operation) >= 1
        assert value(after, "orion_database_statement_seconds_total", operation=operation) >= 0
    assert more("orion_database_failed_transactions_total") == 0
    assert value(after, "orion_database_queued_transactions", kind="write") == 0
    assert value(after, "orion_database_size_bytes") > 100_000


# ---- what is in the database ----

def fill(client):
    """A run in each state, two late ones, one of them in a queue of a pool, and a slot in use."""
    flow = client.flow()
    late = {"type": "SCHEDULED", "name": "Late", "state_details": {"scheduled_time": PAST}}
    client.made("/experimental/work_pools/", {"name": "pool", "type": "process"})
    for names in ({"work_queue_name": "agents"}, {"work_pool_name": "pool"}):
        deployment = client.made("/deployments/", {"name": str(names), "flow_id": flow["id"], **names})
        client.made(f"/deployments/{deployment['id']}/create_flow_run", {"state": late})
    for state in STATES[1:]:
        assert client.flow_run(flow, state={"type": state})["state_type"] == state
    run = client.flow_run(flow, state={"type": "RUNNING"})
    client.flow_run(flow, state={"type": "SCHEDULED", "state_details": {"scheduled_time": "2199-01-01T00:00:00Z"}})
    client.post("/concurrency_limits/", {"tag": "database", "concurrency_limit": 3})
    client.set_state("task_runs", client.task_run(run, tags=["database"]), "RUNNING")


def test_runs_queues_and_slots(start):
    server = start(PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS="true")
    fill(Client(server))
    found, shown = metrics(server), status(server)
    runs = {**dict.fromkeys(STATES, 1), "SCHEDULED": 3, "RUNNING": 2}
    assert shown["flow_runs"] == runs and list(shown["flow_runs"]) == STATES
    assert {state: value(found, "orion_flow_runs", state=state) for state in STATES} == runs
    assert (shown["late"], shown["due"]) == (2, 2)
    assert value(found, "orion_late_flow_runs") == value(found, "orion_due_flow_runs") == 2
    assert shown["slots"] == [{"tag": "database", "limit": 3, "in_use": 1}]
    assert (value(found, "orion_concurrency_slots"), value(found, "orion_concurrency_slots_in_use")) == (3, 1)
    due = {"paused": False, "due": 1, "oldest_due": PAST}
    assert shown["work_queues"] == [{"name": "agents", "work_pool": "default-agent-pool", **due},
                                    {"name": "default", "work_pool": "default-agent-pool", **due,
                                     "due": 0, "oldest_due": None},
                                    {"name": "default", "work_pool": "pool", **due}]


def test_a_look_at_the_database_is_shared(orion, client):
    first = status(orion)["flow_runs"]["PENDING"]
    client.flow_run(client.flow(), state={"type": "PENDING"})
    assert status(orion)["flow_runs"]["PENDING"] == value(metrics(orion), "orion_flow_runs", state="PENDING") == first


# ---- the status ----

def test_status(orion, client, engine):
    for _ in range(10):
        assert client.get("/health").status == 200
    shown = status(orion)
    assert list(shown) == ["version", "commit", "api_version", "address", "started", "uptime", "ready", "reason",
                           "database", "requests", "connections", "flow_runs", "late", "due", "work_queues", "slots",
                           "services"]
    assert shown["address"] == orion.url and shown["api_version"] == "0.8.4" and shown["version"]
    assert (shown["ready"], shown["reason"]) == (True, None)
    assert [service["name"] for service in shown["services"]] == ["upkeep"]
    assert 0 < shown["uptime"] < 3600 and shown["started"] > "2020" and shown["connections"] >= 1
    assert shown["database"]["engine"] == engine and shown["database"]["bytes"] > 100_000
    is_sqlite = engine == "sqlite"
    assert [shown["database"][name] is not None for name in ("wal_bytes", "free_bytes")] == [is_sqlite, is_sqlite]
    recent = shown["requests"]
    assert recent["count"] == sum(recent["by_second"]) >= 10 and len(recent["by_second"]) == 60
    assert recent["failed"] == 0 and 0 < recent["p50_ms"] <= recent["p99_ms"]


def test_requests_of_the_last_minute_are_by_second(orion, client):
    def by_second():
        return status(orion)["requests"]["by_second"]
    before, began = sum(by_second()), time.monotonic()
    while time.monotonic() < began + 2.5:
        assert client.get("/health").status == 200
        time.sleep(0.05)
    after = by_second()
    assert sum(1 for count in after[-10:] if count) >= 3 or time.monotonic() > began + 10
    assert sum(after) > before + 3 and after[-1] + after[-2] > 0


def test_services(start):
    server = start(PREFECT_ORION_SERVICES_LATE_RUNS_ENABLED="true", PREFECT_ORION_SERVICES_LATE_RUNS_LOOP_SECONDS="0.1")

    def late():
        return next(service for service in status(server)["services"] if service["name"] == "marklateruns")

    def wait(condition):
        deadline = time.monotonic() + 30
        while not condition(late()):
            assert time.monotonic() < deadline, late()
            time.sleep(0.05)
    wait(lambda service: service["ticks"] >= 2 and service["last_tick"] and service["seconds"] > 0)
    assert (late()["failures"], late()["error"]) == (0, None)
    server.execute("ALTER TABLE flow_run RENAME TO elsewhere")
    wait(lambda service: service["failures"] and "flow_run" in service["error"])
    server.execute("ALTER TABLE elsewhere RENAME TO flow_run")
    wait(lambda service: service["failures"] and not service["error"])
    found = metrics(server)
    assert value(found, "orion_service_ticks_total", service="marklateruns") > value(
        found, "orion_service_tick_failures_total", service="marklateruns") >= 1
    assert value(found, "orion_service_tick_seconds_total", service="marklateruns") > 0
    assert abs(value(found, "orion_service_last_tick_timestamp_seconds", service="marklateruns") - time.time()) < 60


# ---- whoever asks, and whenever ----

def made_key(home):
    made = subprocess.run([servers.ORION_BIN, "key", "create", "prometheus", "--read-only"], text=True, check=True,
                          env=servers.server_environment(home), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return f"Bearer {made.stdout.strip()}"


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("password", [None, "ann:secret-word"])
def test_a_key_that_may_read_is_needed_and_enough(start, tmp_path, password):
    credentials = [made_key(tmp_path)]
    if password:
        credentials.append("Basic " + base64.b64encode(password.encode()).decode())
    server = start(**({"ORION_AUTH_STRING": password} if password else {}))
    for path in ("/metrics", "/orion/status"):
        assert fetch(server, path)[0] == fetch(server, path, authorization="Bearer orion_wrong")[0] == 401
        assert fetch(server, path, "POST")[0] == 401
        for authorization in credentials:
            code, _, text = fetch(server, path, authorization=authorization)
            assert code == 200 and "secret-word" not in text
    assert fetch(server, "/api/health")[0] == 200
    found = fetch(server, "/metrics", authorization=credentials[0])[2]
    assert 'route="unknown",method="GET",status="401"' in found


def test_metrics_can_be_turned_off(start):
    server = start(ORION_METRICS="false")
    assert fetch(server, "/metrics") == (404, "application/json", '{"detail":"ORION_METRICS is off on this server"}')
    assert status(server)["requests"]["count"] >= 1
    assert server.stop() == 0


def test_a_locked_database_delays_nobody_for_long(start):
    server = start(PREFECT_ORION_DATABASE_TIMEOUT="3")
    with server.store.write_lock():
        began = time.monotonic()
        found = metrics(server)
        assert time.monotonic() - began < AT_MOST
        assert value(found, "orion_ready") == 0
        assert value(found, "orion_flow_runs", state="RUNNING") == 0  # reads go on
        shown = status(server)
        assert shown["ready"] is False and shown["reason"]


@pytest.mark.only("postgresql")
def test_what_cannot_be_read_is_left_out(start):
    server = start(PREFECT_ORION_DATABASE_TIMEOUT="3")
    with postgres.Session(server.store.url) as holder:
        holder.execute("BEGIN")
        holder.execute(f"LOCK TABLE {', '.join(server.store.tables())} IN ACCESS EXCLUSIVE MODE")
        found, shown = metrics(server), status(server)
        holder.execute("ROLLBACK")
    assert value(found, "orion_ready") == 0 and value(found, "orion_flow_runs", state="RUNNING") is None
    assert value(found, "orion_http_connections") == 1
    assert [shown[name] for name in ("flow_runs", "late", "due", "work_queues", "slots")] == 5 * [None]
    assert shown["database"]["bytes"] is None


# ---- slow statements ----

def test_slow_statements_are_logged_without_values(start):
    server = start(ORION_LOG_SLOW="0.001ms")  # all are slow
    name = "a-name-that-no-log-shows"
    client = Client(server)
    client.made("/flows/", {"name": name})
    assert client.post("/flows/filter", {"flows": {"name": {"any_": [name]}}}).value[0]["name"] == name
    log = server.log()
    assert re.search(r"WARNING \| orion\.db\.slow - \d+\.\d ms: SELECT .*FROM flow WHERE .*", log)
    assert re.search(r"orion\.db\.slow - \d+\.\d ms: INSERT INTO flow ", log)
    assert re.search(r"orion\.db\.slow - \d+\.\d ms: COMMIT", log)
    assert name not in log


def test_none_is_logged_by_default(orion, client):
    client.post("/flows/filter", {})
    assert "orion.db.slow" not in orion.log()


@pytest.mark.only("sqlite")
def test_a_time_is_checked(start):
    with pytest.raises(RuntimeError, match="ORION_LOG_SLOW\n  value is not a time above zero"):
        start(ORION_LOG_SLOW="fast")

"""Payloads in every place of every request: nothing of them is run, everything of them is data.

In `make test` each place gets a few payloads, so that each payload has its turn; with ORION_TEST_FULL=1 it gets all."""
import collections
import html
import json
import os
import re
import time

import pytest

from tests.lib import postgres, servers
from tests.lib.api_client import Api
from . import oracle
from .attacks import Place, attacks, places
from .payloads import LOGGER, PAYLOADS, PRODUCT, SLOW
from .seeded import seeded
from .wire import Connection, Request, encoded, written

FULL = os.environ.get("ORION_TEST_FULL") == "1"
EACH = None if FULL else 3
SLEEP = 4  # seconds, of the payloads that wait; those that compute take some ten
FERNET = "Y2FuYXJ5LWtleS1vZi10aGUtaW5qZWN0aW9uLXRlc3Q="
SECRET = "canary-5d0c1a77"
ROOT = "root:x:0:0"  # of /etc/passwd
HEADERS = {"date", "server", "content-length", "content-type", "connection", "location", "allow", "vary",
           "access-control-allow-origin", "access-control-allow-credentials", "x-request-id"}
# One line of the log, with no character that ends a line, moves a cursor or turns the direction.
LOG_LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{3} \| [A-Z]+ *\| orion(\.\w+)* - "
                      r"[^\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]*")
BANNER = re.compile(r"[^\x00-\x1f\x7f-\x9f]*")  # before the first line: what the server says of itself
# Operations that answer 201 for each row that they make, and its table; pools are deleted by payloads too.
TABLES = {"POST /flows/": "flow", "POST /flow_runs/": "flow_run", "POST /task_runs/": "task_run",
          "POST /deployments/{id}/create_flow_run": "flow_run",
          "POST /deployments/": "deployment", "POST /block_types/": "block_type",
          "POST /block_schemas/": "block_schema", "PUT /saved_searches/": "saved_search",
          "POST /flow_run_notification_policies/": "flow_run_notification_policy", "POST /logs/": "log"}


class Attacked:
    """A server after the attacks, what it was before, and what was seen."""

    def __init__(self, server):
        self.server, self.api = server, Api(server)
        self.keep_secret()
        seeded(self.api)  # rows that no request is about
        self.schema = self.described_schema()
        self.canaries = self.rows()
        self.generator = seeded(self.api, first=1000)
        self.counts = self.counted()
        self.connection = Connection(server.port)
        self.wrong = collections.defaultdict(list)  # what is wrong: of which attacks
        self.asked, self.made, self.read_back = 0, collections.Counter(), collections.Counter()
        self.statuses = collections.Counter()

    def keep_secret(self):
        block_type = self.api.made("/block_types/", {"name": "canary", "slug": "canary"})
        fields = {"title": "Canary", "type": "object", "properties": {"key": {"type": "string"}},
                  "secret_fields": ["key"]}
        schema = self.api.made("/block_schemas/", {"fields": fields, "block_type_id": block_type["id"]})
        self.api.made("/block_documents/", {"name": "canary", "data": {"key": SECRET}, "block_schema_id": schema["id"],
                                            "block_type_id": block_type["id"]})

    def described_schema(self):
        """Every table, index, view, trigger, function and type."""
        store = self.server.store
        if store.engine == "postgresql":
            return postgres.cluster().dump(store.name, "--schema-only")
        return store.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2")

    def rows(self):
        """{table: {all values of a row}}, without what services and polls note on queues."""
        store, found = self.server.store, {}
        for table in store.tables():
            left_out = ("updated", "last_polled", "priority") if table == "work_queue" else ()
            names = ", ".join(f'"{name}"' for name in store.columns(table) if name not in left_out)
            found[table] = {tuple(map(str, row)) for row in store.execute(f"SELECT {names} FROM {table}")}
        return found

    def counted(self):
        """The rows of each table, but for the runs that schedules make."""
        planned = self.server.execute("SELECT count(*) FROM flow_run WHERE auto_scheduled")[0][0]
        return {table: len(rows) - (planned if table == "flow_run" else 0) for table, rows in self.rows().items()}

    # Attacking.

    def attack(self, place, name):
        text = PAYLOADS[name]
        request = place.make(text)
        answer = self.connection.ask(request, place.alone)
        self.asked += 1
        self.statuses[answer.status] += 1
        for fault in faults(place, answer):
            self.wrong[fault].append(f"{place}, {name}: {answer.status} {answer.content[:200]!r}")
        if answer.status in (200, 201, 204):
            self.note(place, name, request, answer)

    def note(self, place, name, request, answer):
        operation = place.operation
        if operation.name in TABLES:
            self.made[TABLES[operation.name]] += answer.status == 201
        is_refused = operation.name.endswith("/set_state") and answer.status != 201
        if place.part and operation.method in ("POST", "PUT", "PATCH") and not is_refused:
            self.read(place, name, request, answer)

    def read(self, place, name, request, answer):
        """What was stored must read back as it was sent."""
        if place.operation.method == "PATCH":
            answer = self.connection.ask(request._replace(method="GET", content=None))
        row = json.loads(answer.content) if answer.status < 300 and answer.content else None
        stored = oracle.at(row, place.part) if isinstance(row, dict) else oracle.NOWHERE
        if stored is oracle.NOWHERE:
            return
        self.read_back[place.operation.name] += 1
        sent = oracle.at(json.loads(request.content), place.part)
        if place.operation.path.startswith("/block_types/") and place.part in ("description", "code_example"):
            # a new one is stored with its markup escaped, as in the reference
            sent, stored = html.escape(sent, quote=False), html.escape(html.unescape(stored), quote=False)
        if not oracle.is_in(sent, stored):
            self.wrong["stored otherwise"].append(f"{place}, {name}: {stored!r}"[:300])


def faults(place, answer):
    """What is wrong with one answer."""
    text = answer.content.decode("utf-8", "replace")
    if answer.status >= 500 and not (answer.status == 501 and place.name == "header transfer-encoding"):
        yield "server error"
    if {name.lower() for name, _ in answer.headers} - HEADERS:
        yield "another header"
    if any(secret in text or secret in str(answer.headers) for secret in (SECRET, FERNET, PRODUCT, ROOT)):
        yield "told a secret, or computed"
    location = answer.header("location") or "/"
    if not re.fullmatch(r"(https?://[\w.:\[\]-]+)?/[!-~]*", location):
        yield "a location that is none"
    if place.name.startswith(("body", "key")):
        if answer.status not in place.operation.statuses and not 400 <= answer.status < 500:
            yield "a status that is not described"
        if answer.content and (answer.header("content-type") != "application/json" or not is_json(answer.content)):
            yield "no JSON"


def is_json(content):
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


@pytest.fixture(scope="module")
def attacked(engine):
    with servers.running("orion", database=engine, PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS="true",
                         PREFECT_LOGGING_SERVER_LEVEL="DEBUG", ORION_ENCRYPTION_KEY=FERNET) as server:
        found = Attacked(server)
        for place, name in attacks(found.generator, EACH):
            found.attack(place, name)
        yield found


def test_no_answer_is_wrong(attacked):
    print(f"{attacked.asked} attacks, {attacked.statuses}")
    assert {fault: [len(where), where[:5]] for fault, where in attacked.wrong.items()} == {}
    assert attacked.asked > 5000 and len(attacked.read_back) >= 15, attacked.read_back
    assert attacked.statuses[200] > 500 and attacked.statuses[201] > 200


def test_the_schema_is_as_it_was(attacked):
    assert attacked.described_schema() == attacked.schema


def test_rows_that_no_request_was_about_are_as_they_were(attacked):
    now = attacked.rows()
    assert sum(map(len, attacked.canaries.values())) > 100
    assert {table: rows - now[table] for table, rows in attacked.canaries.items() if rows - now[table]} == {}


def test_as_many_rows_were_made_as_answers_say(attacked):
    now = attacked.counted()
    assert {table: now[table] - attacked.counts[table] for table in TABLES.values()} \
        == {table: attacked.made[table] for table in TABLES.values()}


def conflicts(connection):
    """Provokes conflicts below paths that name a payload, which the log tells; how many there were."""
    count = 0
    for text in PAYLOADS.values():
        pools = b"/api/experimental/work_pools/"
        queues = pools + encoded(text) + b"/queues"
        connection.ask(Request("POST", pools, {}, written({"name": text})))
        for name in ("one", "two"):
            connection.ask(Request("POST", queues, {}, written({"name": name})))
        count += connection.ask(Request("PATCH", queues + b"/one", {}, written({"name": "two"}))).status == 409
    return count


def test_the_log_has_a_line_for_each_entry(attacked):
    told = conflicts(attacked.connection)
    log = attacked.server.log()
    lines = log.rstrip("\n").split("\n")
    first = next(n for n, line in enumerate(lines) if LOG_LINE.fullmatch(line))
    assert all(BANNER.fullmatch(line) for line in lines[:first])
    assert [line for line in lines[first:] if not LOG_LINE.fullmatch(line)] == []
    assert sum("orion.access" in line for line in lines) >= attacked.asked * 0.8
    assert sum("| orion.api - PATCH /" in line for line in lines) >= told > 30
    assert [line for line in lines if re.match(rf"[^-]*\| {LOGGER} ", line)] == []
    assert [secret for secret in (SECRET, FERNET) if secret in log] == []


def test_filters_find_what_equals_the_payload(attacked):
    checked = oracle.check_filters(attacked.api, attacked.generator.document, PAYLOADS, FULL)
    assert checked.wrong == []
    assert checked.filters >= 24 and checked.found > 100, (checked.filters, checked.found)


def test_nothing_waits(attacked):
    """Beside each payload that would wait where it is run, one that would not is asked, and both take as long."""
    chosen = [place for place in places(attacked.generator) if place.name.startswith(("body", "path", "query"))]
    slow = [f"{place}, {payload}" for number, place in enumerate(chosen if FULL else chosen[::5])
            for payload, control in (SLOW if FULL else [SLOW[number % len(SLOW)]])
            if waits(attacked.connection, place, payload, control)]
    assert slow == []


def test_what_waits_is_noticed():
    class Slow:
        """What runs the payload."""
        def ask(self, request, alone):
            time.sleep(SLEEP if "pg_sleep" in request else 0)

    place = Place(None, "", make=lambda text: text)
    assert waits(Slow(), place, *SLOW[0])
    assert not waits(Slow(), place, "", "")


def waits(connection, place, payload, control):
    """Whether the one takes longer than the other, each time."""
    def seconds(text):
        request, begun = place.make(text), time.monotonic()
        connection.ask(request, place.alone)
        return time.monotonic() - begun
    return all(seconds(payload) - seconds(control) > SLEEP / 2 for _ in range(3))

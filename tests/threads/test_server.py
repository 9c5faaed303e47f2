"""All threads of the server at once, under ThreadSanitizer: clients of every kind while services run, keys change and
readiness is asked for, and the end of the server in the middle of it."""
import os
import threading
import time

import pytest

from tests.lib import servers
from tests.lib.api_client import Api
from tests.lib.load import LOST, Client, Threads, Wire, head
from tests.lib.receiver import Receiver, wait_until
from tests.postgres.crowd import Crowd
from tests.server.test_access import ask, key
from tests.services.test_flow_run_notifications import policy

SECONDS = 60 if os.environ.get("ORION_TEST_FULL") == "1" else 2
CLIENTS = 8
PATIENCE = 120
SETTINGS = {
    **{f"PREFECT_ORION_SERVICES_{service}_ENABLED": "true" for service in servers.SERVICES},
    **{f"PREFECT_ORION_SERVICES_{service}_LOOP_SECONDS": "0.1"
       for service in ("LATE_RUNS", "PAUSE_EXPIRATIONS", "CANCELLATION_CLEANUP", "SCHEDULER")},
    "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS": "0",
    "PREFECT_ORION_API_KEEPALIVE_TIMEOUT": "300",
    "PREFECT_ORION_DATABASE_TIMEOUT": "120",
    "PREFECT_LOGGING_SERVER_LEVEL": "DEBUG",
}
LARGE = {"long": "x" * 100_000}  # so that another thread than the loop's checks the body


class Others:
    """Beside the crowd, one thread for each of these, again and again until the end."""

    def __init__(self, server):
        api = Api(server)
        self.server, self.flow, self.rule = server, api.flow(), policy(api)
        self.ending = threading.Event()
        self.works = [self.send_large_bodies, self.ask_whether_it_is_ready, self.read_pages, self.leave, self.tell,
                      self.keep_a_secret]
        self.done = {work.__name__: 0 for work in self.works}
        self.threads = Threads(len(self.works), self.work)

    def work(self, number):
        work, client = self.works[number], Client(self.server)
        while not self.ending.is_set():
            try:
                work(client)
            except LOST:
                if not self.ending.is_set():
                    raise
            else:
                self.done[work.__name__] += 1

    def send_large_bodies(self, client):
        run = client.flow_run(self.flow, parameters=LARGE)
        assert client.get(f"/flow_runs/{run['id']}").value["parameters"] == LARGE
        assert client.post("/flow_runs/", {"flow_id": "none", "parameters": LARGE}).status == 422

    def ask_whether_it_is_ready(self, client):
        assert client.get("/ready").status in (200, 503)  # where the machine is slow, reads wait for more than 2 s

    def read_pages(self, client):
        for path in ("/api/openapi.json", "/docs", "/"):
            client.http.request("GET", path)
            client.http.getresponse().read()

    def leave(self, _):
        """Before the answer has come, or in the middle of the request."""
        for request in (head("GET", "/flows/filter"), head("POST", "/flow_runs/filter", "content-length: 100") + b"{"):
            with Wire(self.server) as wire:
                wire.send(request)
        with Wire(self.server) as wire:
            wire.send(head("POST", "/task_runs/filter", "content-type: application/json", "content-length: 2") + b"{}")

    def tell(self, client):
        run = client.flow_run(self.flow, tags=self.rule["tags"])
        assert client.set_state("flow_runs", run, "FAILED").status == 201
        time.sleep(0.5)

    def keep_a_secret(self, client):
        block_type = client.get("/block_types/slug/secret").value
        [schema] = client.post("/block_schemas/filter",
                               {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}).value
        body = {"is_anonymous": True, "block_type_id": block_type["id"], "block_schema_id": schema["id"]}
        document = client.made("/block_documents/", {**body, "data": {"value": "secret"}})
        shown = client.get(f"/block_documents/{document['id']}?include_secrets=true").value
        assert shown["data"] == {"value": "secret"}


@pytest.fixture(scope="module")
def receiver(tmp_path_factory):
    with Receiver(tmp_path_factory.mktemp("receiver")) as running:
        yield running


def test_everything_at_once(engine, receiver):
    with servers.running("orion", database=engine, **SETTINGS, **receiver.environment) as server:
        crowd, told = Crowd([server]), len(receiver.requests)
        others = Others(server)
        crowd.start(CLIENTS)
        time.sleep(SECONDS)
        deadline = time.monotonic() + PATIENCE
        while not all(others.done.values()) or not crowd.journal.states or len(receiver.requests) == told:
            assert not crowd.threads.failures + others.threads.failures
            assert time.monotonic() < deadline, (others.done, crowd.journal.done, len(receiver.requests))
            time.sleep(0.1)
        for ending in (crowd.down, crowd.ending, others.ending):
            ending.set()
        assert server.stop() == 0, server.log()[-2000:]
        crowd.stop()
        others.threads.join()


@pytest.mark.only("sqlite")
def test_keys_that_change_while_they_are_checked(engine, tmp_path):
    lasting, ending = f"Bearer {key(tmp_path, 'create', 'lasting')}", threading.Event()
    with servers.running("orion", home=tmp_path, database=engine) as server:
        def work(_):
            seen = set()
            while not ending.is_set():
                assert ask(server, "GET", "/api/admin/version", lasting).status == 200
                seen.add(ask(server, "GET", "/api/admin/version", f"Bearer {unknown}").status)
            return seen

        unknown = "orion_unknown"
        threads = Threads(3, work)
        for number in range(4):
            unknown = key(tmp_path, "create", f"short-{number}")
            wait_until(lambda: ask(server, "GET", "/api/admin/version", f"Bearer {unknown}").status == 200, PATIENCE)
            key(tmp_path, "revoke", f"short-{number}")
            wait_until(lambda: ask(server, "GET", "/api/admin/version", f"Bearer {unknown}").status == 401, PATIENCE)
        ending.set()
        assert set.union(*threads.join()) == {200, 401}
        assert server.stop() == 0

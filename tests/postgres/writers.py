"""Clients that write and read without pause while something is done to the database, and what they were told."""
import contextlib
import threading
import time
import uuid
from typing import NamedTuple

from tests.lib.load import Client, Threads

PAUSE = 0.005  # seconds between requests of a client: it is the faults that matter, not the load


class Told(NamedTuple):
    at: float     # when the answer came (monotonic)
    took: float   # seconds
    status: int
    text: str     # of what failed


class Writers:
    """Start and end them with `with`; stop() too. Names and state names are unique, so that what is stored can be found
    by them."""

    def __init__(self, server, count=6):
        self.server, self.count = server, count
        self.flow = Client(server).flow()
        self.ending = threading.Event()
        self.told = []
        self.stored, self.refused, self.unsure = set(), set(), set()

    def __enter__(self):
        self.threads = Threads(self.count, self.work)
        return self

    def __exit__(self, kind, *_):
        self.ending.set()
        with contextlib.suppress(BaseException) if kind else contextlib.nullcontext():
            self.threads.join()

    def stop(self):
        self.ending.set()
        self.threads.join()

    @staticmethod
    def text(answer):
        return answer.value.get("exception_message", str(answer.value)) if answer.status >= 400 else ""

    def ask(self, client, method, path, body=None):
        begun = time.monotonic()
        answer = client.request(method, path, body)
        at = time.monotonic()
        self.told.append(Told(at, at - begun, answer.status, self.text(answer)))
        time.sleep(PAUSE)
        return answer

    def write(self, client, path, body, name):
        """The name goes where the answer says; the answer if it is stored."""
        answer = self.ask(client, "POST", path, body)
        if answer.status in (200, 201):
            self.stored.add(name)
            return answer.value
        (self.unsure if "may be stored" in self.text(answer) else self.refused).add(name)
        return None

    def work(self, number):
        client = Client(self.server)
        while not self.ending.is_set():
            name = f"run-{uuid.uuid4().hex}"
            run = self.write(client, "/flow_runs/", {"flow_id": self.flow["id"], "name": name}, name)
            if run:
                assert (run["name"], run["flow_id"]) == (name, self.flow["id"])
                for type_ in ("RUNNING", "COMPLETED"):
                    name = f"state-{uuid.uuid4().hex}"
                    self.write(client, f"/flow_runs/{run['id']}/set_state", {"state": {"type": type_, "name": name}},
                               name)
            name = f"log-{uuid.uuid4().hex}"
            self.write(client,
                       "/logs/", [{"name": "load", "level": 20, "message": name,
                                   "timestamp": "2023-01-01T00:00:00Z", "flow_run_id": (run or self.flow)["id"]}],
                       name)
            found = self.ask(client, "POST", "/flow_runs/filter",
                             {"limit": 5, "flows": {"id": {"any_": [self.flow["id"]]}}})
            assert found.status != 200 or {run["flow_id"] for run in found.value} <= {self.flow["id"]}

    def served(self, since):
        """How many requests that began after then were answered well."""
        return sum(one.status in (200, 201) and one.at - one.took > since for one in list(self.told))

    def failed(self, since=0):
        return [one for one in list(self.told) if one.status >= 400 and one.at - one.took > since]

    def misplaced(self, execute):
        """What is not as they were told: (lost, stored though refused). execute(sql): rows."""
        found = {name for sql in ("SELECT name FROM flow_run", "SELECT name FROM flow_run_state",
                                  "SELECT message FROM log") for name, in execute(sql)}
        return self.stored - found, self.refused & found

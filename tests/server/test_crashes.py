"""A server that is killed at random moments under a mixed load: what it answered is in the database, complete, and not
there twice. One database goes through all kills, so that what was recovered is recovered again.

ORION_CRASH_SEED repeats a run as far as it goes: the same requests in the same order for each client; how far each of
them has got when the server dies is up to the machine. ORION_CRASH_KILLS says how often it dies."""
import os
import random
import signal
import time
import uuid

import pytest

from tests.lib import postgres, servers
from tests.lib.check import assert_clean
from tests.lib.load import LOST, Client, Threads

FULL = os.environ.get("ORION_TEST_FULL") == "1"
KILLS = {"sqlite": 200 if FULL else 10, "postgresql": 50 if FULL else 3}
SEED = os.environ.get("ORION_CRASH_SEED") or str(random.SystemRandom().randrange(10**9))
CLIENTS = 6
MOST_ANSWERS = 250  # to all clients, from a start to the kill
PATIENCE = 180
SERVICES = {"PREFECT_ORION_API_KEEPALIVE_TIMEOUT": "3600",
            "PREFECT_ORION_SERVICES_SCHEDULER_ENABLED": "true", "PREFECT_ORION_SERVICES_SCHEDULER_LOOP_SECONDS": "0.2",
            "PREFECT_ORION_SERVICES_SCHEDULER_MIN_RUNS": "3", "PREFECT_ORION_SERVICES_SCHEDULER_MAX_RUNS": "5",
            "PREFECT_ORION_SERVICES_SCHEDULER_MIN_SCHEDULED_TIME": "1"}
NEXT = {"PENDING": ["RUNNING"], "RUNNING": ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]}
CHANGES = ("updated", "state", "state_id", "state_type", "state_name", "run_count", "flow_run_run_count", "start_time",
           "end_time", "total_run_time", "estimated_run_time", "estimated_start_time_delta")


class Run:
    """A flow run or task run as it was answered, with its states in order."""

    def __init__(self, kind, body, answer):
        self.kind, self.body, self.answer, self.id = kind, body, answer, answer["id"]
        self.states = [answer["state"]]

    def fixed(self, row):
        return {name: value for name, value in row.items() if name not in CHANGES}


class Writer:
    """One client: what it owns nobody else changes, and what it was answered it finds again."""

    def __init__(self, number):
        self.number = number
        self.runs, self.logs, self.documents, self.deployments, self.deleted = {}, {}, {}, {}, set()
        self.touched = set()  # since the last look
        self.pending = None   # (what, its values): sent, not answered yet
        self.answers = 0

    def prepare(self, client):
        name = f"crash-{self.number}-{uuid.uuid4().hex[:8]}"
        self.tag = name
        self.flow = client.made("/flows/", {"name": name})
        assert client.post("/concurrency_limits/", {"tag": self.tag, "concurrency_limit": 3}).status == 200
        self.block_type = client.made("/block_types/", {"name": name, "slug": name})
        fields = {"title": name, "type": "object", "secret_fields": ["password"],
                  "properties": {"password": {"type": "string", "format": "password"}}}
        self.schema = client.made("/block_schemas/", {"block_type_id": self.block_type["id"], "fields": fields,
                                                      "capabilities": []})

    # ---- writing ----

    def write(self, client, chance, is_over):
        """Requests until the server is gone."""
        self.client, self.random = client, chance
        works = {self.create_flow_run: 4, self.create_task_run: 5, self.move: 14, self.log: 3, self.create_document: 2,
                 self.change_document: 2, self.deploy: 2, self.delete: 1, self.ask_again: 2}
        while not is_over():
            self.random.choices(list(works), list(works.values()))[0]()

    def send(self, what, method, path, body=None, **values):
        """The answer; until it is there, the request is pending."""
        self.pending = (what, {"method": method, "path": path, "body": body, **values})
        answer = self.client.request(method, path, body)
        assert answer.status < 500, (path, body, answer)
        return answer

    def done(self, *touched):
        self.pending = None
        self.touched.update(touched)
        self.answers += 1

    def word(self, size=12):
        return "".join(self.random.choices("abcdefghijklmnopqrstuvwxyz é", k=size))

    def key(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def alive(self, kind):
        """One of the last runs that have not ended."""
        runs = [run for run in list(self.runs.values())[-40:] if run.kind == kind and run.states[-1]["type"] in NEXT]
        return self.random.choice(runs) if runs else None

    def create(self, kind, body):
        answer = self.send("create", "POST", f"/{kind}s/", body)
        assert answer.status == 201, answer
        self.take(kind, body, answer.value)

    def take(self, kind, body, value):
        assert {name: value[name] for name in body if name != "state"} == {name: body[name] for name in body
                                                                           if name != "state"}
        assert value["id"] not in self.runs
        self.runs[value["id"]] = Run(kind, body, value)
        self.done(value["id"])

    def create_flow_run(self):
        key = self.key()
        body = {"flow_id": self.flow["id"], "name": key, "idempotency_key": key, "tags": [self.word(), self.tag],
                "parameters": {"x": self.word(self.random.randrange(2000)), "n": self.random.random()}}
        self.create("flow_run", body)

    def create_task_run(self):
        flow_run = self.alive("flow_run")
        if flow_run:
            key = self.key()
            self.create("task_run", {"flow_run_id": flow_run.id, "task_key": "task", "name": key, "dynamic_key": key,
                                     "tags": [self.tag] if self.random.random() < 0.5 else []})

    def move(self):
        run = self.alive(self.random.choice(["flow_run", "task_run"]))
        if not run:
            return
        state = {"type": self.random.choice(NEXT[run.states[-1]["type"]]), "message": self.word(),
                 "data": {"x": self.word(self.random.randrange(500))} if self.random.random() < 0.3 else None}
        answer = self.send("move", "POST", f"/{run.kind}s/{run.id}/set_state", {"state": state}, run=run.id)
        if answer.value["status"] == "ACCEPT":
            assert answer.value["state"]["type"] == state["type"], answer
            run.states.append(answer.value["state"])
        else:
            assert answer.value["status"] in ("ABORT", "WAIT"), answer
        self.done(run.id)

    def ask_again(self):
        """With the key of a run that is there: nothing new is made."""
        run = self.random.choice(list(self.runs.values())[-40:]) if self.runs else None
        if run:
            answer = self.send("again", "POST", f"/{run.kind}s/", run.body)
            assert (answer.status, answer.value["id"]) == (200, run.id), answer
            self.done(run.id)

    def delete(self):
        """A flow run that nothing else refers to, with its states."""
        parents = {run.body.get("flow_run_id") for run in self.runs.values()}
        runs = [run for run in list(self.runs.values())[-20:] if run.kind == "flow_run" and run.id not in parents
                and all(state["data"] is None for state in run.states)]
        if runs:
            run = self.random.choice(runs)
            answer = self.send("delete", "DELETE", f"/flow_runs/{run.id}", run=run.id)
            assert answer.status == 204, answer
            del self.runs[run.id]
            self.deleted.add(run.id)
            self.done(run.id)

    def log(self):
        batch = self.key()
        lines = [{"name": self.word(), "level": self.random.randrange(50), "message": f"{number} {self.word(50)}",
                  "flow_run_id": batch, "timestamp": "2022-01-01T00:00:00+00:00"}
                 for number in range(self.random.randrange(1, 60))]
        answer = self.send("log", "POST", "/logs/", lines, batch=batch)
        assert answer.status == 201, answer
        self.logs[batch] = lines
        self.done(batch)

    def data(self):
        return {"password": self.word(20), "x": self.word(self.random.randrange(1000))}

    def create_document(self):
        body = {"name": self.key(), "block_type_id": self.block_type["id"], "block_schema_id": self.schema["id"],
                "data": self.data()}
        answer = self.send("document", "POST", "/block_documents/", body)
        assert answer.status == 201, answer
        self.documents[answer.value["id"]] = body["data"]
        self.done(answer.value["id"])

    def change_document(self):
        if self.documents:
            document, data = self.random.choice(list(self.documents)[-10:]), self.data()
            answer = self.send("change", "PATCH", f"/block_documents/{document}", {"data": data}, document=document)
            assert answer.status == 204, answer
            self.documents[document] = data
            self.done(document)

    def deploy(self):
        """A new deployment, or another schedule for one: what was planned is dropped, and planned anew."""
        name = self.random.choice(list(self.deployments)) if self.deployments and self.random.random() < 0.5 \
            else self.key()
        body = {"name": name, "flow_id": self.flow["id"], "parameters": {"x": self.word()},
                "schedule": self.random.choice([{"interval": 3600}, {"interval": 86400}, {"cron": "5 4 * * *"}])}
        answer = self.send("deploy", "POST", "/deployments/", body, deployment=name)
        assert answer.status in (200, 201), answer
        self.deployments[name] = answer.value
        self.done(name)

    # ---- looking ----

    def look(self, client, everything=False):
        """Finds again what was touched since the last time, and what of the pending request there is."""
        self.client = client
        what, sent = self.pending or (None, {})
        touched = self.touched | {sent.get("run"), sent.get("document"), sent.get("deployment")}

        def chosen(things):
            return [thing for thing in list(things) if everything or thing in touched]

        for run in chosen(self.runs):
            self.look_at_run(self.runs[run], sent if sent.get("run") == run else {}, what)
        for run in chosen(self.deleted):
            assert client.get(f"/flow_runs/{run}").status == 404
        for batch in chosen(self.logs):
            self.look_at_logs(batch, [self.logs[batch]])
        for document in chosen(self.documents):
            self.look_at_document(document, sent["body"]["data"] if sent.get("document") == document else None)
        for name in chosen(self.deployments):
            self.look_at_deployment(name, sent["body"] if what == "deploy" else {})
        self.look_at_slots()
        unanswered = {"log": self.look_at_pending_logs, "document": self.look_at_pending_document,
                      "deploy": self.look_at_pending_deployment, "create": self.repeat, "again": self.repeat}
        if what in unanswered:
            unanswered[what](sent)
        self.pending = None
        self.touched.clear()

    def look_at_run(self, run, sent, what):
        """The states that were answered, perhaps that of the pending request, and no other."""
        row = self.client.get(f"/{run.kind}s/{run.id}")
        if row.status == 404 and sent and what == "delete":
            del self.runs[run.id]
            self.deleted.add(run.id)
            return
        assert row.status == 200, (run.answer, row)
        states = self.client.get(f"/{run.kind}_states/?{run.kind}_id={run.id}").value
        assert states[:len(run.states)] == run.states
        for state in states[len(run.states):]:
            assert {name: state[name] for name in ("type", "message", "data")} == sent["body"]["state"]
        assert len(states) <= len(run.states) + (what == "move" and bool(sent))
        run.states = states
        assert run.fixed(row.value) == run.fixed(run.answer)
        assert row.value["state_id"] == states[-1]["id"] and row.value["state"] == states[-1]
        assert row.value["run_count"] == sum(state["type"] == "RUNNING" for state in states)

    def look_at_slots(self):
        slots = self.client.get(f"/concurrency_limits/tag/{self.tag}").value["active_slots"]
        assert sorted(slots) == sorted(run.id for run in self.runs.values() if run.kind == "task_run"
                                       and run.body["tags"] and run.states[-1]["type"] == "RUNNING")

    def look_at_logs(self, batch, possible):
        """All lines of a batch, or none."""
        found = self.client.post("/logs/filter", {"logs": {"flow_run_id": {"any_": [batch]}}}).value
        lines = [{name: line[name] for name in ("name", "level", "message", "flow_run_id", "timestamp")}
                 for line in found]
        assert sorted(lines, key=str) in [sorted(some, key=str) for some in possible]

    def look_at_pending_logs(self, sent):
        self.look_at_logs(sent["batch"], [[], sent["body"]])

    def look_at_document(self, document, changed):
        answer = self.client.get(f"/block_documents/{document}?include_secrets=true")
        assert answer.status == 200 and answer.value["data"] in [self.documents[document], changed], answer
        self.documents[document] = answer.value["data"]

    def look_at_pending_document(self, sent):
        slug, name = self.block_type["slug"], sent["body"]["name"]
        answer = self.client.get(f"/block_types/slug/{slug}/block_documents/name/{name}?include_secrets=true")
        assert answer.status == 404 or answer.value["data"] == sent["body"]["data"], answer

    def look_at_deployment(self, name, sent):
        answer = self.client.get(f"/deployments/{self.deployments[name]['id']}")
        if sent.get("name") == name and answer.value != self.deployments[name]:
            self.compare_deployment(answer, sent)
        else:
            assert (answer.status, answer.value) == (200, self.deployments[name])

    def look_at_pending_deployment(self, sent):
        answer = self.client.get(f"/deployments/name/{self.flow['name']}/{sent['body']['name']}")
        if answer.status != 404 and sent["body"]["name"] not in self.deployments:
            self.compare_deployment(answer, sent["body"])

    def compare_deployment(self, answer, sent):
        """It is what was sent; nobody was told so, but from now on it has to stay."""
        assert answer.status == 200 and answer.value["parameters"] == sent["parameters"], answer
        assert sent["schedule"].items() <= answer.value["schedule"].items(), answer
        self.deployments[sent["name"]] = answer.value

    def repeat(self, values):
        """As clients do that got no answer: with the same key there is one, however often it is asked for."""
        answer = self.client.request(values["method"], values["path"], values["body"])
        assert answer.status in (200, 201), answer
        kind = values["path"].strip("/").removesuffix("s")
        if answer.value["id"] not in self.runs:
            self.take(kind, values["body"], answer.value)
        found = self.client.post(f"/{kind}s/filter", {f"{kind}s": {"name": {"any_": [values["body"]["name"]]}}})
        assert [run["id"] for run in found.value] == [answer.value["id"]]


class Crashing:
    """A server in one home that dies again and again, and its clients."""

    def __init__(self, engine, home, settings):
        self.engine, self.home, self.settings = engine, home, settings
        self.server = None
        self.writers = [Writer(number) for number in range(CLIENTS)]
        self.kills = self.answers = 0

    def start(self):
        self.server = servers.Server("orion", home=self.home, database=self.engine, **self.settings)
        return self.server

    def kill(self):
        """The database's server must have noticed too, or it might still commit while we look."""
        self.server.signal(signal.SIGKILL)
        self.server.process.wait(PATIENCE)
        self.kills += 1
        deadline = time.monotonic() + PATIENCE
        while self.engine == "postgresql" and postgres.cluster().execute(
                "postgres", "SELECT pid FROM pg_stat_activity WHERE datname = ?", self.server.store.name):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def each(self, work):
        return Threads(CLIENTS, lambda number: work(self.writers[number])).join()

    def write_until_killed(self, number):
        """Every client writes, until so many answers that chance has chosen have arrived."""
        chance = random.Random(f"{SEED}/{number}/kill")
        goal = sum(writer.answers for writer in self.writers) + chance.randrange(1, MOST_ANSWERS)
        pause = chance.random() * 0.01
        over = []

        def work(client):
            writer = self.writers[client]
            try:
                writer.write(Client(self.server), random.Random(f"{SEED}/{number}/{client}"), lambda: over)
            except LOST:
                return True

        threads = Threads(CLIENTS, work)
        deadline = time.monotonic() + PATIENCE
        while sum(writer.answers for writer in self.writers) < goal and not threads.failures:
            assert time.monotonic() < deadline, "too few answers"
            time.sleep(0.001)
        time.sleep(pause)
        self.kill()
        over.append(True)
        threads.join()

    def start_and_kill(self, number):
        """Now and then it dies while it starts, on what the last one has left."""
        chance = random.Random(f"{SEED}/{number}/start")
        if chance.random() < 0.3:
            self.start()
            time.sleep(chance.random() * 0.15)
            self.kill()

    def look(self, everything=False):
        self.each(lambda writer: writer.look(Client(self.server), everything))
        for table, ids in (("flow_run", self.ids("runs", "flow_run")), ("task_run", self.ids("runs", "task_run")),
                           ("block_document", self.ids("documents"))):
            assert ids <= {row[0] for row in self.server.execute(f"SELECT id FROM {table}")}
        twice = self.server.execute("SELECT deployment_id, expected_start_time, COUNT(*) FROM flow_run"
                                    " WHERE auto_scheduled = '1' GROUP BY 1, 2 HAVING COUNT(*) > 1")
        assert twice == [], "planned twice"
        assert_clean(self.server.store)

    def ids(self, what, kind=None):
        return {key for writer in self.writers for key, value in getattr(writer, what).items()
                if kind is None or value.kind == kind}


@pytest.fixture
def crashing(tmp_path, engine):
    made = Crashing(engine, tmp_path, SERVICES)
    yield made
    if made.server:
        made.server.stop()
        made.server.store.drop()


def test_what_was_answered_survives_kills(crashing, engine):
    print(f"ORION_CRASH_SEED={SEED}")
    crashing.start().wait()
    crashing.each(lambda writer: writer.prepare(Client(crashing.server)))
    kills = int(os.environ.get("ORION_CRASH_KILLS") or KILLS[engine])
    number = 0
    while crashing.kills < kills:
        crashing.write_until_killed(number)
        if crashing.kills < kills:
            crashing.start_and_kill(number)
        crashing.start().wait()
        crashing.look()
        number += 1
    crashing.look(everything=True)
    planned = crashing.server.execute("SELECT COUNT(*) FROM flow_run WHERE auto_scheduled = '1'")[0][0]
    answers = sum(writer.answers for writer in crashing.writers)
    print(f"{engine}: {crashing.kills} kills, {answers} answered writes, {planned} planned runs")
    assert answers > kills and planned > 0
    assert crashing.server.stop() == 0

"""How often a request, a start and the scheduler wait for an answer of the database, which may be far away."""
import datetime
import time

from tests.lib import postgres
from tests.lib.distance import Distant
from tests.lib.load import Client

COUNTING = 0.01  # seconds there and back: what is sent without waiting leaves before an answer comes
FAR = 0.05
START_LIMIT = 3
NOW = datetime.datetime.now(datetime.timezone.utc)


def url_through(proxy, database):
    return f"postgresql+asyncpg://postgres@127.0.0.1:{proxy.port}/{database}"


class Steps:
    """What a client does, each step with what the steps before it have made."""

    def __init__(self, client):
        self.client, self.flow, self.made = client, client.flow(), 0
        self.run = self.task = None

    def key(self):
        self.made += 1
        return f"key-{self.made}"

    def new_run(self, **fields):
        answer = self.client.post("/flow_runs/", {"flow_id": self.flow["id"], "tags": ["a", "b"], **fields})
        self.run = answer.value
        return answer

    def new_task(self, **fields):
        answer = self.client.post("/task_runs/", {"flow_run_id": self.run["id"], "task_key": "t",
                                                  "dynamic_key": self.key(), **fields})
        self.task = answer.value
        return answer

    def set_run(self, **state):
        return self.client.post(f"/flow_runs/{self.run['id']}/set_state", {"state": state})

    def set_task(self, **state):
        return self.client.post(f"/task_runs/{self.task['id']}/set_state", {"state": state})

    def logs(self, count, size):
        return self.client.post("/logs/", [
            {"name": "prefect.flow_runs", "level": 20, "message": "x" * size, "timestamp": NOW.isoformat(),
             "flow_run_id": self.run["id"]} for _ in range(count)])


    def cached(self):
        return {"state_details": {"cache_key": self.key()}}


SCHEDULED = {"type": "SCHEDULED", "state_details": {"scheduled_time": NOW.isoformat()}}
STEPS = [  # what it is, the status, the round trips at most with BEGIN and COMMIT, and what is done
    ("create, with a key", 201, 2, lambda s: s.new_run(idempotency_key=s.key())),
    ("create", 201, 2, lambda s: s.new_run(state=SCHEDULED)),
    ("pending", 201, 2, lambda s: s.set_run(type="PENDING")),
    ("running", 201, 2, lambda s: s.set_run(type="RUNNING")),
    ("task", 201, 2, lambda s: s.new_task()),
    ("task running", 201, 2, lambda s: s.set_task(type="RUNNING")),
    ("task completed, with a result", 201, 2, lambda s: s.set_task(type="COMPLETED", data={"a": 1})),
    ("tagged task", 201, 2, lambda s: s.new_task(tags=["limited", "b"])),
    ("tagged task running", 201, 3, lambda s: s.set_task(type="RUNNING", **s.cached())),
    ("tagged task completed", 201, 3, lambda s: s.set_task(type="COMPLETED", **s.cached())),
    ("log", 201, 1, lambda s: s.logs(1, 100)),
    ("200 logs", 201, 1, lambda s: s.logs(200, 100)),
    ("200 long logs", 201, 2, lambda s: s.logs(200, 2000)),
    ("list", 200, 2, lambda s: s.client.post("/flow_runs/filter", {"limit": 50})),
    ("list with filters", 200, 2, lambda s: s.client.post("/flow_runs/filter", {
        "flows": {"name": {"any_": ["x"]}}, "flow_runs": {"tags": {"all_": ["a"]}}, "sort": "START_TIME_DESC"})),
    ("list of task runs", 200, 2, lambda s: s.client.post("/task_runs/filter", {})),
    ("list of logs", 200, 2, lambda s: s.client.post("/logs/filter", {})),
    ("count", 200, 2, lambda s: s.client.post("/flow_runs/count", {})),
    ("read", 200, 2, lambda s: s.client.get(f"/flow_runs/{s.run['id']}")),
    ("flow that exists", 200, 3, lambda s: s.client.post("/flows/", {"name": s.flow["name"]})),
    ("task of a subflow", 201, 2, lambda s: s.new_task(tags=["limited"])),
    ("subflow", 201, 3, lambda s: s.new_run(parent_task_run_id=s.task["id"])),
    ("subflow running", 201, 3, lambda s: s.set_run(type="RUNNING")),
    ("subflow completed", 201, 3, lambda s: s.set_run(type="COMPLETED", data={"a": 1})),
]


def test_round_trips(start, database):
    with Distant(postgres.cluster().port, COUNTING) as proxy:
        client = Client(start(url_through(proxy, database), ORION_DATABASE_CONNECTIONS="2"))
        assert client.post("/concurrency_limits/", {"tag": "limited", "concurrency_limit": 5}).status == 200
        steps = Steps(client)
        for _ in range(2):  # the second time all connections are there
            found = [(name, proxy.count(step, steps)) for name, _, _, step in STEPS]
    print("".join(f"{name}: {waits}\n" for name, (_, waits) in found))
    for (name, status, most, _), (_, (answer, waits)) in zip(STEPS, found):
        assert answer.status == status and waits <= most, (name, answer, waits)


def seconds_of_start(start, url):
    begun = time.monotonic()
    server = start(url)
    seconds = time.monotonic() - begun
    types = Client(server).post("/block_types/filter", {"limit": 200}).value
    server.stop()
    return seconds, len(types)


def test_start_far_away(start, database):
    """On an empty database, and on one that has its tables and block types. How much longer than near by: what a busy
    machine takes is not the distance's."""
    near = postgres.cluster().create_database(f"{database}_near")
    try:
        with Distant(postgres.cluster().port, FAR) as proxy:
            for _ in range(2):
                (near_seconds, _), before = seconds_of_start(start, near), proxy.round_trips
                seconds, types = seconds_of_start(start, url_through(proxy, database))
                print(f"{seconds:.2f} s, near by {near_seconds:.2f} s, {proxy.round_trips - before} round trips")
                assert seconds - near_seconds < START_LIMIT - 0.5
                assert types == len(postgres.cluster().execute(database, "SELECT 1 FROM block_type")) > 20
    finally:
        postgres.cluster().drop_database(f"{database}_near")

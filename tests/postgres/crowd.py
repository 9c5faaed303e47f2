"""Many clients of several servers who want the same things at the same moment, and what they were told.

Each client takes one action after the other, by chance, at a server by chance. What they share is in Crowd: few flows,
keys and runs, so that they meet. Every acknowledged write is in `journal`."""
import collections
import datetime
import random
import threading
import time
import uuid

from tests.lib.load import LOST, Client, Threads

LIMITS = {"a": 3, "b": 2}
TAGS = [["a"], ["b"], ["a", "b"], ["b", "a"]]
STATES = ["PENDING", "RUNNING", "RUNNING", "RUNNING", "SCHEDULED", "CANCELLING", "COMPLETED", "FAILED", "FAILED",
          "CRASHED"]
EXPECTED = {200, 201, 204, 404, 409}  # 404 and 409: somebody deleted it, or has made it


def moment(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()


def every(seconds):
    return {"interval": seconds, "anchor_date": "2023-01-01T00:00:00+00:00", "timezone": "UTC"}


class Journal:
    def __init__(self):
        # (kind, key): the ids that clients were given for it; more than one is a fault
        self.by_key = collections.defaultdict(set)
        self.rows = collections.defaultdict(set)    # table: ids that are stored
        self.deleted = set()                        # ids of runs that are not
        self.states = set()                         # (kind, run, state) of accepted transitions
        self.names = {}                             # flow run: the name that its only owner gave it
        self.logs = set()
        self.statuses = collections.Counter()
        self.done = collections.Counter()           # how often each action, and what came of it


class Crowd:
    def __init__(self, servers, seed=0):
        self.servers, self.seed, self.journal = servers, seed, Journal()
        self.ending = threading.Event()
        self.down = threading.Event()  # one server may be away
        self.restarts = 0              # after which connections have to be made anew
        self.round = 0                 # moves on, and with it the keys
        self.hot = {"flow_runs": collections.deque(maxlen=12), "task_runs": collections.deque(maxlen=24)}
        self.waiting = collections.deque(maxlen=200)
        self.temporary = collections.deque(maxlen=20)
        self.prepare(One(self, -1))

    def prepare(self, one):
        self.flows = [one.made("/flows/", {"name": f"flow-{number}"}) for number in range(4)]
        self.busy = one.made("/flow_runs/", {"flow_id": self.flows[0]["id"], "state": {"type": "RUNNING"}})
        for tag, limit in LIMITS.items():
            one.post("/concurrency_limits/", {"tag": tag, "concurrency_limit": limit})
        self.deployments = [self.deploy(one, number) for number in range(6)]
        [self.queue] = one.post("/work_queues/filter", {"work_queues": {"name": {"any_": ["crowd"]}}}).value

    def deploy(self, one, number, seconds=2):
        body = {"name": f"deployment-{number}", "flow_id": self.flows[number % 4]["id"], "work_queue_name": "crowd",
                "schedule": every(seconds)}
        return one.post("/deployments/", body).value

    def start(self, count):
        self.threads = Threads(count, self.work)

    def work(self, number):
        one = One(self, number)
        while not self.ending.is_set():
            action = one.chance.choice(ACTIONS)
            self.journal.done[action.__name__] += 1
            try:
                action(one)
            except Away:
                self.journal.done["away"] += 1

    def stop(self):
        self.ending.set()
        self.threads.join(120)


class Away(Exception):
    """The server that was killed did not answer: nobody knows what it did."""


class One:
    """A client with a connection to each server; all requests go to one by chance."""

    def __init__(self, crowd, number):
        self.crowd, self.journal = crowd, crowd.journal
        self.chance = random.Random(f"{crowd.seed} {number}")
        self.clients = [Client(server) for server in crowd.servers]
        self.restarts = crowd.restarts

    def connected(self):
        if self.restarts != self.crowd.restarts:
            self.restarts = self.crowd.restarts
            for client in self.clients:
                client.http.close()
        return self.chance.choice(self.clients)

    def request(self, method, path, body=None):
        client = self.connected()
        try:
            answer = client.request(method, path, body)
        except LOST:
            client.http.close()
            if not self.crowd.down.is_set():
                raise
            time.sleep(0.05)
            raise Away from None
        self.journal.statuses[answer.status] += 1
        assert answer.status in EXPECTED, (method, path, body, answer)
        return answer

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body=None):
        return self.request("POST", path, body)

    def made(self, path, body):
        """The row, made or found."""
        answer = self.post(path, body)
        assert answer.status in (200, 201), answer
        return answer.value

    def keep(self, table, row):
        self.journal.rows[table].add(row["id"])
        return row

    def flow_run(self, flow=None, **fields):
        return self.keep("flow_run", self.made(
            "/flow_runs/", {"flow_id": (flow or self.chance.choice(self.crowd.flows))["id"], **fields}))

    def task_run(self, flow_run, **fields):
        keys = {"task_key": "task", "dynamic_key": uuid.uuid4().hex}
        return self.keep("task_run", self.made("/task_runs/", {"flow_run_id": flow_run["id"], **keys, **fields}))

    def move(self, kind, run, type_, **fields):
        """What became of it; None: the run is gone."""
        answer = self.post(f"/{kind}/{run['id']}/set_state", {"state": {"type": type_, **fields}})
        if answer.status == 404:
            return None
        if answer.status == 409:
            self.journal.done["collided"] += 1
            return None
        status = answer.value["status"]
        self.journal.done[status] += 1
        if status == "ACCEPT":
            self.journal.states.add((kind.removesuffix("s"), run["id"], answer.value["state"]["id"]))
        return status


# ---- what they do ----

def same_flow(one):
    name = f"shared-{one.chance.randrange(30)}"
    one.journal.by_key["flow", name].add(one.keep("flow", one.made("/flows/", {"name": name}))["id"])


def same_flow_run(one):
    one.crowd.round += 1
    flow, key = one.chance.choice(one.crowd.flows), f"key-{one.crowd.round // 16}"
    run = one.flow_run(flow, idempotency_key=key, empirical_policy={"retries": 1, "retry_delay": 0})
    one.journal.by_key["flow_run", flow["id"], key].add(run["id"])
    one.crowd.hot["flow_runs"].append(run)


def same_task_run(one):
    one.crowd.round += 1
    key = f"key-{one.crowd.round // 16}"
    flow_run = one.crowd.hot["flow_runs"][-1] if one.crowd.hot["flow_runs"] else one.crowd.busy
    run = one.task_run(flow_run, dynamic_key=key, empirical_policy={"retries": 1, "retry_delay": 0})
    one.journal.by_key["task_run", flow_run["id"], key].add(run["id"])
    one.crowd.hot["task_runs"].append(run)


def move_same(one):
    kind = one.chance.choice(["flow_runs", "task_runs"])
    if one.crowd.hot[kind]:
        one.move(kind, one.chance.choice(one.crowd.hot[kind]), one.chance.choice(STATES))


def new_limited(one):
    if len(one.crowd.waiting) < 40:
        run = one.task_run(one.crowd.busy, tags=one.chance.choice(TAGS),
                           empirical_policy={"retries": 1, "retry_delay": 0})
        one.crowd.waiting.extend([run, run])  # two will try


def run_limited(one):
    if not one.crowd.waiting:
        return
    run = one.crowd.waiting.popleft()
    status = one.move("task_runs", run, "RUNNING")
    if status == "ACCEPT":
        time.sleep(one.chance.random() * 0.03)
        if one.move("task_runs", run, one.chance.choice(["COMPLETED", "COMPLETED", "FAILED", "CRASHED", "CANCELLING",
                                                         "RUNNING"])) != "ACCEPT":
            one.crowd.waiting.append(run)  # to be retried, or still running
            one.move("task_runs", run, "COMPLETED")
        else:
            one.move("task_runs", run, "CANCELLED")
    elif status == "WAIT":
        one.crowd.waiting.append(run)


def set_limit_again(one):
    tag = one.chance.choice(list(LIMITS))
    one.made("/concurrency_limits/", {"tag": tag, "concurrency_limit": LIMITS[tag]})


def write_logs(one):
    messages = [uuid.uuid4().hex for _ in range(one.chance.randrange(1, 6))]
    body = [{"name": "crowd", "level": 20, "message": message, "timestamp": moment(0),
             "flow_run_id": one.crowd.busy["id"]} for message in messages]
    one.made("/logs/", body)
    one.journal.logs.update(messages)


def rename(one):
    run, name = one.flow_run(), uuid.uuid4().hex
    one.request("PATCH", f"/flow_runs/{run['id']}", {"name": name, "tags": ["renamed"]})
    one.journal.names[run["id"]] = name


def rename_same(one):
    if one.crowd.hot["flow_runs"]:
        one.request("PATCH", f"/flow_runs/{one.chance.choice(one.crowd.hot['flow_runs'])['id']}",
                    {"tags": [uuid.uuid4().hex]})


def new_temporary(one):
    """To be moved and deleted at once by others."""
    run = one.made("/flow_runs/", {"flow_id": one.crowd.flows[1]["id"]})
    task_run = one.post("/task_runs/", {"flow_run_id": run["id"], "task_key": "task", "dynamic_key": "0"})
    one.crowd.temporary.extend([run, run, run, *([task_run.value] if task_run.status == 201 else [])])


def use_temporary(one):
    if not one.crowd.temporary:
        return
    run = one.crowd.temporary.popleft()
    kind = "task_runs" if "task_key" in run else "flow_runs"
    if one.chance.random() < 0.5:
        if one.request("DELETE", f"/{kind}/{run['id']}").status == 204:
            one.journal.deleted.add(run["id"])
    else:
        one.post(f"/{kind}/{run['id']}/set_state", {"state": {"type": "RUNNING"}})


def flow_and_its_end(one):
    """Others make runs in it while it is deleted."""
    flow = one.made("/flows/", {"name": f"short-{one.chance.randrange(2)}"})
    if one.chance.random() < 0.5:
        one.post("/flow_runs/", {"flow_id": flow["id"]})
    else:
        one.request("DELETE", f"/flows/{flow['id']}")


def deploy_again(one):
    one.crowd.deploy(one, one.chance.randrange(4), one.chance.choice([2, 3]))


def toggle_schedule(one):
    deployment = one.crowd.deployments[one.chance.choice([4, 5])]
    one.post(f"/deployments/{deployment['id']}/set_schedule_{one.chance.choice(['inactive', 'active'])}")


def deployment_and_its_end(one):
    body = {"name": f"short-{one.chance.randrange(2)}", "flow_id": one.crowd.flows[3]["id"], "schedule": every(60)}
    if one.chance.random() < 0.6:
        one.post("/deployments/", body)
    elif found := one.post("/deployments/filter", {"deployments": {"name": {"any_": [body["name"]]}}}).value:
        one.request("DELETE", f"/deployments/{found[0]['id']}")


def be_an_agent(one):
    """Of several who are given a run, one gets to submit it."""
    for run in one.post(f"/work_queues/{one.crowd.queue['id']}/get_runs", {"limit": 3}).value:
        if one.move("flow_runs", run, "PENDING") == "ACCEPT":
            one.journal.done["submitted"] += 1
            one.move("flow_runs", run, "RUNNING")
            one.move("flow_runs", run, one.chance.choice(["COMPLETED", "FAILED"]))


def look(one):
    one.post("/flow_runs/filter", {"limit": 20, "flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}})
    one.post("/task_runs/count", {"task_runs": {"tags": {"all_": ["a"]}}})
    one.post("/flow_runs/history",
             {"history_start": moment(-60), "history_end": moment(60), "history_interval_seconds": 10})
    one.get(f"/concurrency_limits/tag/{one.chance.choice(list(LIMITS))}")


ACTIONS = [same_flow, *[same_flow_run] * 4, *[same_task_run] * 4, *[move_same] * 12, *[new_limited] * 3,
           *[run_limited] * 12, set_limit_again, write_logs, write_logs, rename, *[rename_same] * 2, new_temporary,
           *[use_temporary] * 4, flow_and_its_end, deploy_again, toggle_schedule, deployment_and_its_end, be_an_agent,
           look]

"""One random history: the requests of a few flows, runs and tasks, in which identifiers stand as <places>."""
import datetime
import random
import uuid

TYPES = {"RUNNING": 30, "COMPLETED": 12, "FAILED": 18, "SCHEDULED": 12, "PENDING": 8, "PAUSED": 8, "CANCELLING": 4,
         "CANCELLED": 4, "CRASHED": 4}
TERMINAL = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
# What a client would ask for next, so that runs get somewhere: by the state that the run was seen in.
NEXT = {
    "SCHEDULED": {"PENDING": 3, "RUNNING": 6}, "PENDING": {"RUNNING": 1},
    "RUNNING": {"FAILED": 8, "COMPLETED": 5, "PAUSED": 4, "CRASHED": 2, "CANCELLING": 1, "CANCELLED": 1},
    "PAUSED": {"RUNNING": 9, "PAUSED": 1, "SCHEDULED": 2, "FAILED": 1}, "CANCELLING": {"CANCELLED": 1},
    "COMPLETED": {"RUNNING": 1}, "FAILED": {"RUNNING": 3, "SCHEDULED": 3}, "CRASHED": {"RUNNING": 3, "SCHEDULED": 3},
    "CANCELLED": {"RUNNING": 3, "SCHEDULED": 3},
}
VERSIONS = [None, None, None, "0.8.4", "0.8.4", "0.8.3", "0.8.2", "0.8.1", "0.8.0"]
HOUR = 3600
STEPS = 60


class History:
    """What is asked depends on the seed, the number, and which rows could be made."""

    def __init__(self, seed, number, stores):
        self.random = random.Random(f"{seed}/{number}")
        self.mark = uuid.uuid4().hex[:12]  # not the seed's: a history can be played again on the same servers
        self.now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        self.stores = stores
        self.places = {"flow": [], "flow_run": [], "task_run": [], "limit": [], "state": []}
        self.deployments = []
        self.seen = {}  # the type of the last state that was answered, by place
        self.above = {}  # the flow run of a task run, by place
        self.names = 0
        # The reference cannot delete a run whose states carried data: a history has the one or the other.
        self.has_data = self.random.random() < 0.5

    def chance(self, share):
        return self.random.random() < share

    def pick(self, items):
        return self.random.choice(items)

    def name(self):
        """Sorts as it was made."""
        self.names += 1
        return f"{self.mark}-{self.names:04d}"

    def known(self, kind):
        """A row that was made; mostly one of the last."""
        places = self.places[kind]
        return self.pick(places[-3:] if self.chance(0.8) else places) if places else None

    def running(self):
        return [place for place in self.places["flow_run"] if self.seen.get(place) == "RUNNING"]

    def alive(self, kind):
        """A row to move: seldom one that has ended, or whose flow run does not run."""
        places = [place for place in self.places[kind] if self.seen.get(place) not in TERMINAL
                  and self.seen.get(self.above.get(place, place)) not in TERMINAL]
        return self.pick(places[-5:]) if places and self.chance(0.85) else self.known(kind)

    def learn(self, request, answer):
        """Notes the row that a request made, moved or deleted."""
        if isinstance(answer[1], dict):
            state = answer[1].get("state") or {}
            self.seen[request.get("place") or request.get("moves")] = state.get("type")
        kind = request.get("makes")
        if kind and answer[0] in ((200, 201) if kind == "limit" else (201,)):
            self.places[kind].append(request["place"])
            self.above[request["place"]] = request.get("above", request["place"])
        if request.get("gone") and answer[0] in (200, 204):
            for places in self.places.values():
                places[:] = [place for place in places if request["gone"] not in (place, self.above.get(place))]

    def requests(self):
        yield self.create_flow()
        yield {**self.create_flow_run(), "version": None}
        yield self.create_limit()
        kinds = {
            self.create_flow: 1, self.create_flow_run: 5, self.create_task_run: 9, self.create_limit: 2,
            self.move_flow_run: 14, self.move_task_run: 36, self.resume: 5, self.read_run: 8, self.read_states: 3,
            self.read_graph: 2, self.list_runs: 4, self.read_limit: 4, self.patch_run: 3,
            self.delete_run: 0 if self.has_data else 3, self.delete_limit: 1, self.move_nobody: 1,
        }
        for _ in range(STEPS):
            if not self.running() and self.chance(0.4):
                yield self.create_flow_run()
            make = self.random.choices(list(kinds), list(kinds.values()))[0]
            request = make()
            if request:
                yield request
        for kind in ("flow_run", "task_run"):
            for place in list(self.places[kind]):
                yield {"method": "GET", "path": f"/{kind}s/<{place}>"}
                yield {"method": "GET", "path": f"/{kind}_states/?{kind}_id=<{place}>"}
        for place in list(self.places["limit"]):
            yield {"method": "GET", "path": f"/concurrency_limits/<{place}>"}

    # Creating.

    def create(self, kind, path, body, **more):
        place = f"{kind}-{self.names}-{self.random.getrandbits(32):08x}"
        return {"method": "POST", "path": path, "body": body, "place": place, "makes": kind, **more}

    def create_flow(self):
        names = [f"{self.mark}-flow-{number}" for number in range(3)]
        return self.create("flow", "/flows/", {"name": self.pick(names), "tags": self.tags()})

    def tags(self):
        return self.random.sample(["x", "y", "z"], self.random.randrange(3))

    def deployment(self, flow):
        """The identifier of a deployment, the same in both databases."""
        if self.deployments and self.chance(0.7):
            return self.pick(self.deployments)
        identifier = str(uuid.uuid4())
        for store in self.stores:
            [[flow_id]] = store.execute("SELECT id FROM flow WHERE name LIKE ? ORDER BY name LIMIT 1",
                                        f"{self.mark}-flow-%")
            store.execute("INSERT INTO deployment (id, name, flow_id) VALUES (?, ?, ?)", identifier, identifier,
                          flow_id)
        self.deployments.append(identifier)
        return identifier

    def create_flow_run(self):
        flow = self.known("flow")
        if not flow:
            return None
        body = {"flow_id": f"<{flow}>", "name": self.name(), "tags": self.tags(),
                "parameters": {"n": self.random.randrange(9)}}
        if self.chance(0.1):
            del body["name"]
        if self.chance(0.4):
            body["deployment_id"] = self.deployment(flow)
        if self.chance(0.2):
            body["idempotency_key"] = f"{self.mark}-{self.random.randrange(3)}"
        if self.places["task_run"] and self.chance(0.3):
            body["parent_task_run_id"] = f"<{self.known('task_run')}>"
        if self.chance(0.5):
            body["empirical_policy"] = self.policy(self.pick([0, HOUR, None]))
            if self.chance(0.2):
                body["empirical_policy"]["pause_keys"] = ["k1"]
        if self.chance(0.3):
            body["state"] = self.state(data=False)
        elif self.chance(0.8):
            body["state"] = {"type": "RUNNING"}
        return self.create("flow_run", "/flow_runs/", body, version=self.pick(VERSIONS))

    def policy(self, delay):
        policy = {"retries": self.random.randrange(4)} if self.chance(0.8) \
            else {"max_retries": self.random.randrange(3)}
        if delay is not None:
            policy["retry_delay"] = delay
        return policy

    def create_task_run(self):
        running = self.running()
        flow_run = self.pick(running[-3:]) if running and self.chance(0.85) else self.known("flow_run")
        if not flow_run:
            return None
        body = {"flow_run_id": f"<{flow_run}>", "task_key": self.pick(["t", "u"]),
                "dynamic_key": str(self.random.randrange(4)), "name": self.name()}
        # One limited tag at most: with two, the reference keeps the free slot of a task that waits for the other.
        body["tags"] = [self.limited_tag()] * self.chance(0.75) + self.tags()
        if self.chance(0.5):
            body["empirical_policy"] = self.policy(self.pick([0, HOUR, [0, HOUR], [HOUR], [0, 0, 2 * HOUR]]))
        if self.chance(0.2):
            body["cache_key"] = self.cache_key()
        if self.places["task_run"] and self.chance(0.3):
            body["task_inputs"] = {"x": [{"input_type": "task_run", "id": f"<{self.known('task_run')}>"}]}
        if self.chance(0.2):
            body["state"] = self.state(data=False)
        return self.create("task_run", "/task_runs/", body, version=self.pick(VERSIONS), above=flow_run)

    def limited_tag(self):
        return f"{self.mark}-{self.pick('aaab')}"

    def cache_key(self):
        return f"{self.mark}-cache-{self.random.randrange(2)}"

    def create_limit(self):
        return self.create("limit", "/concurrency_limits/",
                           {"tag": self.limited_tag(), "concurrency_limit": self.pick([0, 1, 1, 1, 1, 2])})

    # Moving.

    def time(self):
        return (self.now
                + datetime.timedelta(seconds=self.pick([-HOUR, HOUR]) * self.random.randrange(1, 5))).isoformat()

    def state(self, data=True, after=None):
        types = NEXT[after] if after and self.chance(0.75) else TYPES
        type_ = self.random.choices(list(types), list(types.values()))[0]
        state = {"type": type_}
        if self.chance(0.15):
            state["name"] = self.pick(["Late", "Other", "AwaitingRetry", "Resuming"])
        if type_ == "SCHEDULED" and self.chance(0.6):
            state["name"] = "AwaitingRetry"
        if self.chance(0.2):
            state["message"] = self.pick(["a message", ""])
        if data and self.has_data and self.chance(0.5):
            state["data"] = self.pick([None, 0, 5, "text", [], {"a": [1.5, None]}])
        details = self.details(type_)
        if details:
            state["state_details"] = details
        return state

    def details(self, type_):
        details = {}
        if self.chance(0.6 if type_ == "SCHEDULED" else 0.05):
            details["scheduled_time"] = self.time()
        if type_ == "PAUSED":
            if self.chance(0.5):
                details["pause_key"] = self.pick(["k1", "k2"])
            if self.chance(0.5):
                details["pause_timeout"] = self.time()
            if self.chance(0.3):
                details["pause_reschedule"] = True
        if type_ in ("RUNNING", "COMPLETED") and self.chance(0.35):
            details["cache_key"] = self.cache_key()
            if self.chance(0.3):
                details["cache_expiration"] = self.time()
            if self.chance(0.15):
                details["refresh_cache"] = self.pick([True, False, None])
        if self.chance(0.05):
            details["untrackable_result"] = True
        return details

    def move(self, kind, place):
        body = {"state": self.state(after=self.seen.get(place))}
        if self.chance(0.4 if self.seen.get(place) in TERMINAL else 0.1):
            body["force"] = self.pick([True, True, False])
        return {"method": "POST", "path": f"/{kind}s/<{place}>/set_state", "body": body, "version": self.pick(VERSIONS),
                "moves": place}

    def move_flow_run(self):
        place = self.alive("flow_run")
        return self.move("flow_run", place) if place else None

    def move_task_run(self):
        place = self.alive("task_run")
        return self.move("task_run", place) if place else None

    def move_nobody(self):
        nobody = str(uuid.uuid4())
        request = self.move(self.pick(["flow_run", "task_run"]), "nobody")
        return {**request, "path": request["path"].replace("<nobody>", nobody)}

    def resume(self):
        paused = [place for place in self.places["flow_run"] if self.seen.get(place) == "PAUSED"]
        place = self.pick(paused) if paused and self.chance(0.8) else self.known("flow_run") if self.chance(0.2) \
            else None
        return {"method": "POST", "path": f"/flow_runs/<{place}>/resume", "version": self.pick(VERSIONS),
                "moves": place} if place else None

    # Reading, changing, deleting.

    def any_run(self):
        kind = self.pick(["flow_run", "task_run"])
        return kind, self.known(kind)

    def read_run(self):
        kind, place = self.any_run()
        return {"method": "GET", "path": f"/{kind}s/<{place}>"} if place else None

    def read_states(self):
        kind, place = self.any_run()
        return {"method": "GET", "path": f"/{kind}_states/?{kind}_id=<{place}>"} if place else None

    def read_graph(self):
        place = self.known("flow_run")
        return {"method": "GET", "path": f"/flow_runs/<{place}>/graph"} if place else None

    def list_runs(self):
        mine = {"flows": {"name": {"like_": self.mark}}, "flow_runs": {"name": {"like_": self.mark}}}
        kind = self.pick(["flow_runs", "task_runs"])
        fields = self.pick([{}, {"state": {"type": {"any_": self.random.sample(list(TYPES), 3)}}},
                            {"tags": {"all_": [self.pick("xyz")]}}, {"start_time": {"is_null_": self.chance(0.5)}}])
        mine[kind] = {**mine.get(kind, {}), **fields}
        if self.chance(0.3):
            return {"method": "POST", "path": f"/{kind}/count", "body": mine}
        return {"method": "POST", "path": f"/{kind}/filter",
                "body": {**mine, "sort": self.pick(["NAME_ASC", "NAME_DESC"]), "limit": self.random.randrange(1, 9),
                         "offset": self.random.randrange(2)}}

    def read_limit(self):
        place = self.known("limit")
        return {"method": "GET", "path": f"/concurrency_limits/<{place}>"} if place else None

    def patch_run(self):
        kind, place = self.any_run()
        body = {"name": self.name()}
        if kind == "flow_run" and self.chance(0.5):
            body = self.pick([{"tags": self.tags()}, {"empirical_policy": self.policy(0)}, {"parameters": {"p": None}},
                              {"infrastructure_pid": "1"}, {}])
        return {"method": "PATCH", "path": f"/{kind}s/<{place}>", "body": body} if place else None

    def delete_run(self):
        kind = self.pick(["flow_run", "task_run", "task_run"])
        place = self.known(kind)
        return {"method": "DELETE", "path": f"/{kind}s/<{place}>", "gone": place} if place else None

    def delete_limit(self):
        place = self.known("limit")
        return {"method": "DELETE", "path": f"/concurrency_limits/<{place}>", "gone": place} if place else None

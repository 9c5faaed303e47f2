"""Valid requests for every operation, made from the schema of the reference and from the rows that there are."""
import datetime

from tests.lib.comparison import SLUG
from .operations import VERSION_HEADER
from .world import NOBODY, VERSION

HISTORY = ("/history",)
IDENTIFIERS = {
    "flow_id": "flow", "deployment_id": "deployment", "deployment_ids": "deployment", "flow_run_id": "flow_run",
    "child_flow_run_id": "flow_run", "task_run_id": "task_run", "parent_task_run_id": "task_run",
    "block_type_id": "block_type", "block_schema_id": "block_schema", "block_document_id": "block_document",
    "storage_document_id": "block_document", "infrastructure_document_id": "block_document",
    "work_pool_id": "work_pool", "work_queue_id": "work_queue",
}
# What a filter is about, by its name in the body.
FILTERED = {
    "flows": "flow", "flow_runs": "flow_run", "task_runs": "task_run", "deployments": "deployment",
    "work_pools": "work_pool", "work_pool_queues": "pool_queue", "work_queues": "work_queue",
    "block_documents": "block_document", "block_types": "block_type", "block_schemas": "block_schema", "logs": "log",
    "workers": "worker", "task_inputs": "task_run",
}
FAMILY_KINDS = {
    "flows": "flow", "flow_runs": "flow_run", "task_runs": "task_run", "flow_run_states": "flow_run_state",
    "task_run_states": "task_run_state", "deployments": "deployment", "flow_run_notification_policies": "policy",
    "saved_searches": "saved_search", "concurrency_limits": "concurrency_limit", "block_types": "block_type",
    "block_documents": "block_document", "block_schemas": "block_schema", "work_queues": "work_queue",
    "work_pools": "work_pool",
}
TAGS = ["red", "green", "blue"]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]
TIMES = ["2001-02-03T04:05:06+00:00", "2019-01-01T00:00:00Z", "2031-05-06T07:08:09.5+02:00", "2033-01-01T00:00:00"]
# What must stand beside a part for the body to be valid.
BESIDE = {
    "state": {"type": "RUNNING"}, "schedule.anchor_date": {"interval": 86400},
    "schedule.timezone": {"cron": "0 5 * * *"}, "schedule.day_or": {"cron": "0 5 1 * 1"},
    "filters[]": {"object": "flow", "property": "name", "type": "string", "operation": "equals", "value": "x"},
    "task_inputs.*[]": {"input_type": "constant", "type": "int"},
}


def is_data_of_new_run(operation, part):
    """The reference answers 500 to a run that is created with data, and keeps the task run but not the flow run."""
    return part == "state.data" and operation.path.endswith(("_runs/", "/create_flow_run"))


class Generator:
    """Makes requests; everything random comes from the world."""

    def __init__(self, world, document):
        self.world, self.document = world, document
        self.clock = datetime.datetime(2022, 1, 1, tzinfo=datetime.timezone.utc)
        self.today = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)

    # Paths.

    def path(self, operation):
        """The operation's path for rows that there are."""
        kind = FAMILY_KINDS.get(operation.family)
        row = self.world.row("pool_queue" if "/queues/{name}" in operation.path else kind) if kind else {}
        pool = self.world.row("work_pool")
        if "queues/{name}" in operation.path:
            pool = next((one for one in self.world.all("work_pool") if one["id"] == row.get("work_pool_id")), pool)
        flow = self.world.rows.get("flow", {}).get(row.get("flow_id"), {"name": "none"})
        document = self.world.row("block_document")
        values = {"id": row.get("id"), "name": row.get("name"), "slug": row.get("slug"), "tag": row.get("tag"),
                  "checksum": row.get("checksum"), "work_pool_name": pool["name"], "flow_name": flow["name"],
                  "deployment_name": row.get("name"), "block_document_name": document.get("name")}
        if "{block_document_name}" in operation.path and "block_type" in document:
            values["slug"] = document["block_type"]["slug"]
        path = operation.path
        for name in operation.path_names():
            path = path.replace("{" + name + "}", str(values[name]))
        return path + self.query(operation)

    def query(self, operation):
        values = {"flow_run_id": self.world.id("flow_run"), "task_run_id": self.world.id("task_run"),
                  "include_secrets": self.world.pick(["true", "false", "1"]), "version": "non-versioned"}
        words = [f"{name}={values[name]}" for place, name, schema in operation.parameters if place == "query"]
        return "?" + "&".join(words) if words else ""

    # Bodies.

    def minimal(self, operation):
        """The smallest body that succeeds; None where the operation has no body."""
        world = self.world
        name = operation.name
        if operation.body is None:
            return None
        if operation.path.endswith("/history") and "/ui/" not in operation.path:
            start = self.today - datetime.timedelta(hours=6)
            return {"history_start": start.isoformat(),
                    "history_end": (start + datetime.timedelta(hours=8)).isoformat(), "history_interval_seconds": 3600}
        bodies = {
            "POST /flows/": lambda: {"name": world.name("flow")},
            "POST /flow_runs/": lambda: {"name": world.name("run"), "flow_id": world.id("flow")},
            "POST /task_runs/": lambda: {"name": world.name("task"), "flow_run_id": world.id("flow_run"),
                                         "task_key": "key", "dynamic_key": world.name("dynamic")},
            "POST /logs/": lambda: [self.log()],
            "POST /concurrency_limits/": lambda: {"tag": world.name("tag"), "concurrency_limit": 2},
            "POST /deployments/": lambda: {"name": world.name("deployment"), "flow_id": world.id("flow")},
            "POST /deployments/{id}/create_flow_run": lambda: {"name": world.name("run")},
            "POST /flow_run_notification_policies/": lambda: {"state_names": ["Failed"], "tags": [],
                                                              "block_document_id": world.id("block_document")},
            "PUT /saved_searches/": lambda: {"name": world.name("search")},
            "POST /block_types/": lambda: {"name": world.name("type"), "slug": world.name("slug")},
            "POST /block_schemas/": lambda: {"fields": {"title": world.name("schema"), "type": "object",
                                                        "properties": {}}, "block_type_id": self.own_type()},
            "POST /block_documents/": lambda: {"name": world.name("document"), **self.type_and_schema(),
                                               "data": {"x": 1}},
            "PATCH /block_documents/{id}": lambda: {"data": {"x": 2}},
            "POST /work_queues/": lambda: {"name": world.name("queue")},
            "POST /experimental/work_pools/": lambda: {"name": world.name("pool")},
            "POST /experimental/work_pools/{work_pool_name}/queues": lambda: {"name": world.name("queue")},
            "POST /experimental/work_pools/{work_pool_name}/workers/heartbeat": lambda: {"name": world.name("worker")},
        }
        if name.endswith("/set_state"):
            return {"state": {"type": world.pick(["RUNNING", "COMPLETED", "SCHEDULED", "PENDING"])}}
        if operation.path == "/deployments/{id}/schedule":
            start = self.today + datetime.timedelta(days=400)
            return {"start_time": start.isoformat(), "max_runs": 3}
        return bodies.get(name, dict)()

    def own_type(self):
        """A block type that the scripts made: the registered ones are protected."""
        types = [row for row in self.world.all("block_type") if not row["is_protected"]
                 and row["slug"].startswith("slug-")]
        return self.world.pick(types)["id"] if types else NOBODY

    def type_and_schema(self):
        schemas = [row for row in self.world.all("block_schema")
                   if (row.get("block_type") or {}).get("slug", "").startswith("slug-")]
        schema = self.world.pick(schemas) if schemas else {"id": NOBODY, "block_type_id": NOBODY}
        return {"block_schema_id": schema["id"], "block_type_id": schema["block_type_id"]}

    def log(self):
        self.clock += datetime.timedelta(seconds=61)
        return {"name": "logger", "level": 20, "message": self.world.name("message"),
                "timestamp": self.clock.isoformat(), "flow_run_id": self.world.id("flow_run")}

    def with_part(self, body, part, value):
        """The body with one part set, and what must stand beside it."""
        target, names = body, part.split(".")
        for place, name in enumerate(names[:-1]):
            above = ".".join(names[:place + 1])
            many = name.endswith("[]")
            key = {"*": "x", "*[]": "x", "[]": 0}.get(name, name.removesuffix("[]"))
            beside = dict(BESIDE.get(above, {}))
            if isinstance(target, list):
                target = target[0]
                continue
            inner = target.get(key)
            if many:
                inner = inner if isinstance(inner, list) and inner and isinstance(inner[0], dict) else [beside]
                target[key] = inner
                target = inner[0]
            else:
                inner = inner if isinstance(inner, dict) else beside
                target[key] = inner
                target = inner
        if isinstance(target, list):
            target = target[0]
        target.update(BESIDE.get(part, {}) if part.startswith("schedule.") else {})
        if part.startswith("task_inputs.*[]."):
            target.clear()
            target.update({"id": {"input_type": "task_run"}, "name": {"input_type": "parameter"},
                           "type": {"input_type": "constant"}}.get(names[-1], self.task_input(value)))
        target[names[-1]] = value
        return body

    def task_input(self, value):
        return {"task_run": {"id": self.world.id("task_run")}, "parameter": {"name": "p"},
                "constant": {"type": "int"}}.get(str(value), {})

    def about(self, operation, part):
        """Which kind of row a part of a body speaks of."""
        top = part.split(".")[0].removesuffix("[]")
        if top == "work_queues" and "work_pools" in operation.path:
            return "pool_queue"
        return FILTERED.get(top, FAMILY_KINDS.get(operation.family))

    def value(self, operation, part, schema):
        """A valid value for a part; for filters, one that some rows have."""
        schema = self.document.members(schema)[0]
        last = [name for name in part.replace("[]", "").split(".")
                if name not in ("any_", "not_any_", "all_", "like_", "startswith_", "before_", "after_", "eq_")][-1]
        if schema.get("enum"):
            return self.world.pick(schema["enum"])
        kind = schema.get("type")
        if last == "pause_keys":
            return ["first", "second"]
        if kind == "array":
            inner = self.document.members(schema.get("items", {}))[0]
            items = [self.value(operation, part, inner) for _ in range(self.world.random.randrange(1, 3))]
            return [*{str(item): item for item in items}.values()]
        if kind == "object":
            return self.object(operation, part, schema)
        if kind == "boolean":
            return self.world.chance(0.5)
        if kind in ("integer", "number"):
            return self.number(last, kind)
        if kind == "string":
            return self.string(operation, part, last, schema)
        return self.world.pick([None, 5, "text", [1, {"a": None}], {"k": 1.5}])

    def object(self, operation, part, schema):
        if "properties" not in schema:
            return {} if part.endswith(("infra_overrides", "base_job_template", "task_inputs", "fields")) \
                else {"k": self.world.pick([1, "é", None, [1.5]])}
        made = {}
        for name, inner in schema["properties"].items():
            if name in schema.get("required", []) or name == "type" \
                    or (self.world.chance(0.25) and not is_data_of_new_run(operation, f"{part}.{name}")):
                made[name] = self.value(operation, f"{part}.{name}", inner)
        if part == "schedule":
            return self.schedule()
        return made

    def schedule(self):
        return self.world.pick(
            [{"interval": 3600.0, "anchor_date": "2022-03-01T00:00:00+00:00", "timezone": self.world.pick(ZONES)},
             {"cron": "15 */6 * * *", "timezone": self.world.pick(ZONES)},
             {"rrule": "DTSTART:20220101T000000\nFREQ=DAILY;BYHOUR=3", "timezone": self.world.pick(ZONES)}])

    def number(self, last, kind):
        if last == "interval":
            return self.world.pick([3600, 86400.5])
        if last in ("limit", "max_runs", "min_runs", "concurrency_limit"):
            return self.world.random.randrange(1, 9)
        if last == "history_interval_seconds":
            return 1800
        if last == "priority":
            return self.world.random.randrange(1, 4)
        return self.world.pick([0, 1, 3, 20, 40]) if kind == "integer" else self.world.pick([0, 1.5, 30])

    def string(self, operation, part, last, schema):
        form = schema.get("format")
        if form == "uuid":
            return self.identifier(operation, part, last)
        if form == "date-time":
            return self.time(operation, part, last)
        if form == "uri":
            return self.world.pick(["https://example.com/x.png", "http://example.org"])
        if part.endswith("like_"):
            return self.world.pick(["0", "00", "-", "run-0", "zz9", "%", "_", ""])
        if last == "startswith_":
            return self.world.pick(["q", "queue-", "zz"])
        row = self.world.row(self.about(operation, part) or "flow")
        if last == "tags":
            return self.world.pick([*TAGS, *(row.get("tags") or [])])
        if last in ("timezone",):
            return self.world.pick(ZONES)
        if last in ("name", "slug", "type", "version", "flow_version", "work_queue_name") and "_" == part[-1]:
            found = row.get({"flow_version": "flow_version"}.get(last, last))
            found = row.get("state_name") if ".state." in part else found
            return found if found and not SLUG.match(str(found)) else "none"  # names that were made up differ
        if last == "work_queue_name":
            return self.world.row("work_queue")["name"]
        if last == "work_pool_name":
            return self.world.row("work_pool")["name"]
        if last == "cron":
            return self.world.pick(["0 0 * * *", "*/15 2 * * 1-5", "@daily"])
        if last == "rrule":
            return self.world.pick(["DTSTART:20220101T040000\nFREQ=DAILY",
                                    "DTSTART:20220101T000000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE"])
        if last == "work_queue_names":
            return self.world.row("pool_queue")["name"]
        if last in ("message_template",):
            return self.world.pick(["{flow_run_name} is {flow_run_state_name}", "text"])
        if last in ("name", "slug", "tag", "dynamic_key"):
            return self.world.name(last)
        return self.world.pick(["text", "é漢", self.world.name("text")])

    def identifier(self, operation, part, last):
        words = part.replace("[]", "").split(".")
        if words[0] == "state" and last == "id" or last == "agent_id":
            return self.world.pick([NOBODY, "11111111-1111-4111-8111-111111111111"])
        kind = IDENTIFIERS.get(last) or self.about(operation, part)
        return self.world.id(kind) if kind and self.world.chance(0.9) else NOBODY

    def time(self, operation, part, last):
        if part.startswith("history_"):
            return (self.today - datetime.timedelta(hours=5 if part == "history_start" else -4)).isoformat()
        if last == "timestamp" and operation.path == "/logs/":
            return self.log()["timestamp"]
        return self.world.pick(TIMES)

    # Requests.

    def base(self, operation):
        return self.path(operation), self.minimal(operation)

    def whole(self, operation, share=0.6):
        """A body with many parts of the first level."""
        body = self.minimal(operation)
        if not isinstance(body, dict):
            return body
        for part, schema in self.document.parts(operation.body):
            if "." not in part and part not in body and self.world.chance(share):
                body[part] = self.value(operation, part, schema)
        return body

    def each_part(self, operation):
        """Yields (part, function that makes a body): one for every part of the body, and for each value of every
        enum."""
        for wanted in sorted(self.document.wanted(operation)):
            if is_data_of_new_run(operation, wanted):
                continue
            part, _, value = wanted.partition("=")
            part = part.removesuffix("[]") if value else part
            schema = next((schema for name, schema in self.document.parts(operation.body or {}) if name == part), None)
            if schema is None:
                continue
            yield wanted, lambda part=part, value=value, schema=schema: self.body_with(operation, part, value, schema)

    def body_with(self, operation, part, value, schema):
        chosen = self.value(operation, part, schema)
        if value:
            chosen = [value] if schema.get("type") == "array" else value
        return self.with_part(self.minimal(operation), part, chosen)

    def headers(self, operation):
        return {**VERSION, **{name: "true" for place, name, _ in operation.parameters if place == "header"
                              and name != VERSION_HEADER}}

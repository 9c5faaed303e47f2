"""Scripts for flows, runs, their states, logs, limits, and the routes of the server itself."""
import datetime

from .world import NOBODY

TAGS = ["red", "green", "blue"]


def hours(count):
    """A time so far from now that the servers agree on which side of now it is."""
    return (datetime.datetime.now(datetime.timezone.utc).replace(minute=30, second=0, microsecond=0)
            + datetime.timedelta(hours=count)).isoformat()


def flows(world):
    for number in range(4):
        world.made("/flows/", {"name": world.name("flow"), "tags": TAGS[:number]})
    flow = world.made("/flows/", {"name": world.name("flow é"), "tags": ["red", "red", "é"]})
    world.post("/flows/", {"name": flow["name"], "tags": ["other"]}, note="the same again")
    world.get(f"/flows/{flow['id']}")
    world.get(f"/flows/name/{flow['name']}")
    world.patch(f"/flows/{flow['id']}", {"tags": ["blue"]})
    world.patch(f"/flows/{flow['id']}", {})
    world.get(f"/flows/{flow['id']}")
    for _ in range(2):
        gone = world.made("/flows/", {"name": world.name("gone")})
        run = world.made("/flow_runs/", {"flow_id": gone["id"], "name": world.name("run")})
        world.delete(f"/flows/{gone['id']}", headers={"x-prefect-api-version": "0.8.4"})
        world.delete(f"/flows/{gone['id']}")
        world.rows["flow_run"].pop(run["id"], None)
        world.get(f"/flow_runs/{run['id']}")
    pages(world, "/flows", ["NAME_ASC", "NAME_DESC", "CREATED_DESC", "UPDATED_DESC"])


def pages(world, path, sorts):
    for sort in sorts:
        for limit, offset in ((None, 0), (3, 0), (2, 2), (200, 1), (0, 0), (5, 1000)):
            body = {"sort": sort, "offset": offset}
            world.post(f"{path}/filter", body if limit is None else {**body, "limit": limit})


def set_state(world, kind, run, state, force=None, headers=None):
    body = {"state": state if isinstance(state, dict) else {"type": state}}
    if force is not None:
        body["force"] = force
    return world.post(f"/{kind}s/{run['id']}/set_state", body, headers=headers)


RUN_STATES = [
    ["PENDING", "RUNNING", "COMPLETED"], ["RUNNING", "FAILED", "RUNNING"],
    [{"type": "SCHEDULED", "name": "Late"}, "PENDING", "RUNNING", "CRASHED"], ["CANCELLING", "CANCELLED", "RUNNING"],
    ["RUNNING", {"type": "PAUSED", "state_details": {"pause_key": "k", "pause_timeout": "+5"}}, "RUNNING"],
    [{"type": "RUNNING", "message": "", "name": "é"}, {"type": "PAUSED"}, "CANCELLED"],
    [{"type": "SCHEDULED", "state_details": {"scheduled_time": "+3"}}, "RUNNING", "PENDING",
     {"type": "COMPLETED", "data": {"a": [1, None]}}],
    [{"type": "SCHEDULED", "state_details": {"scheduled_time": "-3"}}, "RUNNING", {"type": "COMPLETED", "data": None},
     {"type": "SCHEDULED", "name": "AwaitingRetry", "state_details": {"scheduled_time": "-2"}}, "RUNNING"],
    ["RUNNING",
     {"type": "PAUSED", "state_details": {"pause_reschedule": True, "pause_timeout": "+4", "pause_key": "again"}},
     "PENDING"], ["FAILED", "COMPLETED", "CRASHED", "FAILED"],
]


def timed(state):
    """The state with its times, which are written as hours from now."""
    if isinstance(state, dict) and "state_details" in state:
        details = {name: hours(int(value)) if isinstance(value, str) and value[:1] in "+-" else value
                   for name, value in state["state_details"].items()}
        return {**state, "state_details": details}
    return state


def flow_runs(world):
    flow = world.made("/flows/", {"name": world.name("flow"), "tags": ["runs"]})
    for number, states in enumerate(RUN_STATES):
        run = world.made("/flow_runs/",
                         {"flow_id": flow["id"], "name": world.name("run"), "tags": TAGS[:number % 4],
                          "flow_version": f"v{number % 3}", "parameters": {"x": number, "é": [1.5, None]},
                          "context": {"k": "v"}, "empirical_policy": {"retries": number % 3, "retry_delay": 0},
                          "idempotency_key": f"key-{number}" if number % 2 else None})
        for state in states:
            set_state(world, "flow_run", run, timed(state))
        world.get(f"/flow_runs/{run['id']}")
        world.get(f"/flow_run_states/?flow_run_id={run['id']}")
    again = {"flow_id": flow["id"], "name": world.name("run"), "idempotency_key": "key-1"}
    world.post("/flow_runs/", again, note="the same key")
    for body in ({"flow_id": flow["id"], "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": hours(2)}}},
                 {"flow_id": flow["id"],
                  "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": hours(-2)}}},
                 {"flow_id": flow["id"]}, {"flow_id": NOBODY}, {"flow_id": flow["id"], "parent_task_run_id": NOBODY},
                 {"flow_id": flow["id"], "deployment_id": NOBODY},
                 {"flow_id": flow["id"], "state": {"type": "RUNNING"}, "tags": ["b", "a", "b"]},
                 {"flow_id": flow["id"], "infrastructure_document_id": NOBODY}):
        world.post("/flow_runs/", {"name": world.name("run"), **body})
    named_later(world, world.post("/flow_runs/", {"flow_id": flow["id"]}, note="a name is made up"))
    resuming(world, flow)
    run = world.made("/flow_runs/", {"flow_id": flow["id"], "name": world.name("run")})
    for body in ({"name": world.name("new")}, {"tags": ["x", "y"]}, {"parameters": {"new": None}},
                 {"empirical_policy": {"retries": 3, "retry_delay": 5, "pause_keys": ["a"], "resuming": True}},
                 {"flow_version": "9"}, {"infrastructure_pid": "host:1"}, {}):
        world.patch(f"/flow_runs/{run['id']}", body)
        world.get(f"/flow_runs/{run['id']}")
    for force in (True, False):
        set_state(world, "flow_run", run, "COMPLETED", force=force)
        set_state(world, "flow_run", run, "RUNNING", force=force)
    for _ in range(2):
        world.delete(f"/flow_runs/{run['id']}", headers={"x-prefect-api-version": "0.8.4"})
        world.get(f"/flow_runs/{run['id']}")
    pages(world, "/flow_runs",
          ["NAME_ASC", "NAME_DESC", "ID_DESC", "EXPECTED_START_TIME_ASC", "EXPECTED_START_TIME_DESC", "START_TIME_ASC",
           "START_TIME_DESC", "NEXT_SCHEDULED_START_TIME_ASC", "END_TIME_DESC"])
    history(world, "/flow_runs/history")


def named_later(world, answer):
    """Lists by name can be compared only where the servers made up no names."""
    if answer.status < 300:
        world.patch(f"/flow_runs/{answer.json['id']}", {"name": world.name("run")})


def resuming(world, flow):
    for version in (None, "0.8.4", "0.8.3"):
        headers = {"x-prefect-api-version": version} if version else None
        run = world.made("/flow_runs/", {"flow_id": flow["id"], "name": world.name("run")})
        world.post(f"/flow_runs/{run['id']}/resume", headers=headers, note="not paused")
        set_state(world, "flow_run", run, "RUNNING")
        set_state(world, "flow_run", run,
                  timed({"type": "PAUSED", "state_details": {"pause_timeout": "+2", "pause_key": "x"}}),
                  headers=headers)
        world.post(f"/flow_runs/{run['id']}/resume", headers=headers)
        world.get(f"/flow_runs/{run['id']}")


def history(world, path):
    for back, ahead, step in ((8, 8, 3600), (24, 24, 21600), (2, 1, "PT30M"), (1, -2, 60), (5, 5, 100000)):
        world.post(path, {"history_start": hours(-back), "history_end": hours(ahead), "history_interval_seconds": step})
    whole = {"history_start": hours(-8), "history_end": hours(8), "history_interval_seconds": 3600}
    for filters in ({"flow_runs": {"state": {"type": {"any_": ["COMPLETED", "FAILED"]}}}},
                    {"flows": {"tags": {"all_": ["runs"]}}}, {"task_runs": {"state": {"name": {"any_": ["Running"]}}}},
                    {"flow_runs": {"tags": {"is_null_": True}}}):
        world.post(path, {**whole, **filters})


def task_runs(world):
    flow = world.made("/flows/", {"name": world.name("flow")})
    run = world.made("/flow_runs/", {"flow_id": flow["id"], "name": world.name("run")})
    set_state(world, "flow_run", run, "RUNNING")
    earlier = None
    for number, states in enumerate(RUN_STATES):
        inputs = {"x": [{"input_type": "task_run", "id": earlier["id"]}]} if earlier else {}
        task = world.made("/task_runs/",
                          {"flow_run_id": run["id"], "name": world.name("task"), "task_key": f"key-{number % 3}",
                           "dynamic_key": str(number), "tags": TAGS[:number % 4], "task_version": "1",
                           "empirical_policy": {"retries": number % 3, "retry_delay": [0, 3600][:number % 3],
                                                "retry_jitter_factor": 0.5 if number == 4 else None},
                           "task_inputs": inputs, "cache_key": "cached" if number % 4 == 0 else None,
                           "cache_expiration": hours(9) if number == 4 else None})
        for state in states:
            set_state(world, "task_run", task, timed(state))
        world.get(f"/task_runs/{task['id']}")
        world.get(f"/task_run_states/?task_run_id={task['id']}")
        earlier = task
    world.post("/task_runs/", {"flow_run_id": run["id"], "name": "other", "task_key": "key-0", "dynamic_key": "0"},
               note="the same again")
    world.post("/task_runs/", {"flow_run_id": NOBODY, "task_key": "k", "dynamic_key": "0"})
    world.get(f"/flow_runs/{run['id']}/graph")
    constant = world.made("/flow_runs/", {"flow_id": flow["id"], "name": world.name("run")})
    world.made("/task_runs/", {"flow_run_id": constant["id"], "name": "t", "task_key": "c", "dynamic_key": "0",
                               "task_inputs": {"c": [{"input_type": "parameter", "name": "p"},
                                                     {"input_type": "constant", "type": "int"}]}})
    world.get(f"/flow_runs/{constant['id']}/graph")
    caching(world, run)
    child = world.made("/flow_runs/",
                       {"flow_id": flow["id"], "name": world.name("child"), "parent_task_run_id": earlier["id"]})
    world.get(f"/flow_runs/{child['id']}")
    for filters in ({"task_runs": {"subflow_runs": {"exists_": True}}},
                    {"task_runs": {"subflow_runs": {"exists_": False}}},
                    {"flow_runs": {"parent_task_run_id": {"any_": [earlier["id"]]}}}):
        world.post("/task_runs/filter", {**filters, "sort": "NAME_ASC"})
        world.post("/task_runs/count", filters)
    world.patch(f"/task_runs/{earlier['id']}", {"name": world.name("new")})
    world.get(f"/task_runs/{earlier['id']}")
    gone = world.made("/task_runs/",
                      {"flow_run_id": run["id"], "name": world.name("task"), "task_key": "gone", "dynamic_key": "0"})
    for _ in range(2):
        world.delete(f"/task_runs/{gone['id']}", headers={"x-prefect-api-version": "0.8.4"})
    pages(world, "/task_runs", ["NAME_ASC", "NAME_DESC", "ID_DESC", "EXPECTED_START_TIME_ASC",
                                "EXPECTED_START_TIME_DESC", "NEXT_SCHEDULED_START_TIME_ASC", "END_TIME_DESC"])
    history(world, "/task_runs/history")


def caching(world, run):
    for number, expiration in enumerate(("-1", "+1", None)):
        for name in ("first", "second"):
            task = world.made("/task_runs/", {"flow_run_id": run["id"], "name": world.name("task"),
                                              "task_key": f"cached-{number}", "dynamic_key": name})
            details = {"cache_key": f"cache-{number}", **({"cache_expiration": expiration} if expiration else {})}
            set_state(world, "task_run", task, timed({"type": "RUNNING", "state_details": details}))
            set_state(world, "task_run", task, timed({"type": "COMPLETED", "state_details": details,
                                                      "data": {"type": "literal", "value": number}}))


def flow_run_states(world):
    for kind in ("flow_run", "task_run"):
        for row in world.all(f"{kind}_state")[:4]:
            world.get(f"/{kind}_states/{row['id']}")
        world.get(f"/{kind}_states/{NOBODY}")
        world.get(f"/{kind}_states/?{kind}_id={NOBODY}")
        world.get(f"/{kind}_states/")


def logs(world):
    run, task = world.row("flow_run"), world.row("task_run")
    start = datetime.datetime(2021, 5, 5, tzinfo=datetime.timezone.utc)
    lines = []
    for number in range(12):
        lines.append({"name": f"logger-{number % 2}", "level": 10 * (number % 5 + 1),
                      "message": ["text", "é\n\t\"", "", "x" * 300][number % 4],
                      "timestamp": (start + datetime.timedelta(minutes=number)).isoformat(), "flow_run_id": run["id"],
                      "task_run_id": task["id"] if number % 3 == 0 else None})
    world.post("/logs/", lines)
    world.post("/logs/", [])
    world.post("/logs/", lines[0], note="not a list")
    for sort in ("TIMESTAMP_ASC", "TIMESTAMP_DESC", "LEVEL_ASC", "LEVEL_DESC", "FLOW_RUN_ID_ASC", "FLOW_RUN_ID_DESC",
                 "TASK_RUN_ID_ASC", "TASK_RUN_ID_DESC"):
        world.post("/logs/filter", {"sort": sort})
    for filters in ({"level": {"ge_": 20}}, {"level": {"le_": 30, "ge_": 30}},
                    {"timestamp": {"before_": "2021-05-05T00:05:00Z"}},
                    {"timestamp": {"after_": "2021-05-05T00:05:00+00:00"}}, {"flow_run_id": {"any_": [run["id"]]}},
                    {"task_run_id": {"any_": [task["id"], NOBODY]}}, {"task_run_id": {"any_": []}},
                    {"operator": "or_", "level": {"ge_": 50}, "task_run_id": {"any_": [task["id"]]}}):
        world.post("/logs/filter", {"logs": filters})
    for limit, offset in ((3, 0), (3, 2), (0, 0), (200, 5)):
        world.post("/logs/filter", {"limit": limit, "offset": offset})


def concurrency_limits(world):
    for count in (1, 0, 5):
        row = world.made("/concurrency_limits/", {"tag": world.name("limit"), "concurrency_limit": count})
        world.get(f"/concurrency_limits/{row['id']}")
        world.get(f"/concurrency_limits/tag/{row.get('tag')}")
    world.post("/concurrency_limits/", {"tag": row["tag"], "concurrency_limit": 7}, note="the same again")
    world.post("/concurrency_limits/filter", {})
    limited(world)
    for body in ({"limit": 2}, {"limit": 2, "offset": 1}, {"offset": 100}):
        world.post("/concurrency_limits/filter", body)
    for _ in range(2):
        world.delete(f"/concurrency_limits/{row['id']}", headers={"x-prefect-api-version": "0.8.4"})
    row = world.made("/concurrency_limits/", {"tag": world.name("limit"), "concurrency_limit": 1})
    for _ in range(2):
        world.delete(f"/concurrency_limits/tag/{row['tag']}", headers={"x-prefect-api-version": "0.8.4"})
    world.made("/concurrency_limits/", {"tag": "spaced tag", "concurrency_limit": 1})
    world.get("/concurrency_limits/tag/spaced%20tag")


def limited(world):
    """One slot, which the second task waits for."""
    tag = world.name("limit")
    limit = world.made("/concurrency_limits/", {"tag": tag, "concurrency_limit": 1})
    flow = world.made("/flows/", {"name": world.name("flow")})
    run = world.made("/flow_runs/", {"flow_id": flow["id"], "name": world.name("run"), "state": {"type": "RUNNING"}})
    tasks = [world.made("/task_runs/", {"flow_run_id": run["id"], "name": world.name("task"), "task_key": "k",
                                        "dynamic_key": str(number), "tags": [tag]}) for number in range(2)]
    for place, state in ((0, "RUNNING"), (1, "RUNNING"), (0, "COMPLETED"), (1, "RUNNING")):
        set_state(world, "task_run", tasks[place], state)
        world.get(f"/concurrency_limits/{limit['id']}")


def ui(world):
    for sort in ("ID_DESC", "EXPECTED_START_TIME_ASC", "EXPECTED_START_TIME_DESC", "START_TIME_ASC", "START_TIME_DESC",
                 "NAME_ASC", "NAME_DESC", "NEXT_SCHEDULED_START_TIME_ASC", "END_TIME_DESC"):
        world.post("/ui/flow_runs/history", {"sort": sort, "flow_runs": {"name": {"like_": "run-"}}})
        world.post("/ui/flow_runs/history", {"sort": sort, "limit": 4, "offset": 1})
    for filters in ({"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}},
                    {"flows": {"tags": {"all_": ["runs"]}}}, {"task_runs": {"tags": {"all_": ["red"]}}},
                    {"deployments": {"name": {"like_": "dep"}}}, {"limit": 1001}, {"limit": -1}):
        world.post("/ui/flow_runs/history", filters)


def root(world):
    for path in ("/health", "/hello", "/admin/version", "/admin/settings", "/nope", "/", "/flows/name",
                 "/block_capabilities/", "/block_capabilities"):
        for headers in ({}, {"origin": "http://localhost:3000"}, {"x-prefect-api-version": "0.8.4"},
                        {"x-prefect-api-version": "0.7.0"}):
            world.get(path, headers=headers)


def unlike(world):
    """The last script on full databases: what differs leaves them unlike."""
    for path, body in (("/flow_runs/", {"flow_id": world.id("flow")}),
                       ("/task_runs/", {"flow_run_id": world.id("flow_run"), "task_key": "data", "dynamic_key": "0"}),
                       (f"/deployments/{world.id('deployment')}/create_flow_run", {})):
        world.post(path, {**body, "name": world.name("run"), "state": {"type": "RUNNING", "data": {"a": 1}}})
    world.post("/task_runs/", {"flow_run_id": world.id("flow_run"), "task_key": "untyped", "dynamic_key": "0",
                               "name": "t", "state": {}})
    flow = world.made("/flows/", {"name": world.name("flow")})
    runs = [world.made("/flow_runs/", {"flow_id": flow["id"], "name": world.name("run")}) for _ in range(2)]
    for run in runs:
        set_state(world, "flow_run", run, {"type": "COMPLETED", "data": [1]})
    world.delete(f"/flow_runs/{runs[0]['id']}")
    world.delete(f"/flows/{flow['id']}")
    flow = world.made("/flows/", {"name": world.name("flow")})
    world.post("/flow_runs/",
               {"flow_id": flow["id"], "name": world.name("run"), "empirical_policy": {"retries": 10 ** 20}})
    world.post("/task_runs/", {"flow_run_id": world.id("flow_run"), "task_key": "infinite", "dynamic_key": "0",
                               "name": "t", "empirical_policy": {"retry_jitter_factor": "inf"}})
    world.post("/admin/database/clear", {"confirm": True})


def admin(world):
    """It empties the databases, drops and creates them."""
    world.made("/flow_runs/",
               {"flow_id": world.made("/flows/", {"name": world.name("flow")})["id"], "name": world.name("run")})
    for word in ("clear", "drop", "create"):
        for body in ({}, {"confirm": False}, {"confirm": "no"}, {"confirm": None}, {"confirm": "maybe"},
                     {"confirm": []}):
            world.post(f"/admin/database/{word}", body)
        world.post(f"/admin/database/{word}")
    world.post("/admin/database/clear", {"confirm": True}, headers={"x-prefect-api-version": "0.8.4"})
    world.rows.clear()
    for path in ("/flows", "/flow_runs", "/task_runs", "/deployments"):
        world.post(f"{path}/filter", {})
        world.post(f"{path}/count", {})
    for path in ("/logs", "/concurrency_limits", "/block_types", "/block_schemas", "/block_documents", "/work_queues",
                 "/saved_searches", "/flow_run_notification_policies", "/experimental/work_pools"):
        world.post(f"{path}/filter", {})
    world.get("/block_capabilities/")
    world.made("/work_queues/", {"name": world.name("queue")})
    world.post("/experimental/work_pools/filter", {})
    world.post("/block_types/install_system_block_types")
    world.post("/block_types/filter", {})
    world.post("/block_schemas/filter", {})
    world.post("/admin/database/drop", {"confirm": True}, headers={"x-prefect-api-version": "0.8.4"})
    world.rows.clear()
    world.get("/health")
    world.post("/flows/filter", {})
    for body in ({"confirm": True}, {"confirm": True}):
        world.post("/admin/database/create", body, headers={"x-prefect-api-version": "0.8.4"})
    world.made("/flows/", {"name": world.name("flow")})
    world.post("/flows/filter", {})
    world.post("/experimental/work_pools/filter", {})
    world.post("/block_types/filter", {})
